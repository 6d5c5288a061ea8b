// Problems of an input that may have millions of them: all are counted, the first few are kept.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"

namespace mpca::trace {

class ProblemList {
 public:
  explicit ProblemList(std::size_t kept = 20) : kept_(kept) {}

  void add(std::string message) {
    if (messages_.size() < kept_) messages_.push_back(std::move(message));
    ++count_;
  }
  std::size_t count() const { return count_; }
  bool empty() const { return count_ == 0; }

  /// The kept ones in order, and a last line `… and N more` when there were more.
  std::vector<std::string> lines() const;

  /// Success when nothing was added, else one invalid_argument with the lines().
  Result<void> to_result() const;

 private:
  std::size_t kept_;
  std::size_t count_ = 0;
  std::vector<std::string> messages_;
};

}  // namespace mpca::trace
