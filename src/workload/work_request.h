// What one request to /work asks for: CPU, sleep, a payload, errors. The reference lab's query, its limits and its
// order.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.h"

namespace mpca::workload {

struct WorkRequest {
  int cpu_ms = 0;                 // 0..5000: wall milliseconds of burning
  int sleep_ms = 0;               // 0..5000
  int jitter_ms = 0;              // 0..5000: a uniform integer below it is slept on top
  std::size_t payload_bytes = 0;  // 0..1048576: the body is so many letters a, when not 0
  double err_rate = 0.0;          // [0, 1]: probability of the answer 500
  std::string id;                 // of the caller's choice, for the log

  bool operator==(const WorkRequest&) const = default;
};

/// Reads a query as sent. Of a parameter given twice the first counts; an empty value is the default; unknown
/// parameters and pairs that are no percent-encoding are passed over; integers beyond their limits are clamped.
///
///   max_id_bytes  `id` is cut to so many
///   errors        invalid_argument  the first parameter that is no number, or an err_rate outside [0, 1], by its name
Result<WorkRequest> parse_work_query(std::string_view query, std::size_t max_id_bytes);

/// `%2F` and, in a query, `+`; nothing when a `%` is not followed by two hexadecimal digits.
///   errors   invalid_argument
Result<std::string> decode_percent(std::string_view text, bool plus_is_space);

}  // namespace mpca::workload
