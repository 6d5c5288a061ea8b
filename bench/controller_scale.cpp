// What it takes to control many workloads in one process: each object's period, on one thread, against an API server of
// the tests in a process of its own, with a load that moves so that some replicas change every period. Prints rows for
// bench/table.py.
//
//   tick        one period of all objects, on one thread: seconds of time; of which CPU; of which reading and deciding
//   memory      of the process, resident, less what it had before the first object
//   requests    to the API server in a tick
//   write       from a decision to the API server's answer, which is later than its receipt: the 99th percentile
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/predictive_autoscaler.h"
#include "control/session.h"
#include "core/os/real_clock.h"
#include "core/random.h"
#include "core/text.h"
#include "support/fake_api_server.h"

namespace mpca::control {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr int kNamespaces = 100;
constexpr int kPodsOfEach = 3;
constexpr Duration kPeriod = 15s;
constexpr int kWarmTicks = 8, kTicks = 8;

std::string space_of(int object) { return cat("team-", object % kNamespaces); }
std::string name_of_object(int object) { return cat("web-", object); }

std::string deployment(int object, int replicas) {
  return json{{"apiVersion", "apps/v1"},
              {"kind", "Deployment"},
              {"metadata", {{"name", name_of_object(object)}, {"namespace", space_of(object)}}},
              {"spec", {{"replicas", replicas}, {"selector", {{"matchLabels", {{"app", name_of_object(object)}}}}}}},
              {"status", {{"replicas", replicas}}}}
      .dump();
}

std::string autoscaler(int object) {
  return json{
      {"apiVersion", config::kAutoscalerApiVersion},
      {"kind", config::kAutoscalerKind},
      {"metadata", {{"name", name_of_object(object)}, {"namespace", space_of(object)}, {"uid", cat("uid-", object)}}},
      {"spec",
       {{"scaleTargetRef", {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", name_of_object(object)}}},
        {"mode", "Auto"},
        {"minReplicas", 1},
        {"maxReplicas", 50},
        {"capacityPerReplica", 25},
        {"load", {{"scrape", {{"port", 8080}}}}}}}}
      .dump();
}

/// The pages of a server in a child process, which dies with us.
class ServerProcess {
 public:
  explicit ServerProcess(int objects) {
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    child_ = fork();
    if (child_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      test::FakeApiServer server;
      server.make_scalable("apps/v1", "Deployment", "deployments");
      for (int i = 0; i < objects; ++i) {
        server.put_object(cat("/apis/apps/v1/namespaces/", space_of(i), "/deployments/", name_of_object(i)),
                          deployment(i, kPodsOfEach));
        server.put_object(cat("/apis/autoscaling.mpc.dev/v1alpha1/namespaces/", space_of(i), "/predictiveautoscalers/",
                              name_of_object(i)),
                          autoscaler(i));
      }
      const std::string url = server.url() + "\n";
      if (write(ends[1], url.data(), url.size()) < 0) std::abort();
      while (true) pause();
    }
    std::FILE* from = fdopen(ends[0], "r");
    char line[256] = {};
    if (std::fgets(line, sizeof line, from) == nullptr) std::abort();
    url_ = trim(line);
    std::fclose(from);
    close(ends[1]);
  }
  ~ServerProcess() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  const std::string& url() const { return url_; }

 private:
  pid_t child_ = 0;
  std::string url_;
};

/// Waves of a day in an hour, each object at another part of it.
class WaveLoad final : public LoadReader {
 public:
  explicit WaveLoad(const Clock& clock) : clock_(clock) {}
  LiveReading read(const LoadQuestion& question) override {
    const double phase = stable_hash(question.key) % 1000 * 0.001;
    const double hours = to_seconds(clock_.now().time_since_epoch()) / 3600.0;
    const double rate = 50.0 + 25.0 * std::sin(6.283 * (hours + phase)) + random_.normal();
    LiveReading reading;
    reading.rate_window = 15s;
    reading.served_rate_rps = policy::Signal::fresh(rate, 2s);
    reading.failed_rate_rps = policy::Signal::fresh(0.0, 2s);
    reading.in_flight_requests = policy::Signal::fresh(rate * 0.04, 2s);
    reading.cpu_cores = policy::Signal::fresh(rate * 0.04, 2s);
    return reading;
  }

 private:
  const Clock& clock_;
  RandomStream random_{1, "load"};
};

double resident_mib() {
  std::ifstream status("/proc/self/statm");
  double pages = 0, resident = 0;
  status >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1048576.0;
}

json row(const std::string& name, double figure, const char* unit, json goal = {}) {
  json made = {{"name", name}, {"figure", figure}, {"unit", unit}};
  if (!goal.is_null()) made["goal"] = goal;
  return made;
}

void fill(ClusterIndex& index, int objects) {
  std::uint64_t pod = 0;
  for (int i = 0; i < objects; ++i) {
    json tree = json::parse(deployment(i, kPodsOfEach));
    tree["metadata"]["resourceVersion"] = "";
    index.on_target("apps/v1", "Deployment",
                    {.namespace_name = space_of(i), .name = name_of_object(i), .uid = {}, .object = tree.dump()});
    for (int k = 0; k < kPodsOfEach; ++k) {
      const std::string name = cat(name_of_object(i), "-", ++pod);
      const json object = {
          {"metadata",
           {{"namespace", space_of(i)},
            {"name", name},
            {"uid", name},
            {"creationTimestamp", "2026-11-26T10:00:00Z"},
            {"labels", {{"app", name_of_object(i)}, {"pod-template-hash", "6d4b75cb6d"}}}}},
          {"status",
           {{"phase", "Running"},
            {"podIP", "10.0.0.7"},
            {"conditions",
             {{{"type", "Ready"}, {"status", "True"}, {"lastTransitionTime", "2026-11-26T10:00:10Z"}}}}}}};
      index.on_pod({.namespace_name = space_of(i), .name = name, .uid = name, .object = object.dump()});
    }
  }
}

/// What a watch would tell of the writes of a tick.
void echo(const std::vector<std::unique_ptr<Session>>& sessions, std::vector<int>& known, kube::Client& client,
          ClusterIndex& index) {
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    if (sessions[i]->status().current_replicas == known[i]) continue;
    known[i] = sessions[i]->status().current_replicas;
    const int object = static_cast<int>(i);
    const auto body =
        client.get(cat("/apis/apps/v1/namespaces/", space_of(object), "/deployments/", name_of_object(object)));
    index.on_target("apps/v1", "Deployment",
                    {.namespace_name = space_of(object), .name = name_of_object(object), .uid = {}, .object = *body});
  }
}

std::vector<json> measure(int objects) {
  const ServerProcess server(objects);
  const double before_mib = resident_mib();
  VirtualClock clock{TimePoint(std::chrono::sys_days(std::chrono::year(2026) / 11 / 26) + 12h)};
  kube::RateLimit limit(1e6, 1'000'000);
  kube::Connection connection;
  connection.server = server.url();
  kube::Client client(connection, {.max_attempts = 1}, limit, clock, RandomStream(1, "bench"));
  WaveLoad load(clock);
  ClusterIndex index;
  fill(index, objects);
  const SavedStates states("mpc-system");
  std::vector<double> writes_s;
  std::int64_t requests = 0;
  Duration thinking{};
  const SessionEnvironment environment{
      .index = index,
      .states = states,
      .clock = clock,
      .may_write = [] { return true; },
      .may_apply = [] { return true; },
      .has_room = [] { return true; },
      .has_rival = [](const config::AutoscalerObject&) { return false; },
      .program = "bench",
      .took =
          [&](Stage stage, Duration time) {
            if (stage == Stage::write) writes_s.push_back(to_seconds(time));
            if (stage == Stage::read || stage == Stage::decide) thinking += time;
            if (stage == Stage::write || stage == Stage::status || stage == Stage::save) ++requests;
          },
      .log = [](const std::string&) {},
      .instance = "bench"};
  std::vector<std::unique_ptr<Session>> sessions;
  for (int i = 0; i < objects; ++i)
    sessions.push_back(std::make_unique<Session>(
        environment, config::parse_autoscaler(autoscaler(i), name_of_object(i)).value(), std::nullopt));

  std::vector<int> known(sessions.size(), kPodsOfEach);
  std::vector<double> ticks_s, cpu_s, thinking_s, requests_of;
  for (int tick = 0; tick < kWarmTicks + kTicks; ++tick) {
    if (tick == kWarmTicks) writes_s.clear();
    requests = 0;
    thinking = {};
    const Duration began = os::monotonic_now();
    const Duration cpu = os::thread_cpu_time();
    for (const auto& session : sessions) session->run_period({client, load}, 1);
    if (tick >= kWarmTicks) {
      ticks_s.push_back(to_seconds(os::monotonic_now() - began));
      cpu_s.push_back(to_seconds(os::thread_cpu_time() - cpu));
      thinking_s.push_back(to_seconds(thinking));
      requests_of.push_back(static_cast<double>(requests));
    }
    echo(sessions, known, client, index);
    clock.sleep_until(clock.now() + kPeriod);
  }
  const auto median = [](std::vector<double> values) {
    std::ranges::sort(values);
    return values.empty() ? 0.0 : values[values.size() / 2];
  };
  std::ranges::sort(writes_s);
  const double write_p99 = writes_s.empty() ? 0.0 : writes_s[writes_s.size() * 99 / 100];
  const bool is_goal = objects == 10'000;
  const std::string of = cat("controller/objects:", objects, " ");
  return {row(of + "tick", median(ticks_s), "s", is_goal ? json(1.0) : json()),
          row(of + "tick, CPU of the thread", median(cpu_s), "s"),
          row(of + "tick, reading and deciding", median(thinking_s), "s"),
          row(of + "memory", resident_mib() - before_mib, "MiB", is_goal ? json(200.0) : json()),
          row(of + "requests in a tick", median(requests_of), ""),
          row(of + "write, p99", 1e3 * write_p99, "ms", is_goal ? json(100.0) : json())};
}

}  // namespace
}  // namespace mpca::control

int main(int argc, char** argv) {
  std::vector<nlohmann::json> rows;
  for (int i = 2; i < argc; ++i)
    for (auto& row : mpca::control::measure(std::atoi(argv[i]))) rows.push_back(std::move(row));
  if (rows.empty()) {
    std::cerr << "usage: controller_scale OUT.rows.json OBJECTS...\n";
    return 2;
  }
  for (const auto& row : rows)
    std::cout << row["name"].get<std::string>() << "  " << row["figure"] << ' ' << row["unit"].get<std::string>()
              << '\n';
  std::ofstream(argv[1]) << nlohmann::json{{"rows", rows}}.dump(1) << '\n';
  return 0;
}
