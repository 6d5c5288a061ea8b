// How calls of the API server fail, by what a caller does about it.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.h"

namespace mpca::kube {

enum class Failure {
  unauthorized,       // 401, or no credential to show
  forbidden,          // 403: a right is missing; no use to ask again within minutes
  not_found,          // 404
  conflict,           // 409: the object has changed; read again and compute again
  already_exists,     // 409 of a create
  gone,               // 410: that resourceVersion is no longer kept; list again
  invalid,            // 400, 422, other 4xx, a redirection: the same request never works
  too_many_requests,  // 429
  server,             // 5xx, or an answer that is none of this API
  unreachable,        // no answer: refused, reset, cut off, not trusted
  timeout,            // no answer in time
  stopped,            // by us
};

/// `not_found`, …: for conditions and metrics.
std::string_view name_of(Failure failure);

struct ApiError {
  Failure failure = Failure::server;
  int status = 0;         // 0: no answer
  std::string reason{};   // the Status object's, a word: `Conflict`
  std::string message{};  // for people: connection, method, path, what was answered. Holds no secret
  std::optional<Duration> retry_after{};
  /// Of a write: it may have been carried out all the same. Read before you write again.
  bool outcome_unknown = false;
};

template <class T>
using ApiResult = std::expected<T, ApiError>;

}  // namespace mpca::kube
