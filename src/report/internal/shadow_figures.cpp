#include "report/internal/shadow_figures.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "report/internal/words.h"
#include "trace/timestamps.h"

namespace mpca::report::internal {
namespace {

constexpr double kHoursPerMonth = 730.0;

std::string change_words(double in_charge, double would_be) {
  if (!(in_charge > 0.0)) return "";
  const double change = 100.0 * (would_be / in_charge - 1.0);
  return cat(change > 0.0 ? "+" : "", fixed(change, 1), " %");
}

ShadowRow row_of(std::string label, std::string unit, double in_charge, double would_be, int decimals) {
  return {.label = std::move(label),
          .unit = std::move(unit),
          .in_charge = fixed(in_charge, decimals),
          .would_be = fixed(would_be, decimals),
          .change = change_words(in_charge, would_be),
          .larger = std::max(in_charge, would_be),
          .in_charge_value = in_charge,
          .would_be_value = would_be};
}

}  // namespace

std::vector<ShadowRow> shadow_rows(const ShadowReport& report, const std::vector<Provider>& providers,
                                   const ReplicaSize& size) {
  const policy::ShadowFigures& figures = report.figures;
  const double booked_hours = to_seconds(figures.booked) / 3600.0;
  std::vector<ShadowRow> rows = {
      row_of("replica-hours", "h", figures.replica_hours, figures.would_be_replica_hours, 1),
      row_of("mean replicas", "", figures.replica_hours / std::max(booked_hours, 1e-9),
             figures.would_be_replica_hours / std::max(booked_hours, 1e-9), 2),
      row_of("late requests", "% of demand", 100.0 * figures.late_share(), 100.0 * figures.would_be_late_share(), 3),
      row_of("late requests", "requests", figures.late_requests, figures.would_be_late_requests, 0),
  };
  for (const Provider& provider : providers) {
    const double price = size.vcpu * provider.vcpu_hour + size.memory_gib * provider.memory_gib_hour;
    rows.push_back(row_of(provider.name, provider.currency, price * figures.replica_hours,
                          price * figures.would_be_replica_hours, 2));
    const double months = booked_hours / kHoursPerMonth;
    if (!(months > 0.0)) continue;
    rows.push_back(row_of(provider.name, cat(provider.currency, " a month"), price * figures.replica_hours / months,
                          price * figures.would_be_replica_hours / months, 2));
  }
  return rows;
}

std::string shadow_verdict(const ShadowReport& report) {
  const policy::ShadowFigures& figures = report.figures;
  if (!(figures.replica_hours > 0.0)) return "Nothing was paid for, so there is nothing to compare.";
  const double change = 100.0 * (figures.would_be_replica_hours / figures.replica_hours - 1.0);
  const std::string paid = std::abs(change) < 0.05
                               ? std::string("have paid the same")
                               : cat("have paid ", fixed(std::abs(change), 1), "% ", change < 0.0 ? "less" : "more");
  const std::string late = cat(fixed(100.0 * figures.late_share(), 2), "%");
  const std::string ours = cat(fixed(100.0 * figures.would_be_late_share(), 2), "%");
  return cat("It would ", paid,
             late == ours ? cat(" and been late for as much, ", ours, " of demand")
                          : cat(" and been late for ", ours, " of demand instead of ", late),
             ".");
}

std::vector<std::string> shadow_cautions(const ShadowReport& report) {
  std::vector<std::string> cautions = {
      "Its decisions were not carried out. Demand while the other was overloaded is an estimate, and queues are not "
      "simulated: late is demand beyond what Ready replicas serve."};
  if (report.figures.unknown > Duration::zero())
    cautions.push_back(cat("For ", words_of_duration(to_seconds(report.figures.unknown)),
                           " demand was not known: replicas are booked, and nothing late."));
  const Duration missing = report.figures.until - report.figures.since - report.figures.booked;
  if (missing > report.header.workload.period)
    cautions.push_back(
        cat(words_of_duration(to_seconds(missing)), " are not booked: no decision was recorded in them."));
  return cautions;
}

std::string minute_of(TimePoint time) {
  std::string text = trace::format_rfc3339(std::chrono::floor<std::chrono::minutes>(time)).substr(0, 16);
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text;
}

}  // namespace mpca::report::internal
