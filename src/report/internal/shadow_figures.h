// The rows of a shadow report, once for the terminal and for the page.
#pragma once

#include <string>
#include <vector>

#include "report/shadow_report.h"

namespace mpca::report::internal {

struct ShadowRow {
  std::string label;
  std::string unit;
  std::string in_charge, would_be;
  std::string change;   // `-12.3 %`; empty where a share would say nothing
  double larger = 0.0;  // of both, and their shares of it: what a bar shows
  double in_charge_value = 0.0, would_be_value = 0.0;
};

std::vector<ShadowRow> shadow_rows(const ShadowReport& report, const std::vector<Provider>& providers,
                                   const ReplicaSize& size);

/// `It would have paid 12 % less and been late for 0.1% of requests instead of 0.4%.`
std::string shadow_verdict(const ShadowReport& report);

/// What a reader has to know: a sentence each.
std::vector<std::string> shadow_cautions(const ShadowReport& report);

/// `2026-11-26 14:05` UTC.
std::string minute_of(TimePoint time);

}  // namespace mpca::report::internal
