// HTTP requests from us to others (metrics endpoints, Prometheus, an API server): blocking, with a time limit, several
// at once when asked. Over libcurl. Not for load: that is room `load`.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace mpca::net {

struct HttpReply {
  int status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers{};  // those of HttpClientSettings::reply_headers that came

  /// Empty when it did not come; `name` as in the settings.
  std::string_view header(std::string_view name) const;
};

/// Either a file, read anew for each connection, or its content. Neither: none.
struct Pem {
  std::string file{};
  std::string text{};
};

/// Servers are verified unless `insecure` says otherwise.
struct TlsSettings {
  Pem ca{};           // only these are trusted; none: the system's
  Pem certificate{};  // of the client
  Pem key{};
  std::string server_name{};  // asked for, and expected in the certificate, instead of the URL's host
  bool insecure = false;
};

struct HttpClientSettings {
  Duration timeout = std::chrono::seconds(5);  // of a whole request; of connecting for a stream
  std::size_t max_body_bytes = std::size_t{64} << 20;
  /// Whether http_proxy, https_proxy and no_proxy of the environment count. This machine is always reached directly.
  bool proxy_from_environment = true;
  std::string proxy{};  // for every request, whatever the environment says; may hold a password
  TlsSettings tls{};
  std::vector<std::string> reply_headers{};  // names of those that the caller wants
};

/// Credentials are headers of the caller. Neither values of headers, bodies, keys nor the user part of a URL are ever
/// in a message.
struct HttpCall {
  std::string method = "GET";
  std::string url{};
  std::string body{};
  std::string content_type{};
  std::vector<std::pair<std::string, std::string>> headers{};
  std::optional<Duration> timeout{};  // instead of the client's
};

struct HttpFailure {
  enum class Kind {
    invalid,    // no http(s) URL, or a header with a line break
    no_answer,  // refused, unknown host, not trusted, cut off
    timed_out,
    too_large,
    stopped,  // by the caller
  };
  Kind kind = Kind::no_answer;
  /// False when the server certainly has not got the request. A request that may have arrived is never sent again here.
  bool may_have_arrived = false;
  std::string message;  // `URL: ` and why there is no answer
};

/// Who could read what goes to a server.
struct UrlPrivacy {
  bool is_tls = false;
  bool is_loopback = false;  // it does not leave this machine
};
/// nullopt: no http(s) URL.
std::optional<UrlPrivacy> privacy_of(const std::string& url);

/// Keeps connections open between calls. Not thread safe; each thread has its own.
class HttpClient {
 public:
  explicit HttpClient(const HttpClientSettings& settings);
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  /// Any complete answer is a reply, whatever its status.
  std::expected<HttpReply, HttpFailure> send(const HttpCall& call);

  using OnLine = std::function<bool(std::string_view line)>;
  /// A request whose answer does not end by itself: each complete line of a 2xx answer goes to `on_line`, without its
  /// line break, as it comes. Returns when the server ends the answer, when `on_line` says false, or with a failure:
  /// the connection breaks, nothing comes for `idle_limit`, a line is longer than max_body_bytes, or `stop` is
  /// requested (from any thread; returns at once). The body of any other answer is in the reply.
  ///   on_open   called once when a 2xx answer has begun, which may be long before its first line; empty: nobody is
  ///   told
  std::expected<HttpReply, HttpFailure> stream_lines(const HttpCall& call, Duration idle_limit,
                                                     const std::stop_token& stop, const OnLine& on_line,
                                                     const std::function<void()>& on_open = {});

  /// send() of a GET.
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
