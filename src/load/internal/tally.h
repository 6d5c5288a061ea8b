// What became of requests, in a form that is cheap to add to: a request is counted three times (its phase, its interval
// of the time series, the live interval). counts() makes the public form of it.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/latency_histogram.h"
#include "load/internal/failure.h"
#include "load/load_run.h"

namespace mpca::load {

struct Tally {
  std::uint64_t due = 0;
  std::uint64_t cancelled = 0;
  std::array<std::uint64_t, kFailures> failures{};
  std::vector<std::pair<int, std::uint64_t>> statuses;  // in the order of their first answer: few, so a search is short
  LatencyHistogram latency;

  void add_status(int status) {
    for (auto& [known, count] : statuses) {
      if (known == status) {
        ++count;
        return;
      }
    }
    statuses.emplace_back(status, 1);
  }

  Counts counts() const {
    Counts all;
    all.due = due;
    all.cancelled = cancelled;
    for (const auto& [status, count] : statuses) {
      all.by_status[status] = count;
      if (status >= 200 && status < 400) all.succeeded += count;
    }
    for (std::size_t i = 0; i < kFailures; ++i) {
      if (failures[i] > 0) all.by_error[words_of(static_cast<Failure>(i))] = failures[i];
    }
    return all;
  }
};

}  // namespace mpca::load
