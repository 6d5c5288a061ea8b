#include "core/result.h"

#include <cstdio>
#include <cstdlib>

namespace mpca {

Result<void> Problems::to_result() const {
  if (messages_.empty()) return {};
  std::string all;
  for (const std::string& message : messages_) {
    if (!all.empty()) all += '\n';
    all += message;
  }
  return invalid(std::move(all));
}

namespace internal {

void check_failed(const char* file, int line, const char* condition, const char* why) {
  std::fprintf(stderr, "%s:%d: internal error: %s (%s)\n", file, line, why, condition);
  std::abort();
}

}  // namespace internal
}  // namespace mpca
