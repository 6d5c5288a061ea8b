// Why a request has no complete answer: a closed list, so that counting one is adding to an array, and reports of two
// runs use the same words.
#pragma once

#include <cstddef>

namespace mpca::load {

enum class Failure {
  timeout,
  connection_refused,
  connection_reset,
  connection_closed,  // by the server, before the answer was complete
  unreachable,
  name_not_resolved,
  tls_failed,
  certificate_refused,
  malformed_answer,
  too_many_open_files,  // of this process
  no_local_port,        // of this machine
  connection_failed,    // any other reason
};
constexpr std::size_t kFailures = static_cast<std::size_t>(Failure::connection_failed) + 1;

constexpr const char* words_of(Failure failure) {
  switch (failure) {
    case Failure::timeout:
      return "timeout";
    case Failure::connection_refused:
      return "connection refused";
    case Failure::connection_reset:
      return "connection reset";
    case Failure::connection_closed:
      return "connection closed";
    case Failure::unreachable:
      return "unreachable";
    case Failure::name_not_resolved:
      return "name not resolved";
    case Failure::tls_failed:
      return "TLS handshake failed";
    case Failure::certificate_refused:
      return "certificate refused";
    case Failure::malformed_answer:
      return "malformed answer";
    case Failure::too_many_open_files:
      return "too many open files";
    case Failure::no_local_port:
      return "no local port free";
    case Failure::connection_failed:
      return "connection failed";
  }
  return "connection failed";
}

}  // namespace mpca::load
