#include "prom/client.h"

#include <algorithm>

#include "core/text.h"
#include "net/base64.h"
#include "net/url.h"
#include "prom/promql.h"

namespace mpca::prom {
namespace {

bool is_dns_label(std::string_view text) {
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= 63 && is_plain(text.front()) && is_plain(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return is_plain(c) || c == '-'; });
}

std::string whole_milliseconds(Duration duration) {
  return cat(std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()), "ms");
}

/// Seconds with what is left of the nanoseconds to the millisecond, which is all that Prometheus keeps.
std::string unix_time(TimePoint time) {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const std::int64_t magnitude = since < 0 ? -since : since;
  const std::string thousandths = cat(1000 + magnitude % 1000);
  return cat(since < 0 ? "-" : "", magnitude / 1000, ".", thousandths.substr(1));
}

std::vector<Series>* series_of(Answer& answer) {
  if (auto* values = std::get_if<Values>(&answer)) return &values->series;
  if (auto* partial = std::get_if<Partial>(&answer)) return &partial->series;
  return nullptr;
}

void add_reason(Answer& answer, std::string reason) {
  if (auto* values = std::get_if<Values>(&answer)) {
    std::vector<Series> series = std::move(values->series);
    answer = Partial{std::move(series), values->age, {}};
  }
  std::get<Partial>(answer).reasons.push_back(std::move(reason));
}

void set_age(Answer& answer, Duration age) {
  if (auto* values = std::get_if<Values>(&answer)) values->age = age;
  if (auto* partial = std::get_if<Partial>(&answer)) partial->age = age;
}

}  // namespace

PrometheusClient::PrometheusClient(const ClientSettings& settings, Transport& transport, Clock& clock,
                                   RandomStream& random)
    : settings_(settings), transport_(transport), clock_(clock), random_(random) {
  while (settings_.path_prefix.ends_with('/')) settings_.path_prefix.pop_back();
}

Answer PrometheusClient::instant(const InstantQuery& query) {
  Answer answer = ask("/api/v1/query", {{"query", query.promql}});
  if (series_of(answer) == nullptr) return answer;
  if (!query.age_promql.empty()) {
    const Answer asked = ask("/api/v1/query", {{"query", query.age_promql}});
    if (std::holds_alternative<Failed>(asked)) return asked;
    const auto seconds = one_number(asked, "its age");
    // A clock set back between the scrape and now gives a little less than zero.
    if (!seconds || !(*seconds < 1e9)) {
      add_reason(answer, seconds ? std::string("its age is not credible") : seconds.error().message);
    } else if (const Duration age = from_seconds(std::max(0.0, *seconds));
               query.max_age > Duration::zero() && age > query.max_age) {
      return Stale{std::move(*series_of(answer)), age};
    } else {
      set_age(answer, age);
    }
  }
  if (query.expected_pods > 0) {
    double pods = static_cast<double>(series_of(answer)->size());
    if (!query.count_promql.empty()) {
      const Answer asked = ask("/api/v1/query", {{"query", query.count_promql}});
      if (std::holds_alternative<Failed>(asked)) return asked;
      // PromQL's count of nothing is nothing.
      pods = one_number(asked, "").value_or(0.0);
    }
    if (pods < query.expected_pods) add_reason(answer, cat(pods, " of ", query.expected_pods, " pods"));
  }
  return answer;
}

Answer PrometheusClient::range(const RangeQuery& query) {
  if (query.end < query.start || query.step < std::chrono::milliseconds(1)) {
    return Failed{.kind = FailureKind::query,
                  .status = 0,
                  .error = {ErrorCode::invalid_argument, "a range has to end after its start, in steps of >= 1ms"}};
  }
  Answer answer = ask("/api/v1/query_range", {{"query", query.promql},
                                              {"start", unix_time(query.start)},
                                              {"end", unix_time(query.end)},
                                              {"step", whole_milliseconds(query.step)}});
  std::vector<Series>* const series = series_of(answer);
  if (series == nullptr) return answer;
  TimePoint newest = TimePoint::min();
  for (const Series& one : *series) newest = std::max(newest, one.points.back().time);
  if (!series->empty()) {
    const Duration age = std::max(Duration::zero(), Duration(query.end - newest));
    if (query.max_age > Duration::zero() && age > query.max_age) return Stale{std::move(*series), age};
    set_age(answer, age);
  }
  const std::size_t count = series->size();
  if (count < query.expected_series) add_reason(answer, cat(count, " of ", query.expected_series, " series"));
  return answer;
}

Answer PrometheusClient::ask(std::string_view endpoint, Parameters parameters) {
  const TimePoint deadline = clock_.now() + settings_.time_limit;
  const std::string query = parameters.front().second;
  Duration longest_pause = settings_.backoff;
  for (int number = 1;; ++number) {
    const Duration limit = std::min(settings_.try_limit, Duration(deadline - clock_.now()));
    Answer answer = try_once(endpoint, parameters, limit);
    auto* const failed = std::get_if<Failed>(&answer);
    if (failed == nullptr) return answer;
    failed->tries = number;
    const Duration pause = from_seconds(random_.uniform() * to_seconds(longest_pause));
    const TimePoint next = clock_.now() + pause;
    if (!failed->is_worth_another_try || number >= settings_.tries || next >= deadline) {
      failed->error.message = cat("query ", query, ": ", failed->error.message);
      return answer;
    }
    clock_.sleep_until(next);
    longest_pause = std::min(2 * longest_pause, settings_.longest_backoff);
  }
}

Answer PrometheusClient::try_once(std::string_view endpoint, const Parameters& parameters, Duration limit) {
  std::string form;
  for (const auto& [name, value] : parameters) form += cat(name, "=", net::percent_encoded(value), "&");
  form += cat("timeout=", whole_milliseconds(limit));
  Request request{.path = cat(settings_.path_prefix, endpoint), .time_limit = limit};
  if (request.path.size() + 1 + form.size() > settings_.post_from_bytes) {
    request.method = "POST";
    request.content_type = "application/x-www-form-urlencoded";
    request.body = std::move(form);
  } else {
    request.path += cat("?", form);
  }
  if (settings_.authorization) {
    if (std::string value = settings_.authorization(); !value.empty())
      request.headers.emplace_back("Authorization", std::move(value));
  }
  auto reply = transport_.request(request);
  if (reply) return parse_answer(reply->status, reply->body);
  const bool again = reply.error().code == ErrorCode::io;
  return Failed{.kind = FailureKind::no_answer, .error = std::move(reply.error()), .is_worth_another_try = again};
}

std::string bearer(std::string_view token) { return cat("Bearer ", token); }

std::string basic(std::string_view user, std::string_view password) {
  return cat("Basic ", net::base64_encoded(cat(user, ":", password)));
}

Result<std::string> service_proxy_path(std::string_view name_space, std::string_view scheme, std::string_view service,
                                       std::string_view port) {
  Problems problems;
  if (!is_dns_label(name_space)) problems.add(cat("namespace is \"", name_space, "\"; must be a DNS label"));
  if (scheme != "http" && scheme != "https") problems.add(cat("scheme is \"", scheme, "\"; must be http or https"));
  if (!is_dns_label(service)) problems.add(cat("service is \"", service, "\"; must be a DNS label"));
  if (!is_dns_label(port)) problems.add(cat("port is \"", port, "\"; must be a number or a port's name"));
  MPCA_TRY_VOID(problems.to_result());
  return cat("/api/v1/namespaces/", name_space, "/services/", scheme, ":", service, ":", port, "/proxy");
}

Result<std::string> prometheus_proxy_path(std::string_view name_space, std::string_view service_and_port) {
  const std::size_t colon = service_and_port.find(':');
  return service_proxy_path(name_space, "http", service_and_port.substr(0, colon),
                            colon == std::string_view::npos ? "9090" : service_and_port.substr(colon + 1));
}

}  // namespace mpca::prom
