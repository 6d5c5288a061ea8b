// What a Prometheus answered, with everything that is no number told apart from zero: no series, NaN, old, incomplete,
// failed. Who reads an Answer has to say what each of them means to him; an outage read as zero load has scaled real
// clusters to nothing.
// prometheus.io/docs/prometheus/latest/querying/api.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace mpca::prom {

struct Point {
  TimePoint time;
  double value = 0.0;
  bool operator==(const Point&) const = default;
};

struct Series {
  std::vector<std::pair<std::string, std::string>> labels;  // by name
  std::vector<Point> points;                                // n >= 1, all finite, by time; one from an instant query
  bool operator==(const Series&) const = default;
};

/// n >= 1 series, and nothing is known against them.
struct Values {
  std::vector<Series> series;
  std::optional<Duration> age;     // of the newest sample behind them, where it was asked for
  std::vector<std::string> notes;  // Prometheus' infos (about the query, not about missing data); gaps of a range
};

/// The query matches no series.
struct Empty {};

/// Series, but not one number: NaN (as 0/0 gives) or an infinity.
struct NotFinite {
  std::string text;  // the first one, as Prometheus wrote it
};

/// Values that are older than the caller allows.
struct Stale {
  std::vector<Series> series;
  Duration age{};
};

/// Some of it: Prometheus warns, series of pods are missing, some are NaN, or nothing says how old they are. A sum of
/// these is a lower bound.
struct Partial {
  std::vector<Series> series;
  std::optional<Duration> age;
  std::vector<std::string> reasons;  // n >= 1
};

enum class FailureKind {
  no_answer,       // refused, timed out, cut off
  http_status,     // an error of something in between: a proxy, an API server
  not_permitted,   // 401, 403
  not_prometheus,  // the answer is no JSON of that API
  query,           // Prometheus refuses this query: it will not get better
  server,          // Prometheus could not answer it now: timeout, unavailable, internal
};

struct Failed {
  FailureKind kind = FailureKind::no_answer;
  int status = 0;  // of HTTP; 0 without an answer
  Error error;     // invalid_argument for `query` and for a request that cannot be made, else io
  bool is_worth_another_try = false;
  int tries = 1;
};

using Answer = std::variant<Values, Empty, NotFinite, Stale, Partial, Failed>;

/// The answer as it stands in one HTTP reply: Values, Empty, NotFinite, Partial or Failed. Of an instant vector, a
/// scalar or a matrix; NaN and infinite points of a matrix are gaps, of which Values::notes tells.
///   cost     O(n); about ten times the body's size in memory
Answer parse_answer(int status, std::string_view body);

/// The number of an answer of one series of one point, of Values only.
///   what     of the message: `query up`
///   errors   not_enough_data   Empty, NotFinite, Stale, Partial
///            invalid_argument  several series or points, or a query that Prometheus refuses
///            io                Failed otherwise
Result<double> one_number(const Answer& answer, std::string_view what);

}  // namespace mpca::prom
