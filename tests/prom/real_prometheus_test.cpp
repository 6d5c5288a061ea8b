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
#include "prom/exposition.h"
#include "prom/instant_query.h"
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
  void ask_instant_queries();
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

void RealPrometheusSlow::ask_instant_queries() {
  const std::string selector = cat("restarting_total{path=\"", escape_label_value("/a \"b\""), "\"}");
  EXPECT_TRUE(instant_query(client_, url_, selector).has_value());
  EXPECT_EQ(instant_query(client_, url_, "vector(2.5)").value(), 2.5);
  EXPECT_EQ(instant_query(client_, url_, "no_such_metric").error().code, ErrorCode::not_enough_data);
  EXPECT_EQ(instant_query(client_, url_, "vector(0)/0").error().code, ErrorCode::not_enough_data);
  EXPECT_EQ(instant_query(client_, url_, "{__name__=~\".*_total\",job=\"exporter\"}").error().code,
            ErrorCode::invalid_argument);
  const auto refused = instant_query(client_, url_, "sum(");
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(refused.error().message.find("parse error"), std::string::npos) << refused.error().message;
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
  ask_instant_queries();
  read_its_own_metrics();
}

}  // namespace
}  // namespace mpca::prom
