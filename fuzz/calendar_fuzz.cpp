// A calendar from anywhere: the file for people (YAML or JSON) and the text of a policy. What is read is written as a
// text that reads back as the same, and answers for any time without a crash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/calendar_file.h"
#include "policy/predictive/calendar.h"

namespace {

void look_at(const mpca::policy::Calendar& calendar) {
  using std::chrono::hours;
  const std::string text = calendar.text();
  const auto again = mpca::policy::Calendar::parse(text);
  if (!again || again->text() != text) std::abort();
  for (const mpca::TimePoint time : {mpca::TimePoint{}, mpca::TimePoint(hours(500'000)), mpca::TimePoint::min()}) {
    const auto outlook = calendar.outlook(time, mpca::TimePoint(hours(600'000)));
    if (!(outlook.least_factor <= calendar.factor_at(time) && calendar.factor_at(time) <= outlook.greatest_factor))
      std::abort();
    (void)calendar.event_within(time, mpca::TimePoint::max());
  }
  (void)calendar.special_days();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto file = mpca::config::parse_calendar(text, "fuzz")) look_at(*file);
  if (const auto inline_text = mpca::policy::Calendar::parse(text)) look_at(*inline_text);
  return 0;
}
