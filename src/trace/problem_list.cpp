#include "trace/problem_list.h"

#include "core/text.h"

namespace mpca::trace {

std::vector<std::string> ProblemList::lines() const {
  std::vector<std::string> all = messages_;
  if (count_ > messages_.size()) all.push_back(cat("… and ", count_ - messages_.size(), " more"));
  return all;
}

Result<void> ProblemList::to_result() const {
  if (count_ == 0) return {};
  return invalid(join(lines(), "\n"));
}

}  // namespace mpca::trace
