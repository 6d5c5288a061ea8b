// HTTP requests from us to others (metrics endpoints, Prometheus, an API server): blocking, with a time limit, several
// at once when asked. Over libcurl. Not for load: that is room `load`.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace mpca::net {

struct HttpReply {
  int status = 0;
  std::string body;
};

struct HttpClientSettings {
  Duration timeout = std::chrono::seconds(5);  // of a whole request
  std::size_t max_body_bytes = std::size_t{64} << 20;
  /// Whether http_proxy, https_proxy and no_proxy of the environment count. This machine is always reached directly.
  bool proxy_from_environment = true;
};

/// Keeps connections open between calls. Not thread safe; each thread has its own.
class HttpClient {
 public:
  explicit HttpClient(const HttpClientSettings& settings);
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  /// Any complete answer is a reply, whatever its status.
  ///   errors   io  `URL: ` and why there is no answer (refused, timed out after 5s, larger than …)
  ///            invalid_argument  not an http(s) URL
  Result<HttpReply> get(const std::string& url);
  /// All at the same time; results in the order of `urls`.
  std::vector<Result<HttpReply>> get_all(std::span<const std::string> urls);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mpca::net
