#include "prom/lab_queries.h"

#include "core/text.h"
#include "prom/promql.h"

namespace mpca::prom {

Result<LabQueries> lab_queries(const LabQuerySettings& settings) {
  Problems problems;
  if (settings.name_space.empty()) problems.add("namespace is empty; must be the pods' namespace");
  if (settings.job.empty()) problems.add("job is empty; must be the label `job` of the pods' series");
  const auto window = promql_duration(settings.rate_window, "metric-rate-window");
  if (!window) problems.add(window.error().message);
  MPCA_TRY_VOID(problems.to_result());

  const std::string labels =
      cat("namespace=\"", escape_label_value(settings.name_space), "\",job=\"", escape_label_value(settings.job), "\"");
  const std::string in_flight = cat("toy_in_flight_requests{", labels, "}");
  // Of a pod with one scrape in the window there is no rate, while what it said last is known for minutes: the sum
  // would be that of the others. The gauge tells of scrapes, since a counter may begin with the first request.
  const std::string whole_pods = cat("count(count_over_time(", in_flight, "[", *window, "]) >= 2)");
  const auto query = [&](std::string promql) {
    return InstantQuery{.promql = std::move(promql),
                        .age_promql = cat("time() - max(timestamp(", in_flight, "))"),
                        .count_promql = whole_pods};
  };
  return LabQueries{
      .request_rate_rps = query(cat("sum(rate(toy_http_requests_total{", labels, ",path=\"/work\"}[", *window, "]))")),
      .cpu_cores = query(cat("sum(rate(process_cpu_seconds_total{", labels, "}[", *window, "]))")),
      .in_flight_requests = query(cat("sum(", in_flight, ")"))};
}

}  // namespace mpca::prom
