// One FIFO queue before c servers as an event simulation is written down first: a std::priority_queue of everything
// that will happen. Knows neither pods nor time-outs. The peer of bench/sim_bench.cpp.
#pragma once

#include <cstdint>
#include <deque>
#include <queue>
#include <vector>

#include "core/latency_histogram.h"
#include "sim/internal/request_engine.h"

namespace mpca::test {

struct NaiveQueueResult {
  std::uint64_t served = 0;
  std::uint64_t late = 0;
  LatencyHistogram latency;
};

inline NaiveQueueResult naive_fifo_queue(const std::vector<sim::internal::RequestArrival>& arrivals, int servers,
                                         Duration latency_target) {
  struct Event {
    Duration time;
    std::uint64_t sequence;
    bool is_arrival;
    std::size_t request;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.time != b.time ? a.time > b.time : a.sequence > b.sequence;
    }
  };
  NaiveQueueResult result;
  std::priority_queue<Event, std::vector<Event>, Later> events;
  std::deque<std::size_t> waiting;
  std::uint64_t sequence = 0;
  int free = servers;
  const auto start = [&](std::size_t request, Duration now) {
    events.push({now + arrivals[request].service, sequence++, false, request});
  };
  if (!arrivals.empty()) events.push({arrivals[0].time, sequence++, true, 0});
  while (!events.empty()) {
    const Event event = events.top();
    events.pop();
    if (event.is_arrival) {
      const std::size_t next = event.request + 1;
      if (next < arrivals.size()) events.push({arrivals[next].time, sequence++, true, next});
      if (free > 0) {
        --free;
        start(event.request, event.time);
      } else {
        waiting.push_back(event.request);
      }
      continue;
    }
    const Duration latency = event.time - arrivals[event.request].time;
    result.latency.record(latency);
    ++result.served;
    result.late += latency > latency_target ? 1 : 0;
    if (waiting.empty()) {
      ++free;
    } else {
      start(waiting.front(), event.time);
      waiting.pop_front();
    }
  }
  return result;
}

}  // namespace mpca::test
