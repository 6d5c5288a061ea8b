// Any bytes as the answer to a live query: an Answer whose numbers are finite, whose series have points in the order of
// time, and which is a number only when Prometheus said success.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "prom/answer.h"

namespace {

void check(const std::vector<mpca::prom::Series>& all) {
  for (const mpca::prom::Series& series : all) {
    MPCA_CHECK(!series.points.empty(), "a series has points");
    for (std::size_t i = 0; i < series.points.size(); ++i) {
      MPCA_CHECK(std::isfinite(series.points[i].value), "values are finite");
      MPCA_CHECK(i == 0 || series.points[i - 1].time < series.points[i].time, "points are in the order of time");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mpca::prom;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Answer answer = parse_answer(200, text);
  if (const auto* values = std::get_if<Values>(&answer)) {
    MPCA_CHECK(!values->series.empty(), "values are of series");
    check(values->series);
  }
  if (const auto* partial = std::get_if<Partial>(&answer)) {
    MPCA_CHECK(!partial->reasons.empty(), "a part has its reasons");
    check(partial->series);
  }
  const auto number = one_number(answer, "query");
  MPCA_CHECK(!number || std::holds_alternative<Values>(answer), "only values are a number");
  MPCA_CHECK(std::holds_alternative<Failed>(parse_answer(500, text)), "an error of HTTP is a failure");
  return 0;
}
