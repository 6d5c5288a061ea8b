// Policy texts as people give them on the command line, made complete: `hpa:@web.yaml` and
// `predictive:calendar=@sales.yaml` name files, and a pure policy reads none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace mpca::config {

/// `hpa:@FILE[,key=value…]` with the file's HorizontalPodAutoscaler written out (`hpa:metrics=cpu:60%,min=2,…`), and
/// `predictive:calendar=@FILE,prior=@FILE[,…]` with the calendar's events and days (policy/predictive/calendar.h) and
/// the prior's rows (policy/predictive/prior.h), so that a log which names the policy repeats it without the file; any
/// other text as it is.
///
///   errors   not_found, io, invalid_argument  of the file, each line with its name
///            unsupported  the object looks at a metric that no world shows
Result<std::string> resolve_policy_text(std::string_view text);

/// Settings of the policy `hpa` as the value of predictive's `hpa`: with + where commas would end it.
std::string own_hpa_setting(std::string hpa_settings);

/// Of each text; all problems at once.
Result<std::vector<std::string>> resolve_policy_texts(const std::vector<std::string>& texts);

}  // namespace mpca::config
