#include "kube/client.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/text.h"
#include "kube/internal/credentials.h"
#include "net/http_client.h"
#include "net/json.h"
#include "net/url.h"

namespace mpca::kube {
namespace {

using nlohmann::json;

constexpr Duration kFirstBackoff = std::chrono::milliseconds(200);
constexpr Duration kLongestBackoff = std::chrono::seconds(30);
constexpr std::int64_t kLongestRetryAfterSeconds = 3600;
constexpr const char* kRetryAfter = "Retry-After";
constexpr const char* kFlowSchema = "X-Kubernetes-PF-FlowSchema-UID";
constexpr std::string_view kJson = "application/json";

Failure failure_of(int status, std::string_view reason) {
  switch (status) {
    case 401:
      return Failure::unauthorized;
    case 403:
      return Failure::forbidden;
    case 404:
      return Failure::not_found;
    case 409:
      return reason == "AlreadyExists" ? Failure::already_exists : Failure::conflict;
    case 410:
      return Failure::gone;
    case 429:
      return Failure::too_many_requests;
    default:
      return status / 100 == 5 ? Failure::server : Failure::invalid;
  }
}

std::string_view content_type_of(PatchKind kind) {
  switch (kind) {
    case PatchKind::merge:
      return "application/merge-patch+json";
    case PatchKind::json:
      return "application/json-patch+json";
    case PatchKind::apply:
      return "application/apply-patch+yaml";
  }
  return kJson;
}

/// What cannot be cut down comes whole.
std::string_view accepted(std::string_view method, Detail detail) {
  if (detail == Detail::whole) return kJson;
  return method == "GET" ? "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io, application/json"
                         : "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io, application/json";
}

std::optional<Duration> seconds_of(std::optional<std::int64_t> seconds) {
  if (!seconds || *seconds < 0) return std::nullopt;
  return std::chrono::seconds(std::min(*seconds, kLongestRetryAfterSeconds));
}

/// `path` with one more parameter.
std::string with_parameter(const std::string& path, std::string_view name, std::string_view value) {
  return cat(path, path.find('?') == std::string::npos ? '?' : '&', name, "=", net::percent_encoded(value));
}

}  // namespace

std::string_view name_of(Failure failure) {
  constexpr std::array kNames = {"unauthorized",   "forbidden",   "not_found", "conflict",
                                 "already_exists", "gone",        "invalid",   "too_many_requests",
                                 "server",         "unreachable", "timeout",   "stopped"};
  return kNames[static_cast<std::size_t>(failure)];
}

Duration full_jitter(int failures, RandomStream& random) {
  const double longest = std::min(to_seconds(kLongestBackoff), to_seconds(kFirstBackoff) * std::exp2(failures));
  return from_seconds(longest * random.uniform());
}

struct Client::Impl {
  Connection connection;
  ClientSettings settings;
  RateLimit& limit;
  Clock& clock;
  RandomStream random;
  internal::Credentials credentials{connection};
  std::optional<net::HttpClient> http{};
  int certificate_version = 0;

  struct Call {
    std::string_view method;
    const std::string& path;
    std::string body{};
    std::string_view content_type{};
    Priority priority = Priority::normal;
    Detail detail = Detail::whole;  // of a GET, of lists
    bool is_once = false;
  };

  std::string place(const Call& call) const {
    return cat(connection.description, ": ", call.method, " ",
               std::string_view(call.path).substr(0, call.path.find('?')));
  }

  ApiResult<std::string> run(const Call& call) {
    const bool is_read = call.method == "GET";
    const TimePoint end = clock.now() + settings.patience;
    bool has_renewed = false;
    for (int attempt = 1;; ++attempt) {
      pass_limit(call.priority);
      auto answer = attempt_once(call);
      if (answer) return answer;
      ApiError& error = answer.error();
      if (error.failure == Failure::unauthorized && !std::exchange(has_renewed, true) && credentials.renew()) continue;
      const auto wait = wait_before_retry(error, attempt, is_read);
      if (!wait || call.is_once || attempt >= settings.max_attempts || clock.now() + *wait > end) return answer;
      clock.sleep_until(clock.now() + *wait);
    }
  }

  /// nullopt: another attempt is of no use or may do harm.
  std::optional<Duration> wait_before_retry(const ApiError& error, int failures, bool is_read) {
    switch (error.failure) {
      case Failure::too_many_requests:
        break;
      case Failure::server:
      case Failure::unreachable:
      case Failure::timeout:
        if (!is_read && error.outcome_unknown) return std::nullopt;
        break;
      default:
        return std::nullopt;
    }
    return error.retry_after.value_or(Duration{}) + full_jitter(failures, random);
  }

  void pass_limit(Priority priority) {
    while (true) {
      const Duration wait = limit.take(priority, clock.now());
      if (wait == Duration{}) return;
      clock.sleep_until(clock.now() + wait);
    }
  }

  ApiResult<net::HttpCall> prepare(const Call& call) {
    if (auto fresh = credentials.refresh(clock.now()); !fresh) {
      return std::unexpected(ApiError{.failure = Failure::unauthorized,
                                      .message = cat(connection.description, ": ", fresh.error().message)});
    }
    if (!http || certificate_version != credentials.certificate_version()) {
      certificate_version = credentials.certificate_version();
      http.emplace(net::HttpClientSettings{.timeout = settings.timeout,
                                           .proxy_from_environment = connection.proxy_from_environment,
                                           .proxy = connection.proxy,
                                           .tls = credentials.tls(),
                                           .reply_headers = {kRetryAfter, kFlowSchema}});
    }
    std::string_view server = connection.server;
    while (server.ends_with('/')) server.remove_suffix(1);
    net::HttpCall request{.method = std::string(call.method),
                          .url = cat(server, call.path),
                          .body = call.body,
                          .content_type = std::string(call.content_type)};
    request.headers.emplace_back("Accept", accepted(call.method, call.detail));
    if (!credentials.token().empty()) request.headers.emplace_back("Authorization", "Bearer " + credentials.token());
    return request;
  }

  ApiResult<std::string> attempt_once(const Call& call) {
    auto request = prepare(call);
    if (!request) return std::unexpected(std::move(request).error());
    auto reply = http->send(*request);
    if (!reply) return std::unexpected(no_answer(call, reply.error()));
    if (reply->status / 100 != 2) return std::unexpected(refusal(call, *reply));
    return std::move(reply->body);
  }

  ApiError no_answer(const Call& call, const net::HttpFailure& why) const {
    using Kind = net::HttpFailure::Kind;
    ApiError error;
    switch (why.kind) {
      case Kind::invalid:
        error.failure = Failure::invalid;
        break;
      case Kind::timed_out:
        error.failure = Failure::timeout;
        break;
      case Kind::stopped:
        error.failure = Failure::stopped;
        break;
      case Kind::no_answer:
      case Kind::too_large:
        error.failure = Failure::unreachable;
        break;
    }
    error.outcome_unknown = why.may_have_arrived && call.method != "GET";
    error.message = cat(connection.description, ": ", call.method, " ", why.message);
    return error;
  }

  ApiError refusal(const Call& call, const net::HttpReply& reply) const {
    const json status = net::parse_json(reply.body);
    ApiError error;
    error.status = reply.status;
    error.reason = net::text_at(status, "reason");
    error.failure = failure_of(reply.status, error.reason);
    error.outcome_unknown = error.failure == Failure::server && call.method != "GET";
    error.retry_after = seconds_of(parse_int(reply.header(kRetryAfter)));
    if (!error.retry_after) error.retry_after = seconds_of(net::integer_at(status, "details", "retryAfterSeconds"));
    error.message = cat(place(call), ": ", reply.status);
    if (!error.reason.empty()) error.message += " " + error.reason;
    if (const std::string words = net::text_at(status, "message"); !words.empty()) error.message += ": " + words;
    if (error.failure == Failure::too_many_requests && !reply.header(kFlowSchema).empty())
      error.message += " (a limit of API priority and fairness)";
    return error;
  }
};

Client::Client(Connection connection, const ClientSettings& settings, RateLimit& limit, Clock& clock,
               RandomStream random)
    : impl_(new Impl{std::move(connection), settings, limit, clock, random}) {}

Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

const Connection& Client::connection() const { return impl_->connection; }

ApiResult<std::string> Client::get(const std::string& path, Priority priority) {
  return impl_->run({.method = "GET", .path = path, .priority = priority});
}

ApiResult<net::HttpReply> Client::get_through(const std::string& path, Duration time_limit) {
  const Impl::Call call{.method = "GET", .path = path};
  for (bool has_renewed = false;;) {
    impl_->pass_limit(call.priority);
    auto request = impl_->prepare(call);
    if (!request) return std::unexpected(std::move(request).error());
    request->timeout = time_limit;
    auto reply = impl_->http->send(*request);
    if (!reply) return std::unexpected(impl_->no_answer(call, reply.error()));
    if (reply->status / 100 == 5 && net::text_at(net::parse_json(reply->body), "kind") == "Status")
      return std::unexpected(impl_->refusal(call, *reply));
    if (reply->status != 401 || std::exchange(has_renewed, true) || !impl_->credentials.renew())
      return *std::move(reply);
  }
}

ApiResult<std::string> Client::create(const std::string& path, std::string body, Priority priority) {
  return impl_->run(
      {.method = "POST", .path = path, .body = std::move(body), .content_type = kJson, .priority = priority});
}

ApiResult<std::string> Client::put(const std::string& path, std::string body, Priority priority) {
  return impl_->run(
      {.method = "PUT", .path = path, .body = std::move(body), .content_type = kJson, .priority = priority});
}

ApiResult<std::string> Client::patch(const std::string& path, PatchKind kind, std::string body, Priority priority,
                                     Detail detail) {
  return impl_->run({.method = "PATCH",
                     .path = path,
                     .body = std::move(body),
                     .content_type = content_type_of(kind),
                     .priority = priority,
                     .detail = detail});
}

ApiResult<std::string> Client::patch_once(const std::string& path, PatchKind kind, std::string body,
                                          Priority priority) {
  return impl_->run({.method = "PATCH",
                     .path = path,
                     .body = std::move(body),
                     .content_type = content_type_of(kind),
                     .priority = priority,
                     .is_once = true});
}

ApiResult<std::string> Client::remove(const std::string& path, Priority priority, std::string options) {
  const std::string_view content_type = options.empty() ? std::string_view() : kJson;
  return impl_->run({.method = "DELETE",
                     .path = path,
                     .body = std::move(options),
                     .content_type = content_type,
                     .priority = priority});
}

ApiResult<std::string> Client::apply_status(const std::string& object_path, std::string_view manager,
                                            std::string body) {
  const std::string path = with_parameter(object_path + "/status", "fieldManager", manager) + "&force=true";
  return patch(path, PatchKind::apply, std::move(body), Priority::normal, Detail::metadata);
}

ApiResult<std::string> Client::list_page(const std::string& path, const std::string& continue_token, Detail detail) {
  std::string page = with_parameter(path, "limit", cat(impl_->settings.list_limit));
  if (!continue_token.empty()) page = with_parameter(page, "continue", continue_token);
  return impl_->run({.method = "GET", .path = page, .detail = detail});
}

ApiResult<ObjectList> Client::list(const std::string& path, Detail detail) {
  ObjectList list;
  std::string token;
  bool has_restarted = false;
  while (true) {
    const auto body = list_page(path, token, detail);
    if (!body) {
      if (body.error().failure != Failure::gone || token.empty() || std::exchange(has_restarted, true))
        return std::unexpected(body.error());
      list = {};
      token.clear();
      continue;
    }
    const json page = net::parse_json(*body);
    const json& items = net::json_at(page, "items");
    if (!page.is_object() || !(items.is_array() || items.is_null())) {
      return std::unexpected(ApiError{
          .failure = Failure::server,
          .status = 200,
          .message = cat(impl_->place({.method = "GET", .path = path}), ": the answer is no list of objects")});
    }
    for (const json& item : items) list.items.push_back(net::json_text(item));
    list.resource_version = net::text_at(page, "metadata", "resourceVersion");
    token = net::text_at(page, "metadata", "continue");
    if (token.empty()) return list;
  }
}

ApiResult<void> Client::stream(const std::string& path, const std::stop_token& stop,
                               const std::function<bool(std::string_view)>& on_line,
                               const std::function<void()>& on_open) {
  const Impl::Call call{.method = "GET", .path = path};
  for (bool has_renewed = false;;) {
    impl_->pass_limit(call.priority);
    auto request = impl_->prepare(call);
    if (!request) return std::unexpected(std::move(request).error());
    const auto reply = impl_->http->stream_lines(*request, impl_->settings.longest_idle, stop, on_line, on_open);
    if (!reply) {
      if (reply.error().kind == net::HttpFailure::Kind::stopped) return {};
      return std::unexpected(impl_->no_answer(call, reply.error()));
    }
    if (reply->status / 100 == 2) return {};
    ApiError error = impl_->refusal(call, *reply);
    if (error.failure != Failure::unauthorized || std::exchange(has_renewed, true) || !impl_->credentials.renew())
      return std::unexpected(std::move(error));
  }
}

}  // namespace mpca::kube
