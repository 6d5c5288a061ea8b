// What the controller does while something around it fails, and how long until it is right again: each row of
// docs/reference/faults.md, measured. The workload has a steady load; when a fault begins the load doubles, so that
// there is something to do that the fault may prevent. Rows run side by side, each with servers and processes of its
// own. With MPCA_FAULT_TABLE=FILE the table is written there (scripts/fault-matrix).
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "control/cluster_texts.h"
#include "control/process.h"
#include "prom/lab_queries.h"
#include "prom/scraper.h"
#include "support/fake_prometheus.h"
#include "support/temporary_directory.h"

namespace mpca::control {
namespace {

using nlohmann::json;
using test::FakePrometheus;
using test::Fault;
using Kind = Fault::Kind;

constexpr const char* kWeb = "/apis/apps/v1/namespaces/shop/deployments/web";
constexpr const char* kPods = "/api/v1/namespaces/shop/pods/web-";
constexpr const char* kHpa = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/web";
constexpr const char* kObject = "/apis/autoscaling.mpc.dev/v1alpha1/namespaces/shop/predictiveautoscalers/web";
constexpr const char* kState = "/api/v1/namespaces/mpc-system/configmaps/mpc-autoscaler-state-uid-of-web";

constexpr double kCapacity = 25.0;  // requests/s of a pod, as autoscaler_object() says
constexpr int kReplicas = 5;        // what `predictive` asks for at 70 requests/s
constexpr double kLoad = 70.0;
constexpr int kNeeded = 6;  // ceil(2 x 70 / (25 x 0.99)): less is wrong at twice the load
constexpr Duration kLook = 20ms;
constexpr Duration kLongestWait = 40s;
constexpr std::size_t kSideBySide = 12;
// Five watches, a lease that is renewed five times a second and a period each second ask about ten; of a loop without
// pauses it would be thousands.
constexpr double kMostPerSecond = 60.0;

// ---- one workload in its world ----

class Trial {
 public:
  explicit Trial(std::uint64_t number) : number_(number) {
    set_token("first");
    server.make_scalable("apps/v1", "Deployment", "deployments");
    put_target(kReplicas);
    follow();
    std::string object =
        autoscaler_object("Auto", R"({"name":"predictive","settings":{"start-hold":"0s","recovery-hold":"0s"}})");
    constexpr std::string_view kNowhere = "http://127.0.0.1:9";
    object.replace(object.find(kNowhere), kNowhere.size(), prometheus.url());
    server.put_object(kObject, object);
    start();
  }

  void start() { process = std::make_unique<Process>(server, ++number_, settings()); }
  /// One that only stands by.
  void start_second() { second = std::make_unique<Process>(server, ++number_, settings("second")); }
  void set_token(const std::string& token) { std::ofstream(directory_.file("token")) << token; }

  void put_target(int replicas) {
    server.put_object(
        kWeb, cat(R"({"spec":{"replicas":)", replicas, R"(,"selector":{"matchLabels":{"app":"web"}}},"status":{}})"));
  }
  std::optional<int> replicas() const {
    const std::string text = server.object(kWeb);
    if (text.empty()) return std::nullopt;
    return json::parse(text)["spec"]["replicas"].get<int>();
  }

  /// What other parts of a cluster do: pods come and go with the replicas, and Prometheus sees what they serve.
  void follow() {
    const auto wanted = replicas();
    if (!wanted) return;
    for (; pods_ < *wanted; ++pods_)
      server.put_object(cat(kPods, pods_), pod_object("shop", cat("web-", pods_), R"({"app":"web"})"));
    for (; pods_ > *wanted; --pods_) server.delete_object(cat(kPods, pods_ - 1));
    show_load();
  }
  /// In all of Prometheus' answers, unless a fault stands before them.
  void show_load() {
    const auto queries = prom::lab_queries({.name_space = "shop", .job = "web"}).value();
    const auto number = [](double value) { return FakePrometheus::number(cat(value)); };
    prometheus.set(queries.request_rate_rps.promql, number(served_rps));
    prometheus.set(queries.cpu_cores.promql, number(load_rps / kCapacity));
    prometheus.set(queries.in_flight_requests.promql, number(std::ceil(load_rps / 20.0)));
    prometheus.set(queries.request_rate_rps.age_promql, number(age_s));
    prometheus.set(queries.request_rate_rps.count_promql, number(std::floor(pods_ * share_of_pods)));
  }
  void set_load(double rps) { load_rps = served_rps = rps; }

  bool is_leading() const {
    return (process && process->figures().is_leading) || (second && second->figures().is_leading);
  }
  /// Conditions that are not true, as `Type: Reason`; ScalingLimited is none of trouble.
  std::set<std::string> troubles() const {
    std::set<std::string> found;
    const json object = json::parse(server.object(kObject));
    for (const json& each : object.value("status", json::object()).value("conditions", json::array()))
      if (each["status"] != "True" && each["type"] != "ScalingLimited")
        found.insert(cat("`", each["type"].get<std::string>(), "`: ", each["reason"].get<std::string>()));
    return found;
  }

  test::FakeApiServer server;
  FakePrometheus prometheus;
  double load_rps = kLoad, served_rps = kLoad;
  double age_s = 1.0, share_of_pods = 1.0;

 private:
  ProcessSettings settings(const std::string& token = "token") {
    if (token != "token") std::ofstream(directory_.file(token)) << token;
    return {.applies = true, .token_file = directory_.file(token), .make_load = [this](kube::Client& client) {
              return std::make_unique<ClusterLoadReader>(access_, client, scraper_, clock_,
                                                         RandomStream(number_, "load"));
            }};
  }

  std::uint64_t number_;
  test::TemporaryDirectory directory_;
  os::RealClock clock_;
  const PrometheusAccess access_{.urls = {prometheus.url()}, .credentials = {}};
  prom::Scraper scraper_{{}};
  int pods_ = 0;

 public:
  std::unique_ptr<Process> process, second;  // the last, since they use all of it
};

// ---- the rows ----

struct Row {
  std::string_view fault;
  std::function<void(Trial&)> begin;
  std::function<void(Trial&)> end = [](Trial&) {};
  double load_factor = 2.0;  // from when the fault begins
  Duration lasts = 2500ms;
};

std::function<void(Trial&)> api(const Fault& fault) {
  return [fault](Trial& trial) { trial.server.add_fault(fault); };
}
/// The writes of replicas meet it.
std::function<void(Trial&)> scale(Fault fault) {
  fault.method = "PATCH";
  fault.path = "/scale";
  return api(fault);
}
/// All requests meet it, also those that have begun.
std::function<void(Trial&)> whole_api(Fault fault) {
  fault.times = -1;
  return [fault](Trial& trial) {
    trial.server.add_fault(fault);
    trial.server.cut_connections();
  };
}
/// Watches meet it as soon as the ones that are open have ended.
std::function<void(Trial&)> watches(Fault fault) {
  fault.path = "watch=1";
  fault.times = -1;
  return [fault](Trial& trial) {
    trial.server.add_fault(fault);
    trial.server.end_watches();
  };
}
std::function<void(Trial&)> prometheus(const FakePrometheus::Script& script) {
  return [script](Trial& trial) { trial.prometheus.always(script); };
}
void restart(Trial& trial) {
  trial.process.reset();
  trial.start();
}

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows = {
      {.fault = "none, and the load doubles", .begin = [](Trial&) {}},
      {.fault = "none, and the load falls to a fifth", .begin = [](Trial&) {}, .load_factor = 0.2, .lasts = 5s},

      {.fault = "API: each write of replicas is 409 Conflict",
       .begin = scale({.status = 409, .reason = "Conflict", .times = -1})},
      {.fault = "API: writes of replicas are 403 Forbidden",
       .begin = scale({.status = 403, .reason = "Forbidden", .times = -1})},
      {.fault = "API: writes of replicas are 500", .begin = scale({.status = 500, .times = -1})},
      {.fault = "API: the answer to a write is lost", .begin = scale({.kind = Kind::lost})},
      {.fault = "API: half an answer to a write", .begin = scale({.kind = Kind::half_close})},
      {.fault = "API: the connection is reset at each write", .begin = scale({.kind = Kind::reset, .times = -1})},
      {.fault = "API: writes of replicas hang", .begin = scale({.kind = Kind::hang, .times = -1})},
      {.fault = "API: all is 500", .begin = whole_api({.status = 500})},
      {.fault = "API: all is 503", .begin = whole_api({.status = 503})},
      {.fault = "API: all is 429, Retry-After 1 s",
       .begin = whole_api({.status = 429, .reason = "TooManyRequests", .headers = "Retry-After: 1\r\n"})},
      {.fault = "API: all hangs", .begin = whole_api({.kind = Kind::hang})},
      {.fault = "API: all connections are reset", .begin = whole_api({.kind = Kind::reset})},
      {.fault = "API: answers come in small pieces", .begin = whole_api({.kind = Kind::slow})},
      {.fault = "API: the server is away",
       .begin = [](Trial& trial) { trial.server.go_away(); },
       .end = [](Trial& trial) { trial.server.come_back(); },
       .lasts = 4s},
      {.fault = "API: all connections are cut once", .begin = [](Trial& trial) { trial.server.cut_connections(); }},
      {.fault = "API: the token has expired",
       .begin = [](Trial& trial) { trial.server.accept_tokens({"new"}); },
       .end = [](Trial& trial) { trial.set_token("new"); }},
      {.fault = "API: watches end", .begin = [](Trial& trial) { trial.server.end_watches(); }},
      {.fault = "API: watches end and are 410 Gone", .begin = watches({.status = 410, .reason = "Expired"})},
      {.fault = "API: watches end and tell an ERROR 500",
       .begin = watches({.kind = Kind::watch_error, .status = 500, .reason = "InternalError"})},
      {.fault = "the target is deleted, and made again",
       .begin = [](Trial& trial) { trial.server.delete_object(kWeb); },
       .end = [](Trial& trial) { trial.put_target(kReplicas); }},
      {.fault = "an HPA of the same target appears, and goes",
       .begin = [](Trial& trial) { trial.server.put_object(kHpa, hpa_change("shop", "web", "apps/v1", "web").object); },
       .end = [](Trial& trial) { trial.server.delete_object(kHpa); }},

      {.fault = "the leader stops between its decision and its write, and goes on later",
       .begin =
           [](Trial& trial) {
             trial.start_second();
             trial.server.add_fault(
                 {.kind = Kind::late, .method = "PATCH", .path = "/scale", .times = -1, .token = "first"});
             trial.server.add_fault({.kind = Kind::hang, .times = -1, .token = "first"});
           },
       .lasts = 5s},
      {.fault = "a restart, and the saved state cannot be read",
       .begin =
           [](Trial& trial) {
             trial.server.add_fault({.status = 500, .method = "GET", .path = "/configmaps/", .times = -1});
             restart(trial);
           },
       .lasts = 4s},
      {.fault = "a restart, and the saved state is garbage",
       .begin =
           [](Trial& trial) {
             trial.process.reset();
             trial.server.put_object(kState, R"({"data":{"bytes":"40"},"binaryData":{"state.zlib":"garbage0"}})");
             trial.start();
           },
       .lasts = 4s},

      {.fault = "Prometheus is away",
       .begin = [](Trial& trial) { trial.prometheus.go_away(); },
       .end = [](Trial& trial) { trial.prometheus.come_back(); }},
      {.fault = "Prometheus closes each connection", .begin = prometheus(FakePrometheus::closed())},
      {.fault = "Prometheus hangs", .begin = prometheus(FakePrometheus::hang())},
      {.fault = "Prometheus breaks off its answers", .begin = prometheus(FakePrometheus::truncated())},
      {.fault = "Prometheus answers 503", .begin = prometheus(FakePrometheus::error(503, "timeout", "too slow"))},
      {.fault = "Prometheus answers what is no JSON", .begin = prometheus(FakePrometheus::not_json())},
      {.fault = "Prometheus finds no series", .begin = prometheus(FakePrometheus::empty())},
      {.fault = "all values are NaN", .begin = prometheus(FakePrometheus::number("NaN"))},
      {.fault = "all values are zero", .begin = prometheus(FakePrometheus::number("0"))},
      {.fault = "a rate of zero while pods are busy",
       .begin = [](Trial& trial) { trial.served_rps = 0.0; },
       .end = [](Trial& trial) { trial.served_rps = trial.load_rps; }},
      {.fault = "values are ten minutes old, and say so",
       .begin = [](Trial& trial) { trial.age_s = 600.0; },
       .end = [](Trial& trial) { trial.age_s = 1.0; }},
      {.fault = "half of the pods are missing in the metrics",
       .begin =
           [](Trial& trial) {
             trial.share_of_pods = 0.5;
             trial.set_load(trial.load_rps / 4.0);
           },
       .end =
           [](Trial& trial) {
             trial.share_of_pods = 1.0;
             trial.set_load(2.0 * kLoad);
           }},
  };
  return kRows;
}

// ---- running one ----

struct Outcome {
  std::string did, said;
  std::string problem;  // of the trial itself
  int before = 0, lowest = 0;
  double api_per_s = 0.0, prometheus_per_s = 0.0;
  std::optional<Duration> right_after;  // nullopt: not within kLongestWait
  int double_writes = 0;                // versions that two successful writes were based on
};

/// Versions that more than one successful write of replicas was based on.
int double_writes(const test::FakeApiServer& server) {
  std::map<std::string, int> successes;
  for (const auto& request : server.requests()) {
    if (request.method != "PATCH" || request.path.find("/scale") == std::string::npos || request.status != 200)
      continue;
    ++successes[json::parse(request.body)["metadata"]["resourceVersion"]];
  }
  return static_cast<int>(std::ranges::count_if(successes, [](const auto& each) { return each.second > 1; }));
}

std::string joined(const std::set<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += cat(all.empty() ? "" : ", ", text);
  return all.empty() ? "all is well" : all;
}

Outcome run(const Row& row, std::uint64_t number) {
  Trial trial(number);
  Outcome outcome;
  const Duration longest = os::monotonic_now() + kLongestWait;
  while (trial.process->figures().decided < 3 || !trial.troubles().empty()) {
    if (os::monotonic_now() > longest) {
      outcome.problem = cat("was never right: ", joined(trial.troubles()));
      return outcome;
    }
    trial.follow();
    pause(kLook);
  }
  outcome.before = outcome.lowest = trial.replicas().value_or(0);
  int highest = outcome.before;
  std::set<std::string> said;
  const auto look = [&] {
    trial.follow();
    const int now = trial.replicas().value_or(outcome.before);
    outcome.lowest = std::min(outcome.lowest, now);
    highest = std::max(highest, now);
    said.merge(trial.troubles());
  };

  const auto asked = [&] { return std::pair(trial.server.requests().size(), trial.prometheus.asked().size()); };
  const auto before = asked();
  const Duration began = os::monotonic_now();
  trial.set_load(kLoad * row.load_factor);
  row.begin(trial);
  while (os::monotonic_now() - began < row.lasts) {
    look();
    pause(kLook);
  }
  const double lasted_s = to_seconds(os::monotonic_now() - began);
  const auto after = asked();
  outcome.api_per_s = static_cast<double>(after.first - before.first) / lasted_s;
  outcome.prometheus_per_s = static_cast<double>(after.second - before.second) / lasted_s;
  const bool leads = trial.is_leading();
  outcome.did = outcome.lowest < outcome.before ? "scaled down" : highest > outcome.before ? "scaled up" : "held";
  if (!leads) outcome.did += ", gave up the lease";

  row.end(trial);
  trial.prometheus.always(std::nullopt);
  trial.server.clear_faults();
  const Duration ended = os::monotonic_now();
  const int needed = row.load_factor > 1.0 ? kNeeded : 1;
  while (os::monotonic_now() - ended < kLongestWait) {
    look();
    if (trial.is_leading() && trial.troubles().empty() && trial.replicas().value_or(0) >= needed) {
      outcome.right_after = os::monotonic_now() - ended;
      break;
    }
    pause(kLook);
  }
  outcome.said = joined(said);
  outcome.double_writes = double_writes(trial.server);
  return outcome;
}

std::vector<Outcome> run_all() {
  std::vector<Outcome> outcomes(rows().size());
  std::atomic<std::size_t> next = 0;
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < std::min(kSideBySide, rows().size()); ++i) {
    threads.emplace_back([&] {
      for (std::size_t at = next++; at < outcomes.size(); at = next++) outcomes[at] = run(rows()[at], 100 * (at + 1));
    });
  }
  threads.clear();
  return outcomes;
}

// ---- the table ----

std::string_view rounded(const std::optional<Duration>& time) {
  if (!time) return "never";
  if (*time < 1s) return "< 1 s";
  if (*time < 3s) return "1-3 s";
  if (*time < 10s) return "3-10 s";
  return "10-40 s";
}

std::string_view rounded(double per_second) {
  if (per_second < 5.0) return "< 5";
  if (per_second < 10.0) return "< 10";
  if (per_second < 20.0) return "< 20";
  if (per_second < 40.0) return "< 40";
  return "< 60";
}

std::string table(const std::vector<Outcome>& outcomes) {
  std::string text =
      "| while this fails | it | and says | API requests/s | Prometheus queries/s | right again after |\n"
      "|---|---|---|---|---|---|\n";
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Outcome& outcome = outcomes[i];
    text += cat("| ", rows()[i].fault, " | ", outcome.did, " | ", outcome.said, " | ", rounded(outcome.api_per_s),
                " | ", rounded(outcome.prometheus_per_s), " | ", rounded(outcome.right_after), " |\n");
  }
  return text;
}

/// Nothing is taken away on bad data, nothing is written twice, and nobody is asked in a loop.
TEST(FaultMatrixSlow, EachFaultIsMetAndComesRightAgain) {
  const std::vector<Outcome> outcomes = run_all();
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Outcome& outcome = outcomes[i];
    SCOPED_TRACE(rows()[i].fault);
    EXPECT_EQ(outcome.problem, "");
    EXPECT_TRUE(outcome.right_after) << outcome.said;
    EXPECT_EQ(outcome.double_writes, 0);
    EXPECT_LT(outcome.api_per_s, kMostPerSecond);
    EXPECT_LT(outcome.prometheus_per_s, kMostPerSecond);
    if (rows()[i].load_factor > 1.0)
      EXPECT_GE(outcome.lowest, outcome.before);
    else
      EXPECT_LT(outcome.lowest, outcome.before) << "else that nothing else takes replicas away proves nothing";
  }
  if (const char* file = std::getenv("MPCA_FAULT_TABLE"); file != nullptr) std::ofstream(file) << table(outcomes);
}

}  // namespace
}  // namespace mpca::control
