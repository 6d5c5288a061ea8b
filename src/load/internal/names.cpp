#include "load/internal/names.h"

#include <netdb.h>
#include <sys/un.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/result.h"

namespace mpca::load {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstLookUp = 30s;
constexpr Duration kRetryAfterFailure = 1s;

std::vector<Address> look_up(const HostPort& host, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.host.c_str(), std::to_string(host.port).c_str(), &hints, &found) != 0) return {};
  std::vector<Address> all;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    Address address;
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.size = one->ai_addrlen;
    if (std::find(all.begin(), all.end(), address) == all.end()) all.push_back(address);
  }
  freeaddrinfo(found);
  return all;
}

}  // namespace

struct NameTable::Shared {
  std::atomic<std::uint64_t> version{1};
  std::mutex mutex;  // of all below
  std::condition_variable changed;
  std::vector<std::vector<Address>> addresses;
  bool is_looked_up = false;
  bool is_over = false;
};

NameTable::NameTable(std::vector<HostPort> hosts, Duration resolve_every, const std::stop_token& stop)
    : shared_(std::make_shared<Shared>()) {
  std::vector<std::size_t> names;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    shared_->addresses.push_back(look_up(hosts[i], AI_NUMERICHOST));
    if (shared_->addresses.back().empty()) names.push_back(i);
  }
  if (names.empty()) return;
  std::thread([shared = shared_, hosts = std::move(hosts), names, resolve_every] {
    std::unique_lock lock(shared->mutex);
    while (!shared->is_over) {
      bool has_failed = false;
      for (const std::size_t name : names) {
        lock.unlock();
        std::vector<Address> found = look_up(hosts[name], 0);
        lock.lock();
        // A failing resolver says nothing about the addresses that worked until now.
        if (found.empty()) {
          has_failed = true;
        } else if (found != shared->addresses[name]) {
          shared->addresses[name] = std::move(found);
          ++shared->version;
        }
      }
      shared->is_looked_up = true;
      shared->changed.notify_all();
      shared->changed.wait_for(lock, has_failed ? std::min(kRetryAfterFailure, resolve_every) : resolve_every,
                               [&] { return shared->is_over; });
    }
  }).detach();
  std::unique_lock lock(shared_->mutex);
  for (Duration waited{}; waited < kFirstLookUp && !stop.stop_requested(); waited += 50ms) {
    if (shared_->changed.wait_for(lock, 50ms, [&] { return shared_->is_looked_up; })) break;
  }
}

NameTable::NameTable(const std::vector<Address>& addresses) : shared_(std::make_shared<Shared>()) {
  for (const Address& address : addresses) shared_->addresses.push_back({address});
}

NameTable::~NameTable() {
  const std::scoped_lock lock(shared_->mutex);
  shared_->is_over = true;
  shared_->changed.notify_all();
}

std::uint64_t NameTable::version() const { return shared_->version.load(std::memory_order_relaxed); }

std::vector<Address> NameTable::addresses(std::size_t host) const {
  const std::scoped_lock lock(shared_->mutex);
  return shared_->addresses[host];
}

Address unix_address(const std::string& path) {
  MPCA_CHECK(path.size() <= kMaxUnixPathBytes, "checked with the settings");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  Address all;
  std::memcpy(&all.storage, &address, sizeof address);
  all.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return all;
}

}  // namespace mpca::load
