// An instant query of a Prometheus server that has to have one number as its answer.
// prometheus.io/docs/prometheus/latest/querying/api/#instant-queries.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "net/http_client.h"

namespace mpca::prom {

/// The value of `promql` at `base_url` (`http://127.0.0.1:9090`, or with a path before `/api/v1/query`).
///
///   errors   not_enough_data   an empty answer, NaN or an infinity: a missing metric is not a zero load
///            invalid_argument  Prometheus refuses the query (its words), or more than one series
///            io                no answer, or not Prometheus' JSON
Result<double> instant_query(net::HttpClient& client, const std::string& base_url, std::string_view promql);

/// `text` as it may stand between double quotes in PromQL.
std::string escape_label_value(std::string_view text);

}  // namespace mpca::prom
