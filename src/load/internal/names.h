// The addresses of the hosts under test, looked up again now and then by a thread of its own: a name may move to other
// addresses during a long run, and looking up blocks.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/time.h"
#include "load/internal/stream.h"

namespace mpca::load {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

/// Thread safe.
class NameTable {
 public:
  /// Returns when every host was looked up once, after 30 s, or after `stop`.
  NameTable(std::vector<HostPort> hosts, Duration resolve_every, const std::stop_token& stop);
  /// One address per host, for ever.
  explicit NameTable(const std::vector<Address>& addresses);
  ~NameTable();
  NameTable(const NameTable&) = delete;
  NameTable& operator=(const NameTable&) = delete;

  /// Changes whenever the addresses of any host did.
  std::uint64_t version() const;
  /// Of the host with this index, in the system's order of preference; empty while it has none.
  std::vector<Address> addresses(std::size_t host) const;

 private:
  struct Shared;
  // Shared with the thread, which may hang in the system's resolver and then outlives this object.
  std::shared_ptr<Shared> shared_;
};

/// The path must fit into the system's 107 bytes.
Address unix_address(const std::string& path);
constexpr std::size_t kMaxUnixPathBytes = 107;

}  // namespace mpca::load
