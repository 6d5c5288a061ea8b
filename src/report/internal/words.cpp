#include "report/internal/words.h"

#include <cmath>
#include <cstddef>

#include "core/text.h"

namespace mpca::report::internal {

std::string words_of_duration(double seconds) {
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 60) return cat(shortest(std::round(seconds * 1000) / 1000), " s");
  if (whole < 3600) return cat(whole / 60, " min", whole % 60 ? cat(" ", whole % 60, " s") : "");
  if (whole < 86400) return cat(whole / 3600, " h", whole % 3600 / 60 ? cat(" ", whole % 3600 / 60, " min") : "");
  return cat(whole / 86400, " d", whole % 86400 / 3600 ? cat(" ", whole % 86400 / 3600, " h") : "");
}

std::string words_of_latency(double milliseconds) {
  if (!std::isfinite(milliseconds)) return "n/a";
  if (milliseconds < 9.95) return fixed(milliseconds, 1) + " ms";
  if (milliseconds < 999.5) return fixed(milliseconds, 0) + " ms";
  return fixed(milliseconds / 1000.0, milliseconds < 9995.0 ? 2 : 1) + " s";
}

std::string words_of_share(double share) {
  const std::string text = fixed(100.0 * share, 1);
  if (share > 0.0 && text == "0.0") return "under 0.1%";
  if (share < 1.0 && text == "100.0") return "over 99.9%";
  return text + "%";
}

std::string listed(std::span<const std::string> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += cat(i == 0 ? "" : i + 1 == names.size() ? " and " : ", ", names[i]);
  return text;
}

}  // namespace mpca::report::internal
