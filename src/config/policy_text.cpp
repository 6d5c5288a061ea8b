#include "config/policy_text.h"

#include "config/calendar_file.h"
#include "config/hpa_object.h"
#include "core/text.h"
#include "policy/hpa/hpa_settings.h"

namespace mpca::config {

namespace {

Result<std::string> with_hpa_object(std::string_view settings) {
  const std::size_t comma = settings.find(',');
  const std::string path(settings.substr(1, comma == std::string_view::npos ? comma : comma - 1));
  if (path.empty()) return invalid("hpa:@ needs the name of a file with a HorizontalPodAutoscaler");
  MPCA_TRY(const HpaObject object, load_hpa_object(path));
  MPCA_TRY(const std::string written, policy::hpa_settings_text(object.spec, path));
  return cat(written, comma == std::string_view::npos ? std::string_view{} : settings.substr(comma));
}

/// With `calendar=@FILE` written out.
Result<std::string> with_calendar(std::string_view settings) {
  constexpr std::string_view kKey = "calendar=@";
  std::string written;
  for (const std::string_view part : split(settings, ',')) {
    const std::string_view setting = trim(part);
    if (!written.empty()) written += ",";
    if (!setting.starts_with(kKey)) {
      written += part;
      continue;
    }
    const std::string path(trim(setting.substr(kKey.size())));
    if (path.empty()) return invalid("calendar=@ needs the name of a calendar file");
    MPCA_TRY(const policy::Calendar calendar, load_calendar(path));
    written += cat("calendar=", calendar.text());
  }
  return written;
}

}  // namespace

Result<std::string> resolve_policy_text(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::string(text);
  const std::string_view name = trim(text.substr(0, colon)), settings = trim(text.substr(colon + 1));
  if (name == "hpa" && settings.starts_with('@')) {
    MPCA_TRY(const std::string written, with_hpa_object(settings));
    return cat("hpa:", written);
  }
  if (name == "predictive" && settings.find('@') != std::string_view::npos) {
    MPCA_TRY(const std::string written, with_calendar(settings));
    return cat("predictive:", written);
  }
  return std::string(text);
}

Result<std::vector<std::string>> resolve_policy_texts(const std::vector<std::string>& texts) {
  std::vector<std::string> resolved;
  Problems problems;
  for (const std::string& text : texts) {
    auto each = resolve_policy_text(text);
    if (each) {
      resolved.push_back(*std::move(each));
    } else {
      problems.add(cat("--policy: ", each.error().message));
    }
  }
  MPCA_TRY_VOID(problems.to_result());
  return resolved;
}

}  // namespace mpca::config
