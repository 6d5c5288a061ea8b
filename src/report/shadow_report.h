// What a policy that only watched would have done, beside whoever was in charge: both bills, how late both were, when
// they differed most and why. The figures are those of policy/shadow_books.h, which says what they leave out; the
// status of a shadowed workload has the same ones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "policy/shadow_books.h"
#include "report/comparison.h"
#include "report/costs.h"
#include "report/run_decisions.h"
#include "report/thin_series.h"
#include "runlog/decision_log.h"

namespace mpca::report {

/// What one replica asks for: what is paid.
struct ReplicaSize {
  double vcpu = kReplicaVcpu;
  double memory_gib = kReplicaMemoryGib;
};

/// A stretch of time in which both differed.
struct ShadowMoment {
  TimePoint from, to;
  double replicas = 0.0, would_be_replicas = 0.0;  // asked for, means
  double late_share = 0.0, would_be_late_share = 0.0;
  TimePoint at;          // where they differed most in it
  std::string sentence;  // of the decision then
};

struct ShadowReport {
  std::string workload;
  runlog::DecisionLogHeader header;
  std::int64_t decisions = 0;
  policy::ShadowFigures figures;
  std::vector<ShadowMoment> moments;  // in time
  TraceComparison chart;              // the run in charge, then the would-be one
};

/// Takes the decisions of one workload in order.
class ShadowReporter {
 public:
  ///   decisions   how many will come, about: what is drawn is thinned by that
  ShadowReporter(std::string workload, const runlog::DecisionLogHeader& header, std::int64_t decisions);

  void add(const runlog::DecisionRecord& record);

  /// All that was added. Call it once.
  ShadowReport finish();

 private:
  struct Window {
    ShadowMoment moment;
    double length_s = 0.0;
    double demand = 0.0, late = 0.0, would_be_late = 0.0;  // requests
    double bill = 0.0;  // by which both differ, replica-seconds: late ones at their price
    int greatest = -1;  // difference of replicas
  };
  void book(const policy::ShadowEntry& entry, const runlog::DecisionRecord& record);
  std::vector<ShadowMoment> moments();

  ShadowReport report_;
  policy::ShadowBooks books_;
  Duration window_length_;
  std::vector<Window> windows_;
  SeriesThinner in_charge_, would_be_;
  DecisionKeeper keeper_;
};

/// For a terminal.
std::string shadow_text(const ShadowReport& report, const std::vector<Provider>& providers, const ReplicaSize& size);

/// A page that needs nothing else, as to_html() makes it.
std::string shadow_html(const ShadowReport& report, const std::vector<Provider>& providers, const ReplicaSize& size,
                        std::string_view command);

}  // namespace mpca::report
