#include "load/load_run.h"

#include <gtest/gtest.h>
#include <sys/un.h>

#include <atomic>
#include <mutex>

#include "support/scripted_server.h"
#include "support/temporary_directory.h"

namespace mpca::load {
namespace {

using namespace std::chrono_literals;
using test::always;
using test::http_answer;
using test::ScriptedServer;

LoadSettings settings_for(const std::string& url) {
  LoadSettings settings;
  Target target;
  target.url = url;
  settings.targets = {target};
  settings.timeout = 5s;
  return settings;
}

LoadResult run(const ArrivalPlan& plan, const LoadSettings& settings, const OnInterval& on_interval = {},
               const std::stop_token& stop = {}) {
  auto result = run_load(plan, settings, stop, on_interval);
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message);
  return result ? *result : LoadResult{};
}

// What must hold of every result, whatever the server did.
void expect_account_adds_up(const LoadResult& result) {
  Counts by_phase, by_interval;
  std::uint64_t latencies = 0, latencies_by_interval = 0;
  for (const PhaseResult& phase : result.phases) {
    by_phase.add(phase.counts);
    latencies += phase.latency.count();
    EXPECT_EQ(phase.counts.due, phase.counts.succeeded + phase.counts.failed() + phase.counts.cancelled);
    EXPECT_LE(phase.first_due, phase.last_due);
    EXPECT_LE(phase.last_due, std::max(phase.last_end, phase.planned_start));
  }
  for (const IntervalResult& interval : result.intervals) {
    by_interval.add(interval.counts);
    latencies_by_interval += interval.latency.count();
    EXPECT_EQ(interval.counts.due, interval.counts.succeeded + interval.counts.failed() + interval.counts.cancelled);
  }
  EXPECT_EQ(by_phase, by_interval);
  EXPECT_EQ(by_phase, result.total());
  EXPECT_EQ(latencies, by_phase.due - by_phase.cancelled);
  EXPECT_EQ(latencies_by_interval, latencies);
}

TEST(LoadRun, EveryRequestThatWasDueSucceeds) {
  ScriptedServer server(always(http_answer(200, "hello")));
  const LoadResult result = run(plan_at_rate(500, 400ms), settings_for(server.url()));
  expect_account_adds_up(result);
  const Counts total = result.total();
  EXPECT_EQ(total.due, 200u);
  EXPECT_EQ(total.succeeded, 200u);
  EXPECT_EQ(total.by_status, (std::map<int, std::uint64_t>{{200, 200}}));
  EXPECT_EQ(result.phases[0].bytes_in, 200u * 5);
  EXPECT_EQ(result.phases[0].first_due, 0ns);
  EXPECT_EQ(result.phases[0].last_due, 398ms);
  EXPECT_FALSE(result.was_interrupted);
}

TEST(LoadRun, PhasesAndIntervalsAreByDueTimeWithoutGaps) {
  ScriptedServer server(always(http_answer(200, "")));
  LoadSettings settings = settings_for(server.url());
  settings.interval = 100ms;
  trace::Phase none{1, 200ms, 0.0};
  const LoadResult result = run(plan_from_phases({{0, 100ms, 100.0}, none, {2, 100ms, 50.0}}), settings);
  expect_account_adds_up(result);
  ASSERT_EQ(result.phases.size(), 3u);
  EXPECT_EQ(result.phases[0].counts.due, 10u);
  EXPECT_EQ(result.phases[1].counts.due, 0u);
  EXPECT_EQ(result.phases[1].first_due, 100ms);
  EXPECT_EQ(result.phases[2].counts.due, 5u);
  EXPECT_EQ(result.phases[2].planned_start, 300ms);
  ASSERT_EQ(result.intervals.size(), 4u);
  EXPECT_EQ(result.intervals[1].counts.due, 0u);
  EXPECT_EQ(result.intervals[3].start, 300ms);
}

TEST(LoadRun, ConnectionsAreReusedUnlessKeepAliveIsOff) {
  ScriptedServer server(always(http_answer(200, "")));
  LoadSettings settings = settings_for(server.url());
  settings.max_connections = 1;
  expect_account_adds_up(run(plan_at_rate(100, 200ms), settings));
  EXPECT_EQ(server.accepted(), 1);

  std::atomic<int> asked_to_close{0};
  ScriptedServer closing([&](ScriptedServer::Client& client) {
    if (client.read_request().find("\r\nConnection: close\r\n") != std::string::npos) ++asked_to_close;
    client.write(http_answer(200, ""));
  });
  settings = settings_for(closing.url());
  settings.keep_alive = false;
  const LoadResult result = run(plan_at_rate(100, 200ms), settings);
  expect_account_adds_up(result);
  EXPECT_EQ(result.total().succeeded, 20u);
  EXPECT_EQ(closing.accepted(), 20);
  EXPECT_EQ(asked_to_close, 20);
}

TEST(LoadRun, A503StormIsCountedByItsStatusAndIsNoSuccess) {
  ScriptedServer server(always(http_answer(503, "busy")));
  const LoadResult result = run(plan_at_rate(500, 200ms), settings_for(server.url()));
  expect_account_adds_up(result);
  EXPECT_EQ(result.total().succeeded, 0u);
  EXPECT_EQ(result.total().by_status.at(503), 100u);
  EXPECT_EQ(result.total().failed(), 100u);
}

TEST(LoadRun, ARefusedConnectionIsAFailureOfEveryRequest) {
  std::string url;
  {
    ScriptedServer server(always(""));
    url = server.url();
  }
  const LoadResult result = run(plan_at_rate(500, 200ms), settings_for(url));
  expect_account_adds_up(result);
  EXPECT_EQ(result.total().by_error, (std::map<std::string, std::uint64_t>{{"connection refused", 100}}));
}

TEST(LoadRun, AServerThatNeverAnswersTimesOutEachRequestFromItsDueTime) {
  ScriptedServer server([](ScriptedServer::Client& client) { client.wait_for_end(); });
  LoadSettings settings = settings_for(server.url());
  settings.timeout = 100ms;
  const LoadResult result = run(plan_at_rate(200, 200ms), settings);
  expect_account_adds_up(result);
  EXPECT_EQ(result.total().by_error, (std::map<std::string, std::uint64_t>{{"timeout", 40}}));
  EXPECT_GE(result.phases[0].latency.min(), 100ms);
  EXPECT_GE(result.length, 295ms);  // the last is due at 195 ms
}

// With one connection that never answers, the others wait for it and time out from their due times as well.
TEST(LoadRun, RequestsThatWaitForAConnectionTimeOutToo) {
  ScriptedServer server([](ScriptedServer::Client& client) { client.wait_for_end(); });
  LoadSettings settings = settings_for(server.url());
  settings.timeout = 100ms;
  settings.max_connections = 1;
  const LoadResult result = run(plan_at_rate(200, 200ms), settings);
  expect_account_adds_up(result);
  EXPECT_EQ(result.total().by_error.at("timeout"), 40u);
  EXPECT_GT(result.audit.connection_wait.count(), 0u);
  EXPECT_TRUE(result.audit.is_client_limited());
}

// One connection, 50 ms per answer, 10 requests due within 10 ms: the last cannot end before 500 ms. A client that
// waited before it sent would call it 50 ms.
TEST(LoadRun, LatencyRunsFromTheDueTimeAndWaitingCounts) {
  ScriptedServer server([](ScriptedServer::Client& client) {
    while (!client.read_request().empty()) {
      timeval pause{0, 50'000};
      select(0, nullptr, nullptr, nullptr, &pause);
      client.write(http_answer(200, ""));
    }
  });
  LoadSettings settings = settings_for(server.url());
  settings.max_connections = 1;
  const LoadResult result = run(plan_at_rate(1000, 10ms), settings);
  expect_account_adds_up(result);
  EXPECT_EQ(result.total().succeeded, 10u);
  EXPECT_GE(result.phases[0].latency.max(), 490ms);
}

TEST(LoadRun, AServerKilledInMidRunLosesNoRequestFromTheAccount) {
  auto server = std::make_unique<ScriptedServer>(always(http_answer(200, "ok")));
  LoadSettings settings = settings_for(server->url());
  settings.interval = 20ms;
  settings.threads = 2;
  int intervals = 0;
  const LoadResult result = run(plan_at_rate(1000, 400ms), settings, [&](const LiveInterval&) {
    if (++intervals == 8) server->stop();
  });
  expect_account_adds_up(result);
  EXPECT_EQ(result.total().due, 400u);
  EXPECT_GT(result.total().succeeded, 0u);
  EXPECT_GT(result.total().by_error.at("connection refused"), 0u);
}

TEST(LoadRun, AServerThatClosesInTheMiddleOfAnAnswerFailsTheRequest) {
  ScriptedServer server([](ScriptedServer::Client& client) {
    client.read_request();
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
  });
  const LoadResult result = run(plan_at_rate(100, 200ms), settings_for(server.url()));
  expect_account_adds_up(result);
  EXPECT_EQ(result.total().by_error, (std::map<std::string, std::uint64_t>{{"connection closed", 20}}));
}

TEST(LoadRun, GarbageIsAMalformedAnswer) {
  ScriptedServer server([](ScriptedServer::Client& client) {
    client.read_request();
    client.write("SSH-2.0-OpenSSH\r\n");
    client.wait_for_end();
  });
  const LoadResult result = run(plan_at_rate(100, 200ms), settings_for(server.url()));
  expect_account_adds_up(result);
  EXPECT_EQ(result.total().by_error, (std::map<std::string, std::uint64_t>{{"malformed answer", 20}}));
}

TEST(LoadRun, AResetIsCountedAsOne) {
  ScriptedServer server([](ScriptedServer::Client& client) {
    client.read_request();
    client.reset_at_end();
  });
  const LoadResult result = run(plan_at_rate(100, 100ms), settings_for(server.url()));
  expect_account_adds_up(result);
  EXPECT_EQ(result.total().by_error, (std::map<std::string, std::uint64_t>{{"connection reset", 10}}));
}

// The server answers once, reads the next request and closes: what a connection looks like that went stale just as a
// request was under way. GET may be sent again, POST may not.
TEST(LoadRun, AStaleConnectionIsRetriedOnceWhenTheMethodAllows) {
  const auto once = [](ScriptedServer::Client& client) {
    client.read_request();
    client.write(http_answer(200, ""));
    client.read_request();
  };
  ScriptedServer server(once);
  LoadSettings settings = settings_for(server.url());
  settings.max_connections = 1;
  const LoadResult result = run(plan_at_rate(50, 200ms), settings);
  expect_account_adds_up(result);
  EXPECT_EQ(result.total().due, 10u);
  EXPECT_EQ(result.total().succeeded, 10u);

  ScriptedServer other(once);
  settings = settings_for(other.url());
  settings.max_connections = 1;
  settings.targets[0].method = "POST";
  const LoadResult posted = run(plan_at_rate(50, 200ms), settings);
  expect_account_adds_up(posted);
  EXPECT_EQ(posted.total().succeeded, 5u);
  EXPECT_EQ(posted.total().by_error.at("connection closed"), 5u);
}

TEST(LoadRun, AStopGivesUpWhatIsOutstandingAndCountsItAsCancelled) {
  ScriptedServer server([](ScriptedServer::Client& client) { client.wait_for_end(); });
  LoadSettings settings = settings_for(server.url());
  settings.interval = 20ms;
  settings.max_connections = 5;
  settings.threads = 2;
  std::stop_source stop;
  const LoadResult result = run(
      plan_at_rate(500, 60s), settings,
      [&](const LiveInterval& live) {
        if (live.start >= 100ms) stop.request_stop();
      },
      stop.get_token());
  expect_account_adds_up(result);
  EXPECT_TRUE(result.was_interrupted);
  EXPECT_GT(result.total().cancelled, 0u);
  EXPECT_EQ(result.total().cancelled, result.total().due);
}

TEST(LoadRun, LiveIntervalsAddUpToTheResult) {
  ScriptedServer server(always(http_answer(200, "ok")));
  LoadSettings settings = settings_for(server.url());
  settings.interval = 50ms;
  settings.threads = 3;
  Counts live;
  Duration expected_start{};
  const LoadResult result = run(plan_at_rate(1000, 300ms), settings, [&](const LiveInterval& interval) {
    EXPECT_EQ(interval.start, expected_start);
    expected_start += 50ms;
    live.add(interval.ended.counts);
  });
  expect_account_adds_up(result);
  EXPECT_EQ(live, result.total());
}

TEST(LoadRun, TargetsAreTakenInTurnAndTheirHeadersAndBodiesSent) {
  std::mutex mutex;
  std::vector<std::string> requests;
  ScriptedServer server([&](ScriptedServer::Client& client) {
    for (std::string request = client.read_request(); !request.empty(); request = client.read_request()) {
      {
        const std::scoped_lock lock(mutex);
        requests.push_back(request);
      }
      client.write(request.starts_with("HEAD") ? "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"
                                               : http_answer(200, "1234567"));
    }
  });
  LoadSettings settings = settings_for(server.url("/first?x=1"));
  Target post;
  post.method = "POST";
  post.url = server.url("/second");
  post.headers = {{"X-Test", "yes"}, {"Host", "name"}};
  post.body = "text";
  Target head;
  head.method = "HEAD";
  head.url = server.url();
  settings.targets.push_back(post);
  settings.targets.push_back(head);
  settings.max_connections = 1;
  const LoadResult result = run(plan_at_rate(100, 60ms), settings);
  expect_account_adds_up(result);
  EXPECT_EQ(result.total().succeeded, 6u);
  EXPECT_EQ(result.phases[0].bytes_in, 4u * 7);
  EXPECT_EQ(result.phases[0].bytes_out, 2u * 4);
  const std::string host = "127.0.0.1:" + std::to_string(server.port());
  const std::scoped_lock lock(mutex);
  ASSERT_EQ(requests.size(), 6u);
  EXPECT_EQ(requests[0], "GET /first?x=1 HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: loadgen\r\n\r\n");
  EXPECT_EQ(
      requests[1],
      "POST /second HTTP/1.1\r\nHost: name\r\nUser-Agent: loadgen\r\nX-Test: yes\r\nContent-Length: 4\r\n\r\ntext");
  EXPECT_EQ(requests[2], "HEAD / HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: loadgen\r\n\r\n");
}

// 3 : 1 of 400 draws: 300 expected, standard deviation 8.7; the same draws whatever the number of threads.
TEST(LoadRun, WeightedTargetsAreDrawnTheSameForAnyNumberOfThreads) {
  ScriptedServer often(always(http_answer(200, "")));
  ScriptedServer seldom(always(http_answer(204, "")));
  LoadSettings settings = settings_for(often.url());
  settings.targets[0].weight = 3.0;
  settings.targets.push_back({.method = "GET", .url = seldom.url(), .headers = {}, .body = "", .weight = 1.0});
  const LoadResult one = run(plan_at_rate(2000, 200ms), settings);
  settings.threads = 3;
  const LoadResult three = run(plan_at_rate(2000, 200ms), settings);
  expect_account_adds_up(one);
  EXPECT_NEAR(static_cast<double>(one.total().by_status.at(200)), 300.0, 5 * 8.7);
  EXPECT_EQ(one.total(), three.total());
}

// Two servers and one connection: it is closed for the other's sake, and nothing waits for ever.
TEST(LoadRun, AnIdleConnectionToAnotherServerMakesRoom) {
  ScriptedServer one(always(http_answer(200, "")));
  ScriptedServer two(always(http_answer(201, "")));
  LoadSettings settings = settings_for(one.url());
  settings.targets.push_back({.method = "GET", .url = two.url(), .headers = {}, .body = "", .weight = 0.0});
  settings.max_connections = 1;
  const LoadResult result = run(plan_at_rate(100, 200ms), settings);
  expect_account_adds_up(result);
  EXPECT_EQ(result.total().by_status, (std::map<int, std::uint64_t>{{200, 10}, {201, 10}}));
}

TEST(LoadRun, LocalhostAndLargeChunkedAnswersWork) {
  std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 50; ++i) answer += "1000\r\n" + std::string(4096, 'x') + "\r\n";
  answer += "0\r\n\r\n";
  ScriptedServer server(always(answer));
  const LoadResult result =
      run(plan_at_rate(100, 100ms), settings_for("http://localhost:" + std::to_string(server.port()) + "/"));
  expect_account_adds_up(result);
  EXPECT_EQ(result.total().succeeded, 10u);
  EXPECT_EQ(result.phases[0].bytes_in, 10u * 50 * 4096);
}

TEST(LoadRun, ANameThatDoesNotResolveIsAFailureOfEveryRequest) {
  const LoadResult result = run(plan_at_rate(100, 50ms), settings_for("http://no-such-host.invalid/"));
  expect_account_adds_up(result);
  EXPECT_EQ(result.total().by_error, (std::map<std::string, std::uint64_t>{{"name not resolved", 5}}));
}

TEST(LoadRun, ATlsTargetThatSpeaksPlainTextFailsTheHandshake) {
  ScriptedServer server([](ScriptedServer::Client& client) {
    client.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    client.wait_for_end();
  });
  const LoadResult result =
      run(plan_at_rate(100, 50ms), settings_for("https://127.0.0.1:" + std::to_string(server.port()) + "/"));
  expect_account_adds_up(result);
  EXPECT_EQ(result.total().by_error, (std::map<std::string, std::uint64_t>{{"TLS handshake failed", 5}}));
}

TEST(LoadRun, WrongSettingsAreNamedAllAtOnce) {
  LoadSettings settings = settings_for("ftp://host/");
  settings.timeout = 0s;
  settings.threads = 4;
  settings.max_connections = 3;
  settings.targets[0].headers = {{"Content-Length", "3"}};
  const auto result = run_load(plan_at_rate(1, 1s), settings, {}, {});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(result.error().message,
            "timeout is 0s; must be > 0\n"
            "max-connections is 3; must be >= threads (4) and <= 1000000\n"
            "target: \"ftp://host/\" is no URL: must begin with http:// or https://\n"
            "target: header Content-Length is set from the body; leave it out");
}

TEST(LoadRun, ACertificateFileThatIsNoneIsNamed) {
  LoadSettings settings = settings_for("https://127.0.0.1:1/");
  settings.certificate_authority_file = "/dev/null";
  const auto result = run_load(plan_at_rate(1, 1s), settings, {}, {});
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().message.starts_with("certificate authority file /dev/null: ")) << result.error().message;
}

}  // namespace
}  // namespace mpca::load
