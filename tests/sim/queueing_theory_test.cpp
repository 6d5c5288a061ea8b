// The request engine against closed forms of queueing theory: pods, balancer and clients set so that the formula's
// model is exactly the engine's. Each figure is the mean of 40 batches of a run with a fixed seed, after a warm-up; it
// has to lie within 4 standard errors of the formula (once in 16,000 figures by chance), and the standard error within
// the share of the formula that the test states, or the test would prove nothing.
//
// Formulas: Kleinrock (1975), Queueing Systems I; Erlang B and C as there. S is the mean service time, rho the
// utilization, lambda the arrival rate.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>

#include "core/text.h"
#include "sim/arrivals.h"
#include "sim/internal/request_engine.h"
#include "sim/internal/request_source.h"
#include "sim/waiting_times.h"

namespace mpca::sim::internal {
namespace {

using namespace std::chrono_literals;

constexpr Duration kForever = 1'000'000s;
constexpr double kS = 0.04;
constexpr double kMu = 1.0 / kS;

struct Queue {
  double arrival_rate_rps = 0.0;
  int pods = 1;
  int slots = 1;
  ServiceKind service = ServiceKind::exponential;
  double cv = 1.0;
  bool waits_at_pod = false;
  BalancerRule balancer = BalancerRule::least_outstanding;
  Duration queue_limit = kForever;
  Duration client_timeout = kForever;
  std::size_t requests = 400'000;
  std::uint64_t seed = 1;
};

struct Figure {
  double mean = 0.0;
  double standard_error = 0.0;
};

/// Of batch means.
Figure figure_of(const std::vector<double>& values) {
  constexpr std::size_t kBatches = 40;
  const std::size_t size = values.size() / kBatches;
  std::vector<double> means;
  for (std::size_t batch = 0; batch < kBatches; ++batch) {
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(batch * size);
    means.push_back(std::accumulate(first, first + static_cast<std::ptrdiff_t>(size), 0.0) / static_cast<double>(size));
  }
  Figure figure;
  figure.mean = std::accumulate(means.begin(), means.end(), 0.0) / kBatches;
  double squares = 0.0;
  for (const double mean : means) squares += (mean - figure.mean) * (mean - figure.mean);
  figure.standard_error = std::sqrt(squares / (kBatches - 1) / kBatches);
  return figure;
}

testing::AssertionResult agrees(const std::vector<double>& values, double formula, double resolution) {
  const Figure figure = figure_of(values);
  const std::string numbers =
      cat("simulated ", figure.mean, " with a standard error of ", figure.standard_error, ", formula ", formula);
  if (figure.standard_error > resolution * formula) return testing::AssertionFailure() << "too coarse: " << numbers;
  if (std::abs(figure.mean - formula) > 4.0 * figure.standard_error) return testing::AssertionFailure() << numbers;
  return testing::AssertionSuccess() << numbers;
}

/// What happened, after the warm-up of a twentieth of the run.
struct Simulated {
  std::vector<double> waits_s;     // of served requests, in the order they ended
  std::vector<double> in_flight;   // looked at every 100 ms
  std::vector<double> is_refused;  // of every request in the order it ended: 1 or 0
  std::vector<double> is_timed_out;
  double utilization = 0.0;

  std::vector<double> waited_longer_than(double seconds) const {
    std::vector<double> is_longer;
    for (const double wait : waits_s) is_longer.push_back(wait > seconds ? 1.0 : 0.0);
    return is_longer;
  }
};

Simulated simulated(const Queue& queue) {
  const auto seconds = static_cast<std::size_t>(static_cast<double>(queue.requests) / queue.arrival_rate_rps);
  const auto arrivals =
      make_arrivals(std::vector(seconds, queue.arrival_rate_rps), ArrivalKind::poisson, {}, queue.seed);
  RequestSource source(arrivals, queue.service, from_seconds(kS), queue.cv);
  RequestEngine engine({.service_time = from_seconds(kS),
                        .equal_services = queue.service == ServiceKind::deterministic,
                        .slots = queue.slots,
                        .waits_at_pod = queue.waits_at_pod,
                        .balancer = queue.balancer,
                        .queue_limit = queue.queue_limit,
                        .client_timeout = queue.client_timeout,
                        .latency_target = 1s},
                       queue.seed);
  for (int pod = 1; pod <= queue.pods; ++pod) engine.add_pod(pod, {});
  std::vector<RequestEnd> log;
  engine.set_log(&log);
  std::vector<RequestArrival> all;
  Simulated run;
  const std::size_t warm_up = seconds / 20;
  Duration busy_before{};
  for (std::size_t second = 0; second < seconds; ++second) {
    if (second == warm_up) busy_before = engine.ready_busy(1s * static_cast<std::int64_t>(second));
    const auto some = source.next_second();
    all.insert(all.end(), some.begin(), some.end());
    engine.offer(some);
    for (int part = 1; part <= 10; ++part) {
      engine.run_until(1s * static_cast<std::int64_t>(second) + 100ms * part);
      if (second >= warm_up) run.in_flight.push_back(static_cast<double>(engine.in_flight()));
    }
    if (second < warm_up) {
      log.clear();
      continue;
    }
    for (const RequestEnd& end : log) {
      run.is_refused.push_back(end.fate == RequestFate::refused ? 1.0 : 0.0);
      run.is_timed_out.push_back(end.fate == RequestFate::timed_out ? 1.0 : 0.0);
      if (end.fate != RequestFate::served) continue;
      const RequestArrival& request = all[end.request];
      run.waits_s.push_back(to_seconds(end.time - request.time - request.service));
    }
    log.clear();
  }
  const Duration end = 1s * static_cast<std::int64_t>(seconds);
  run.utilization = to_seconds(engine.ready_busy(end) - busy_before) /
                    (static_cast<double>(seconds - warm_up) * queue.pods * queue.slots);
  return run;
}

/// P(wait) of M/M/c with `load` erlangs, through Erlang B's recursion.
double erlang_b(int servers, double load) {
  double blocking = 1.0;
  for (int n = 1; n <= servers; ++n) blocking = load * blocking / (n + load * blocking);
  return blocking;
}
double erlang_c(int servers, double load) {
  const double blocking = erlang_b(servers, load);
  return blocking / (1.0 - load / servers * (1.0 - blocking));
}

// rho = 0.8: E[W] = rho S / (1 - rho), P(W > t) = rho exp(-(mu - lambda) t).
TEST(QueueingTheory, OneExponentialServerIsMM1) {
  const Simulated run = simulated({.arrival_rate_rps = 0.8 * kMu, .requests = 800'000});
  EXPECT_TRUE(agrees(run.waits_s, 0.8 * kS / 0.2, 0.02));
  for (const double t : {0.0, 0.1, 0.4})
    EXPECT_TRUE(agrees(run.waited_longer_than(t), 0.8 * std::exp(-0.2 * kMu * t), 0.05)) << "t = " << t;
}

// L = rho / (1 - rho) = 4 in the system, which by Little's law is lambda x E[latency].
TEST(QueueingTheory, LittlesLawHoldsBetweenWhatIsInFlightAndWhatItWaits) {
  const Simulated run = simulated({.arrival_rate_rps = 0.8 * kMu, .requests = 800'000, .seed = 2});
  EXPECT_TRUE(agrees(run.in_flight, 4.0, 0.02));
  std::vector<double> lambda_times_latency;
  for (const double wait : run.waits_s) lambda_times_latency.push_back(0.8 * kMu * (wait + kS));
  EXPECT_TRUE(agrees(lambda_times_latency, 4.0, 0.02));
}

// Pollaczek and Khinchine: E[W] = rho S / (2 (1 - rho)). Arrivals see time averages: P(W > 0) = rho.
TEST(QueueingTheory, OneDeterministicServerIsMD1) {
  for (const double rho : {0.5, 0.9}) {
    const Simulated run =
        simulated({.arrival_rate_rps = rho * kMu, .service = ServiceKind::deterministic, .requests = 800'000});
    EXPECT_TRUE(agrees(run.waits_s, rho * kS / (2.0 * (1.0 - rho)), 0.04)) << "rho = " << rho;
    EXPECT_TRUE(agrees(run.waited_longer_than(0.0), rho, 0.01)) << "rho = " << rho;
    EXPECT_NEAR(run.utilization, rho, 0.01);
  }
}

// Pollaczek and Khinchine again: E[W] = rho S (1 + cv^2) / (2 (1 - rho)).
TEST(QueueingTheory, OneLognormalServerHasTheMeanWaitOfMG1) {
  for (const double cv : {0.5, 1.5}) {
    const Simulated run =
        simulated({.arrival_rate_rps = 0.6 * kMu, .service = ServiceKind::lognormal, .cv = cv, .requests = 1'000'000});
    EXPECT_TRUE(agrees(run.waits_s, 0.6 * kS * (1.0 + cv * cv) / (2.0 * 0.4), 0.03)) << "cv = " << cv;
  }
}

// E[W] = C S / (c (1 - rho)), P(W > t) = C exp(-(c mu - lambda) t) with Erlang's C. Where the slots are does not
// matter.
TEST(QueueingTheory, PodsBehindOneQueueAreMMcWithErlangC) {
  struct Case {
    int pods, slots;
    double rho;
    BalancerRule balancer;
  };
  for (const Case& c : {Case{10, 1, 0.9, BalancerRule::least_outstanding}, Case{3, 4, 0.8, BalancerRule::random},
                        Case{60, 1, 0.95, BalancerRule::round_robin}, Case{4, 2, 0.7, BalancerRule::two_choices}}) {
    const int servers = c.pods * c.slots;
    const double lambda = c.rho * servers * kMu, waiting = erlang_c(servers, c.rho * servers);
    const Simulated run = simulated(
        {.arrival_rate_rps = lambda, .pods = c.pods, .slots = c.slots, .balancer = c.balancer, .requests = 1'000'000});
    SCOPED_TRACE(cat(c.pods, " pods with ", c.slots, " slots"));
    EXPECT_TRUE(agrees(run.waited_longer_than(0.0), waiting, 0.03));
    EXPECT_TRUE(agrees(run.waits_s, waiting * kS / (servers * (1.0 - c.rho)), 0.08));
    const double t = 2.0 * kS / servers / (1.0 - c.rho);
    EXPECT_TRUE(agrees(run.waited_longer_than(t), waiting * std::exp(-(servers * kMu - lambda) * t), 0.12));
    EXPECT_NEAR(run.utilization, c.rho, 0.01);
  }
}

// The fluid world's tables are made by another method (sim/waiting_times.h), so the two check each other.
TEST(QueueingTheory, FourDeterministicServersWaitAsTheTablesOfMDcSay) {
  const Simulated run = simulated(
      {.arrival_rate_rps = 0.8 * 4 * kMu, .pods = 4, .service = ServiceKind::deterministic, .requests = 800'000});
  const std::vector<double> x = {0.0, 0.5, 1.0, 2.0};
  const std::vector<double> cdf = mdc_waiting_cdf(4, 0.8, 400, x);
  for (std::size_t i = 0; i < x.size(); ++i)
    EXPECT_TRUE(agrees(run.waited_longer_than(x[i] * kS), 1.0 - cdf[i], 0.05)) << "x = " << x[i];
}

// A queue for what 160 ms serve holds 4 requests of 40 ms: K = 5 in the system, blocked with probability
// (1 - rho) rho^K / (1 - rho^(K+1)).
TEST(QueueingTheory, ABoundedQueueRefusesAsMM1K) {
  for (const double rho : {0.7, 1.2}) {
    const Simulated run = simulated({.arrival_rate_rps = rho * kMu, .queue_limit = 160ms});
    EXPECT_TRUE(agrees(run.is_refused, (1.0 - rho) * std::pow(rho, 5) / (1.0 - std::pow(rho, 6)), 0.03))
        << "rho = " << rho;
  }
}

// Without a queue: Erlang's B, whatever the distribution of the service (Sevastyanov 1957).
TEST(QueueingTheory, WithoutAQueueErlangBBlocksForEveryDistribution) {
  for (const ServiceKind service : {ServiceKind::exponential, ServiceKind::deterministic, ServiceKind::lognormal}) {
    const Simulated run =
        simulated({.arrival_rate_rps = 4.0 * kMu, .pods = 5, .service = service, .cv = 1.5, .queue_limit = 0s});
    EXPECT_TRUE(agrees(run.is_refused, erlang_b(5, 4.0), 0.02)) << "service " << static_cast<int>(service);
  }
}

// Clients that stay 200 ms, then leave the queue; a service once begun goes on. The unfinished work has the density
// lambda p0 exp(-(mu - lambda) x) up to the time-out tau, and who finds more than tau never starts; with a =
// exp(-(mu - lambda) tau), the share of clients that have no answer by tau is a (1 - rho^2) / (1 - rho^2 a) (from
// Barrer (1957), Queuing with impatient customers and ordered service, Operations Research 5, 650-656).
TEST(QueueingTheory, ImpatientClientsLeaveAsInBarrersQueue) {
  for (const double rho : {0.8, 1.5}) {
    const Simulated run = simulated({.arrival_rate_rps = rho * kMu, .client_timeout = 200ms, .requests = 800'000});
    const double a = std::exp(-(1.0 - rho) * kMu * 0.2);
    EXPECT_TRUE(agrees(run.is_timed_out, a * (1.0 - rho * rho) / (1.0 - rho * rho * a), 0.02)) << "rho = " << rho;
  }
}

// Random choice splits a Poisson stream into independent ones: each pod is M/M/1.
TEST(QueueingTheory, RandomChoiceWithQueuesAtThePodsIsManyMM1) {
  const Simulated run = simulated({.arrival_rate_rps = 5 * 0.7 * kMu,
                                   .pods = 5,
                                   .waits_at_pod = true,
                                   .balancer = BalancerRule::random,
                                   .requests = 800'000});
  EXPECT_TRUE(agrees(run.waits_s, 0.7 * kS / 0.3, 0.02));
  EXPECT_TRUE(agrees(run.waited_longer_than(0.2), 0.7 * std::exp(-0.3 * kMu * 0.2), 0.04));
}

// Every second request of a Poisson stream: Erlang-2 gaps before an exponential server, GI/M/1. E[W] = sigma S /
// (1 - sigma) with the root of sigma = (2 lambda / (2 lambda + mu - mu sigma))^2 below 1.
TEST(QueueingTheory, RoundRobinOverTwoPodsIsE2M1) {
  const double lambda = 0.8 * kMu;
  double sigma = 0.5;
  for (int i = 0; i < 200; ++i) sigma = std::pow(2.0 * lambda / (2.0 * lambda + kMu * (1.0 - sigma)), 2);
  const Simulated run = simulated({.arrival_rate_rps = 2 * lambda,
                                   .pods = 2,
                                   .waits_at_pod = true,
                                   .balancer = BalancerRule::round_robin,
                                   .requests = 800'000});
  EXPECT_TRUE(agrees(run.waits_s, sigma * kS / (1.0 - sigma), 0.03));
  EXPECT_TRUE(agrees(run.waited_longer_than(0.0), sigma, 0.01));
}

// Mitzenmacher (2001), The power of two choices in randomized load balancing, IEEE TPDS 12(10): with many pods the mean
// latency is S times the sum of rho^(2^i - 2), i >= 1; 1 + 0.64 + 0.262 + 0.044 + 0.001 = 1.947 for rho = 0.8. 200 pods
// are within a hundredth of many.
TEST(QueueingTheory, TwoChoicesOfManyPodsWaitAsMitzenmacherSays) {
  const Simulated run = simulated({.arrival_rate_rps = 200 * 0.8 * kMu,
                                   .pods = 200,
                                   .waits_at_pod = true,
                                   .balancer = BalancerRule::two_choices,
                                   .requests = 1'000'000});
  double latency = 0.0;
  for (int i = 1; i <= 6; ++i) latency += std::pow(0.8, std::pow(2.0, i) - 2.0);
  EXPECT_NEAR(figure_of(run.waits_s).mean / kS + 1.0, latency, 0.01 * latency);
}

// One queue loses nothing, so it waits least; a balancer that knows more comes closer to it.
TEST(QueueingTheory, TheMoreABalancerKnowsTheLessIsWaited) {
  const auto mean_wait = [](bool waits_at_pod, BalancerRule balancer) {
    return figure_of(simulated({.arrival_rate_rps = 10 * 0.85 * kMu,
                                .pods = 10,
                                .waits_at_pod = waits_at_pod,
                                .balancer = balancer})
                         .waits_s)
        .mean;
  };
  const double random = mean_wait(true, BalancerRule::random);
  const double round_robin = mean_wait(true, BalancerRule::round_robin);
  const double two_choices = mean_wait(true, BalancerRule::two_choices);
  const double least = mean_wait(true, BalancerRule::least_outstanding);
  const double one_queue = mean_wait(false, BalancerRule::least_outstanding);
  EXPECT_GT(random, 1.2 * round_robin);
  EXPECT_GT(round_robin, 1.2 * two_choices);
  EXPECT_GT(two_choices, 1.2 * least);
  EXPECT_GT(least, 1.1 * one_queue);
}

}  // namespace
}  // namespace mpca::sim::internal
