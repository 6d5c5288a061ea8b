// The two functions of a registry row, for a policy with a settings struct. `settings_of(Settings&)` is found beside
// it.
#pragma once

#include "policy/policy.h"

namespace mpca::policy {

template <class Settings>
std::vector<SettingInfo> described(Settings defaults) {
  return infos(settings_of(defaults));
}

/// `defaults` with what `text` changes.
template <class Settings>
Result<Settings> read_settings(Settings defaults, std::string_view text, std::string_view where) {
  MPCA_TRY_VOID(set_from_text(settings_of(defaults), text, where));
  return defaults;
}

}  // namespace mpca::policy
