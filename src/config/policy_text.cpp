#include "config/policy_text.h"

#include <algorithm>

#include "config/calendar_file.h"
#include "config/hpa_object.h"
#include "core/os/file.h"
#include "core/text.h"
#include "policy/hpa/hpa_settings.h"
#include "policy/predictive/prior.h"

namespace mpca::config {

namespace {

constexpr std::size_t kLargestPrior = 1U << 20;

Result<std::string> with_hpa_object(std::string_view settings) {
  const std::size_t comma = settings.find(',');
  const std::string path(settings.substr(1, comma == std::string_view::npos ? comma : comma - 1));
  if (path.empty()) return invalid("hpa:@ needs the name of a file with a HorizontalPodAutoscaler");
  MPCA_TRY(const HpaObject object, load_hpa_object(path));
  MPCA_TRY(const std::string written, policy::hpa_settings_text(object.spec, path));
  return cat(written, comma == std::string_view::npos ? std::string_view{} : settings.substr(comma));
}

Result<std::string> calendar_text(const std::string& path) {
  MPCA_TRY(const policy::Calendar calendar, load_calendar(path));
  return calendar.text();
}

Result<std::string> prior_text(const std::string& path) {
  MPCA_TRY(const std::string text, os::read_file(path, kLargestPrior));
  MPCA_TRY(const std::vector<policy::CandidateBooks> books, policy::parse_prior_file(text, path));
  return policy::prior_text(books);
}

Result<std::string> own_hpa_text(const std::string& path) {
  MPCA_TRY(const HpaObject object, load_hpa_object(path));
  MPCA_TRY(std::string written, policy::hpa_settings_text(object.spec, path));
  return own_hpa_setting(std::move(written));
}

/// A setting of predictive whose value may be that of a file.
struct FileSetting {
  std::string_view key;
  Result<std::string> (*read)(const std::string& path);
};
constexpr FileSetting kFileSettings[] = {{"calendar", calendar_text}, {"hpa", own_hpa_text}, {"prior", prior_text}};

/// With those of the form KEY=@FILE written out.
Result<std::string> with_files_written_out(std::string_view settings) {
  std::string written;
  for (const std::string_view part : split(settings, ',')) {
    if (!written.empty()) written += ",";
    std::string each(part);
    for (const FileSetting& setting : kFileSettings) {
      const std::string start = cat(setting.key, "=@");
      if (!trim(part).starts_with(start)) continue;
      const std::string path(trim(trim(part).substr(start.size())));
      if (path.empty()) return invalid(cat(start, " needs the name of a ", setting.key, " file"));
      MPCA_TRY(const std::string text, setting.read(path));
      each = cat(setting.key, "=", text);
    }
    written += each;
  }
  return written;
}

}  // namespace

std::string own_hpa_setting(std::string hpa_settings) {
  std::replace(hpa_settings.begin(), hpa_settings.end(), ',', '+');
  return hpa_settings;
}

Result<std::string> resolve_policy_text(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::string(text);
  const std::string_view name = trim(text.substr(0, colon)), settings = trim(text.substr(colon + 1));
  if (name == "hpa" && settings.starts_with('@')) {
    MPCA_TRY(const std::string written, with_hpa_object(settings));
    return cat("hpa:", written);
  }
  if (name == "predictive" && settings.find('@') != std::string_view::npos) {
    MPCA_TRY(const std::string written, with_files_written_out(settings));
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
