// Against the real Prometheus (Debian's package): it scrapes an exporter of ours, and on the samples that it kept our
// rate() has to say what its own says. Takes some ten seconds; left out where there is no `prometheus`.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/os/file.h"
#include "core/os/real_clock.h"
#include "core/text.h"
#include "net/http_client.h"
#include "prom/client.h"
#include "prom/exposition.h"
#include "prom/http_transport.h"
#include "prom/lab_queries.h"
#include "prom/promql.h"
#include "prom/rate.h"
#include "support/temporary_directory.h"
#include "support/tiny_http_server.h"

namespace mpca::prom {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::TinyHttpServer;

constexpr const char* kProgram = "/usr/bin/prometheus";

/// A port that was free a moment ago: Prometheus cannot tell which one the system chose for it.
int free_port() {
  return TinyHttpServer([](std::string_view) { return std::nullopt; }).port();
}

class Child {
 public:
  explicit Child(const std::vector<std::string>& arguments) {
    std::vector<char*> pointers;
    for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      execv(pointers[0], pointers.data());
      _exit(127);
    }
  }
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

 private:
  pid_t pid_ = -1;
};

/// Three counters: one grows steadily, one starts again at 0 every 15 scrapes, one grows from 0 by leaps.
TinyHttpServer::Answer expose(int scrape) {
  return TinyHttpServer::ok(cat("# TYPE steady_total counter\nsteady_total ", 1000 + 7 * scrape,
                                "\nrestarting_total{path=\"/a \\\"b\\\"\"} ", 5.5 * (scrape % 15), "\nleaping_total ",
                                scrape / 10 * 100, "\n"));
}

class RealPrometheusSlow : public testing::Test {
 protected:
  void SetUp() override {
    if (access(kProgram, X_OK) != 0) GTEST_SKIP() << kProgram << " is not installed";
    const std::string config = directory_.file("prometheus.yml");
    ASSERT_TRUE(os::write_file(config, cat("global: {scrape_interval: 100ms, scrape_timeout: 100ms}\n"
                                           "scrape_configs:\n  - job_name: exporter\n    static_configs:\n"
                                           "      - targets: ['127.0.0.1:",
                                           exporter_.port(), "']\n")));
    const std::string address = cat("127.0.0.1:", free_port());
    url_ = "http://" + address;
    child_.emplace(std::vector<std::string>{kProgram, "--config.file=" + config, "--log.level=error",
                                            "--storage.tsdb.path=" + directory_.file("data"),
                                            "--web.listen-address=" + address});
    for (int tries = 0; tries < 600 && scrapes_ < 40; ++tries) clock_.sleep_until(clock_.now() + 50ms);
    ASSERT_GE(scrapes_, 40) << "Prometheus does not scrape";
  }

  void compare_rates();
  void ask_our_client();
  void ask_hostile_queries();
  void read_its_own_metrics();

  json query(const std::string& promql, TimePoint at) {
    const auto reply =
        client_.get(cat(url_, "/api/v1/query?time=", fixed(seconds_since_epoch(at), 3), "&query=", promql));
    EXPECT_TRUE(reply.has_value()) << reply.error().message;
    if (!reply) return json::array();
    return json::parse(reply->body).at("data").at("result");
  }

  test::TemporaryDirectory directory_;
  std::atomic<int> scrapes_ = 0;
  TinyHttpServer exporter_{[this](std::string_view) { return expose(++scrapes_); }};
  os::RealClock clock_;
  net::HttpClient client_{net::HttpClientSettings{}};
  std::string url_;
  std::optional<Child> child_;
};

void RealPrometheusSlow::compare_rates() {
  const TimePoint end = std::chrono::floor<std::chrono::milliseconds>(clock_.now());
  int compared = 0;
  for (const char* metric : {"steady_total", "restarting_total", "leaping_total"}) {
    const json raw = query(cat(metric, "[1h]"), end);
    ASSERT_EQ(raw.size(), 1u) << metric;
    std::vector<CounterSample> samples;
    for (const json& pair : raw[0].at("values")) {
      samples.push_back({TimePoint(std::chrono::round<std::chrono::milliseconds>(from_seconds(pair[0]))),
                         parse_double(pair[1].get<std::string>()).value()});
    }
    ASSERT_GE(samples.size(), 20u);
    // Times on and beside the samples; windows from too short to longer than the series.
    std::vector<TimePoint> times = {end, samples.front().time, samples.back().time, samples[5].time + 1s};
    for (std::size_t i = 0; i < samples.size(); i += 4)
      times.insert(times.end(),
                   {samples[i].time, samples[i].time + 1ms, samples[i].time - 1ms, samples[i].time + 50ms});
    for (const Duration window : {100ms, 200ms, 350ms, 1000ms, 2500ms, 60000ms}) {
      for (const TimePoint at : times) {
        const json theirs = query(cat("rate(", metric, "[", window.count() / 1'000'000, "ms])"), at);
        const auto ours = rate(samples, at, window);
        ASSERT_EQ(theirs.size(), ours ? 1u : 0u) << metric << " " << window.count();
        if (!ours) continue;
        const double expected = parse_double(theirs[0].at("value")[1].get<std::string>()).value();
        EXPECT_NEAR(*ours, expected, 1e-12 * (1.0 + std::abs(expected))) << metric << " " << window.count();
        ++compared;
      }
    }
  }
  RecordProperty("compared", compared);
  EXPECT_GE(compared, 300);
}

void RealPrometheusSlow::ask_our_client() {
  HttpTransport transport(url_, {});
  RandomStream random(1, "backoff");
  PrometheusClient client({}, transport, clock_, random);
  const auto number = [&](const std::string& promql) { return one_number(client.instant({.promql = promql}), promql); };
  EXPECT_TRUE(number(cat("restarting_total{path=\"", escape_label_value("/a \"b\""), "\"}")).has_value());
  EXPECT_EQ(number("vector(2.5)").value(), 2.5);
  EXPECT_EQ(number("scalar(vector(2.5))").value(), 2.5);
  EXPECT_TRUE(std::holds_alternative<Empty>(client.instant({.promql = "no_such_metric"})));
  EXPECT_TRUE(std::holds_alternative<NotFinite>(client.instant({.promql = "vector(0)/0"})));
  EXPECT_EQ(number("{__name__=~\".*_total\",job=\"exporter\"}").error().code, ErrorCode::invalid_argument);
  const auto refused = number("sum(");
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(refused.error().message.find("parse error"), std::string::npos) << refused.error().message;

  const std::string age = "time() - max(timestamp(steady_total))";
  const Answer fresh = client.instant({.promql = "steady_total", .age_promql = age, .max_age = 1min});
  EXPECT_TRUE(std::get<Values>(fresh).age.has_value());
  const Answer stale = client.instant({.promql = "steady_total", .age_promql = "vector(61)", .max_age = 1min});
  EXPECT_EQ(std::get<Stale>(stale).age, 61s);
  const Answer part =
      client.instant({.promql = "steady_total", .count_promql = "count(steady_total)", .expected_pods = 2});
  EXPECT_EQ(std::get<Partial>(part).reasons, std::vector<std::string>{"1 of 2 pods"});
  const TimePoint now = clock_.now();
  const Answer range = client.range({.promql = "steady_total", .start = now - 3s, .end = now, .step = 250ms});
  EXPECT_GE(std::get<Values>(range).series.at(0).points.size(), 2u);
}

void RealPrometheusSlow::ask_hostile_queries() {
  HttpTransport transport(url_, {});
  RandomStream random(1, "backoff");
  PrometheusClient client({}, transport, clock_, random);
  // What a label's value means to Prometheus, it says itself: label_replace gives it back.
  for (const std::string value : {"plain", "a\"b", "back\\slash", "two\nlines", "Grüße 東京 🚀", "\x01\t\x7f",
                                  "\xEF\xBF\xBD", "x\"}) or vector(0) #", "`'", "\\x41"}) {
    const auto queries = lab_queries({.name_space = value, .job = value});
    ASSERT_TRUE(queries.has_value());
    for (const InstantQuery* query : {&queries->request_rate_rps, &queries->cpu_cores, &queries->in_flight_requests}) {
      EXPECT_TRUE(std::holds_alternative<Empty>(client.instant(*query))) << query->promql;
      EXPECT_TRUE(std::holds_alternative<Empty>(client.instant({.promql = query->age_promql}))) << query->age_promql;
    }
    const Answer said = client.instant(
        {.promql = cat("label_join(vector(1), \"v\", \"", escape_label_value(value), "\", \"a\", \"b\")")});
    const auto& labels = std::get<Values>(said).series.at(0).labels;
    ASSERT_EQ(labels.size(), 1u) << value;
    EXPECT_EQ(labels[0].second, value) << "two missing labels, joined by the value";
  }
  const Answer binary = client.instant({.promql = cat("up{a=\"", escape_label_value("\xFF\xC0"), "\"}")});
  EXPECT_FALSE(std::holds_alternative<Values>(binary));
}

void RealPrometheusSlow::read_its_own_metrics() {
  const auto reply = client_.get(url_ + "/metrics");
  ASSERT_TRUE(reply.has_value());
  const auto samples = parse_exposition(reply->body);
  ASSERT_TRUE(samples.has_value()) << samples.error().message;
  EXPECT_GT(samples->size(), 100u);
}

// One test, since each would wait for the first scrapes anew.
TEST_F(RealPrometheusSlow, SaysWhatWeSayOfRatesAndOurClientReadsItsAnswers) {
  compare_rates();
  ask_our_client();
  ask_hostile_queries();
  read_its_own_metrics();
}

}  // namespace
}  // namespace mpca::prom
