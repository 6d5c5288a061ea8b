#include "report/shadow_report.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <deque>

#include "core/os/file.h"
#include "core/random.h"
#include "core/text.h"

namespace mpca::report {
namespace {

using namespace std::chrono_literals;

/// A service of 10 requests/s a pod whose HPA is in charge: pods are Ready 40 s after they were asked for, demand is a
/// wave of two hours with a rush of twelve minutes, and what pods cannot serve fails.
class ShadowedService {
 public:
  explicit ShadowedService(const std::string& policy) {
    header_.policy = policy;
    header_.program = "test";
    header_.workload = {.capacity_rps = 10.0, .min_replicas = 2, .max_replicas = 60};
    hpa_ = policy::create_policy("hpa:target=60,cpu-request=1", header_.workload, "test").value();
    shadow_ = policy::create_policy(policy, header_.workload, "test").value();
  }

  runlog::DecisionRecord next() {
    now_ += 15s;
    while (!asked_.empty() && now_ - asked_.front() >= 40s) {
      asked_.pop_front();
      ++ready_;
    }
    const double second = 15.0 * index_++;
    const bool is_rush = second > 10'000 && second < 10'720;
    const double demand_rps =
        100.0 + 60.0 * std::sin(second * 2.0 * 3.14159 / 7200.0) + (is_rush ? 150.0 : 0.0) + 3.0 * random_.normal();
    const double served_rps = std::min(demand_rps, 10.0 * ready_);
    policy::Observation seen;
    seen.now = now_;
    seen.ready_replicas = ready_;
    seen.spec_replicas = ready_ + static_cast<int>(asked_.size());
    for (const TimePoint asked : asked_) seen.starting_pod_ages.push_back(now_ - asked);
    seen.served_rate_rps = policy::Signal::fresh(served_rps, 5s);
    seen.failed_rate_rps = policy::Signal::fresh(demand_rps - served_rps, 5s);
    seen.in_flight_requests = policy::Signal::fresh(std::round(served_rps * 0.1), 5s);
    seen.cpu_cores = policy::Signal::fresh(served_rps * 0.1, 5s);
    runlog::DecisionRecord record{seen, shadow_->decide(seen)};
    hold(hpa_->decide(seen).replicas);
    return record;
  }
  const runlog::DecisionLogHeader& header() const { return header_; }

 private:
  void hold(int replicas) {
    while (ready_ + static_cast<int>(asked_.size()) < replicas) asked_.push_back(now_);
    while (ready_ + static_cast<int>(asked_.size()) > replicas) {
      if (asked_.empty()) {
        --ready_;
      } else {
        asked_.pop_back();
      }
    }
  }

  runlog::DecisionLogHeader header_;
  std::unique_ptr<policy::Policy> hpa_, shadow_;
  RandomStream random_{1, "shadowed"};
  TimePoint now_ = TimePoint(490'800h);
  std::deque<TimePoint> asked_;
  int index_ = 0, ready_ = 20;
};

ShadowReport report_of(const std::string& policy, int decisions, policy::ShadowFigures* books_figures = nullptr) {
  ShadowedService service(policy);
  ShadowReporter reporter("shop/web <b>", service.header(), decisions);
  policy::ShadowBooks books(service.header().workload);
  for (int i = 0; i < decisions; ++i) {
    const runlog::DecisionRecord record = service.next();
    reporter.add(record);
    books.observe(record.observation, record.decision);
  }
  if (books_figures != nullptr) *books_figures = books.figures();
  return reporter.finish();
}

TEST(ShadowReport, ItsFiguresAreThoseOfTheBooks) {
  policy::ShadowFigures books;
  const ShadowReport report = report_of("predictive", 1440, &books);
  EXPECT_EQ(report.decisions, 1440);
  EXPECT_EQ(report.figures.replica_hours, books.replica_hours);
  EXPECT_EQ(report.figures.would_be_replica_hours, books.would_be_replica_hours);
  EXPECT_EQ(report.figures.late_requests, books.late_requests);
  EXPECT_EQ(report.figures.would_be_late_requests, books.would_be_late_requests);
  EXPECT_GT(books.late_requests, 0.0) << "the rush";
}

// By hand: an HPA of 10 to 30 replicas, and one who always holds 40, and is never late.
TEST(ShadowReport, TellsBothBillsAndWhenTheyDifferedMost) {
  const ShadowReport report = report_of("static:40", 1440);
  EXPECT_NEAR(report.figures.would_be_replica_hours, 40 * 1439 * 15 / 3600.0, 1e-6);
  ASSERT_EQ(report.moments.size(), 6U);
  for (std::size_t i = 0; i < report.moments.size(); ++i) {
    EXPECT_EQ(report.moments[i].would_be_replicas, 40.0);
    EXPECT_LE(report.moments[i].from, report.moments[i].at);
    EXPECT_GE(report.moments[i].to, report.moments[i].at);
    if (i > 0) {
      EXPECT_LE(report.moments[i - 1].to, report.moments[i].from);
    }
    EXPECT_NE(report.moments[i].sentence.find("40 replicas"), std::string::npos) << report.moments[i].sentence;
  }
  const std::string text = shadow_text(report, providers(0, 0), {});
  EXPECT_NE(text.find("It would have paid "), std::string::npos) << text;
  EXPECT_NE(text.find("% more and been late for "), std::string::npos) << text;
  EXPECT_NE(text.find("replica-hours [h]"), std::string::npos) << text;
  EXPECT_NE(text.find("239.8"), std::string::npos) << "40 x 1439 periods of 15 s, in hours: " << text;
  EXPECT_NE(text.find("Where they differed most:"), std::string::npos) << text;
  EXPECT_NE(text.find("were not carried out"), std::string::npos) << text;
}

// 0.1 vCPU at 0.04048 USD and 0.0625 GiB at 0.004445 USD an hour; twice the replica costs twice as much.
TEST(ShadowReport, CostsAreThoseOfReplicasOfThatSize) {
  const ShadowReport report = report_of("static:40", 241);
  EXPECT_NEAR(report.figures.would_be_replica_hours, 40.0, 1e-9);
  const double once = 40.0 * usd_per_replica_hour();
  EXPECT_NE(shadow_text(report, providers(0, 0), {}).find(fixed(once, 2)), std::string::npos);
  const std::string doubled = shadow_text(report, providers(0, 0), {2 * kReplicaVcpu, 2 * kReplicaMemoryGib});
  EXPECT_NE(doubled.find(fixed(2 * once, 2)), std::string::npos) << doubled;
}

TEST(ShadowReport, ThePageStandsAloneAndNamesAreEscaped) {
  const ShadowReport report = report_of("predictive", 1440);
  const std::string html = shadow_html(report, providers(0, 0), {}, "mpc-autoscaler report shadow records");
  EXPECT_TRUE(html.starts_with("<!doctype html>"));
  EXPECT_EQ(html.find("<b>shop"), std::string::npos);
  EXPECT_EQ(html.find("shop/web <b>"), std::string::npos);
  EXPECT_NE(html.find("shop/web &lt;b&gt;"), std::string::npos);
  EXPECT_EQ(html.find("src='http"), std::string::npos);
  EXPECT_EQ(html.find("href='http"), std::string::npos);
  EXPECT_NE(html.find("Both bills"), std::string::npos);
  EXPECT_NE(html.find("data-trace='0'"), std::string::npos);
  // For the browser test, and for eyes.
  if (const char* path = std::getenv("MPCA_SAMPLE_SHADOW_REPORT")) {
    ASSERT_TRUE(os::write_file(path, html));
  }
}

TEST(ShadowReport, TimeWithoutDecisionsAndDemandThatIsNotKnownAreSaid) {
  ShadowedService service("static:5");  // says no demand
  ShadowReporter reporter("web", service.header(), 100);
  for (int i = 0; i < 100; ++i) {
    runlog::DecisionRecord record = service.next();
    if (i >= 50) record.observation.now += 1h;
    reporter.add(record);
  }
  const std::string text = shadow_text(reporter.finish(), providers(0, 0), {});
  EXPECT_NE(text.find("demand was not known"), std::string::npos) << text;
  EXPECT_NE(text.find("59 min 15 s are not booked"), std::string::npos) << text;
}

}  // namespace
}  // namespace mpca::report
