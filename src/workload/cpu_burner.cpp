#include "workload/cpu_burner.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/os/real_clock.h"

namespace mpca::workload {
namespace {

// Go preempts a goroutine after 10 ms; a shorter slice only makes the ends more punctual.
constexpr Duration kSlice = std::chrono::milliseconds(2);
// Between two looks at the clock; a fraction of a microsecond each.
constexpr int kRoundsPerLook = 400;

}  // namespace

struct CpuBurner::Impl {
  struct Burn {
    std::uint64_t id = 0;
    Duration deadline{};
    std::function<void()> done;
    std::atomic<bool> cancelled = false;
  };

  // Shared by the queue, the thread that burns it and the table by which it is cancelled.
  using BurnPointer = std::shared_ptr<Burn>;

  int thread_count = 1;
  std::mutex mutex;
  std::condition_variable more;
  std::deque<BurnPointer> queue;                         // under mutex
  std::unordered_map<std::uint64_t, BurnPointer> by_id;  // under mutex
  bool stopping = false;                                 // under mutex
  std::vector<std::thread> threads;

  void work();
  void start_threads() {
    for (int i = 0; i < thread_count; ++i) threads.emplace_back([this] { work(); });
  }
};

namespace {

/// Keeps a processor busy until `until` or until cancelled.
void burn_until(Duration until, const std::atomic<bool>& cancelled) {
  std::uint64_t value = 0x9e3779b97f4a7c15;
  while (!cancelled.load(std::memory_order_relaxed) && os::monotonic_now() < until) {
    for (int i = 0; i < kRoundsPerLook; ++i) value = value * 6364136223846793005u + 1442695040888963407u;
    // The compiler has to believe that somebody wants the value.
    asm volatile("" : : "r"(value));
  }
}

}  // namespace

void CpuBurner::Impl::work() {
  std::unique_lock lock(mutex);
  while (true) {
    more.wait(lock, [&] { return stopping || !queue.empty(); });
    if (stopping) return;
    const BurnPointer burn = std::move(queue.front());
    queue.pop_front();
    lock.unlock();
    burn_until(std::min(burn->deadline, os::monotonic_now() + kSlice), burn->cancelled);
    const bool is_over = burn->cancelled.load(std::memory_order_relaxed) || os::monotonic_now() >= burn->deadline;
    lock.lock();
    if (stopping) return;
    if (!is_over) {
      queue.push_back(burn);
      continue;
    }
    by_id.erase(burn->id);
    lock.unlock();
    if (!burn->cancelled.load(std::memory_order_relaxed)) burn->done();
    lock.lock();
  }
}

CpuBurner::CpuBurner(int threads) : impl_(std::make_unique<Impl>()) { impl_->thread_count = threads; }

CpuBurner::~CpuBurner() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    for (const auto& [id, burn] : impl_->by_id) burn->cancelled = true;
  }
  impl_->more.notify_all();
  for (std::thread& thread : impl_->threads) thread.join();
}

void CpuBurner::burn(std::uint64_t id, Duration deadline, std::function<void()> done) {
  if (impl_->threads.empty()) impl_->start_threads();
  auto burn = std::make_shared<Impl::Burn>();
  burn->id = id;
  burn->deadline = deadline;
  burn->done = std::move(done);
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->queue.push_back(burn);
    impl_->by_id[id] = std::move(burn);
  }
  impl_->more.notify_one();
}

void CpuBurner::cancel(std::uint64_t id) {
  const std::lock_guard lock(impl_->mutex);
  if (const auto found = impl_->by_id.find(id); found != impl_->by_id.end()) found->second->cancelled = true;
}

}  // namespace mpca::workload
