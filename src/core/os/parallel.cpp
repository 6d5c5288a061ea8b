#include "core/os/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace mpca::os {

int hardware_jobs() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

int parallel_for(int count, int jobs, std::stop_token stop, const std::function<void(int)>& job) {
  std::atomic<int> next{0};
  std::atomic<int> done{0};
  const auto work = [&] {
    while (!stop.stop_requested()) {
      const int index = next.fetch_add(1, std::memory_order_relaxed);
      if (index >= count) return;
      job(index);
      done.fetch_add(1, std::memory_order_relaxed);
    }
  };
  {
    std::vector<std::jthread> others;
    for (int i = 1; i < std::min(jobs, count); ++i) others.emplace_back(work);
    work();
  }
  return done.load();
}

}  // namespace mpca::os
