#include "config/policy_text.h"

#include "config/hpa_object.h"
#include "core/text.h"
#include "policy/hpa/hpa_settings.h"

namespace mpca::config {

Result<std::string> resolve_policy_text(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || trim(text.substr(0, colon)) != "hpa") return std::string(text);
  const std::string_view settings = trim(text.substr(colon + 1));
  if (!settings.starts_with('@')) return std::string(text);
  const std::size_t comma = settings.find(',');
  const std::string path(settings.substr(1, comma == std::string_view::npos ? comma : comma - 1));
  if (path.empty()) return invalid("hpa:@ needs the name of a file with a HorizontalPodAutoscaler");
  MPCA_TRY(const HpaObject object, load_hpa_object(path));
  MPCA_TRY(const std::string written, policy::hpa_settings_text(object.spec, path));
  return cat("hpa:", written, comma == std::string_view::npos ? std::string_view{} : settings.substr(comma));
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
