// Any bytes as a kubeconfig file: refused with words that name it, or a connection that has a server. No credential of
// an accepted file is in what is shown of it.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "config/kubeconfig.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mpca;
  static const int file = memfd_create("kubeconfig", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  MPCA_CHECK(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == static_cast<ssize_t>(size), "a file in memory");
  const auto connection = config::load_kubeconfig({path});
  if (!connection) {
    MPCA_CHECK(!connection.error().message.empty(), "a refusal says why");
    return 0;
  }
  MPCA_CHECK(!connection->server.empty() && !connection->description.empty(), "a connection is to a server");
  const auto again = config::load_kubeconfig({path});
  MPCA_CHECK(again && again->server == connection->server && again->token == connection->token &&
                 again->token_file == connection->token_file && again->proxy == connection->proxy &&
                 again->default_namespace == connection->default_namespace,
             "the same file is the same connection");
  return 0;
}
