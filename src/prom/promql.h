// Foreign text and times as parts of a PromQL expression.
// github.com/prometheus/prometheus v2.42, promql/parser/lex.go and util/strutil/quote.go.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time.h"

namespace mpca::prom {

/// `text` as it may stand between double quotes: whatever its bytes, it cannot leave them, and Prometheus reads the
/// same bytes back. Control characters, invalid UTF-8 and U+FFFD, which the lexer takes for invalid, become \xHH.
std::string escape_label_value(std::string_view text);

/// A duration of PromQL: `30s`, `1m30s`, `250ms`. Its units are h, m, s, ms; fractions are not in the grammar.
///   what     of the message: `metric-rate-window`
///   errors   invalid_argument  <= 0, or not whole milliseconds
Result<std::string> promql_duration(Duration duration, std::string_view what);

}  // namespace mpca::prom
