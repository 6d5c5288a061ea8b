#include "kube/watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "kube/api_under_test.h"
#include "support/fake_api_server.h"

namespace mpca::kube {
namespace {

using namespace std::chrono_literals;
using Kind = WatchLoop::Step::Kind;
using test::Fault;

constexpr const char* kPods = "/api/v1/namespaces/shop/pods";

std::string object(const std::string& name, const std::string& version, const std::string& uid = "u") {
  return R"({"metadata":{"namespace":"shop","name":")" + name + R"(","uid":")" + uid + R"(","resourceVersion":")" +
         version + R"("}})";
}
std::string page(const std::string& version, const std::vector<std::string>& items, const std::string& more = {}) {
  std::string all;
  for (const std::string& item : items) all += (all.empty() ? "" : ",") + item;
  return R"({"metadata":{"resourceVersion":")" + version + R"(","continue":")" + more + R"("},"items":[)" + all + "]}";
}
std::string line(const std::string& type, const std::string& what) {
  return R"({"type":")" + type + R"(","object":)" + what + "}";
}
std::string error_line(int code) { return line("ERROR", R"({"kind":"Status","code":)" + std::to_string(code) + "}"); }

std::string text_of(const Change& change) {
  constexpr const char* kSigns[] = {"+", "~", "-"};
  return kSigns[static_cast<int>(change.kind)] + change.name;
}

class WatchLoopTest : public testing::Test {
 protected:
  OnChange note = [this](const Change& change) { told.push_back(text_of(change)); };
  std::vector<std::string> take() { return std::exchange(told, {}); }
  /// Lists pods a at 1 and b at 2 and begins to watch.
  void sync() {
    loop.next();
    loop.on_page(page("10", {object("a", "1"), object("b", "2")}), note);
    take();
    EXPECT_EQ(loop.next().kind, Kind::watch);
  }
  ApiError failure_of(Failure failure, int status = 0) { return {.failure = failure, .status = status}; }

  WatchLoop loop{kPods, RandomStream(1, "watch")};
  std::vector<std::string> told;
};

using Told = std::vector<std::string>;

TEST_F(WatchLoopTest, ListsInPagesTellsAllAndWatchesFromTheListsVersion) {
  EXPECT_EQ(loop.next().kind, Kind::list);
  loop.on_page(page("10", {object("a", "1")}, "more"), note);
  EXPECT_EQ(take(), Told{});
  EXPECT_FALSE(loop.has_synced());
  const auto second = loop.next();
  EXPECT_EQ(second.kind, Kind::list);
  EXPECT_EQ(second.continue_token, "more");
  loop.on_page(page("10", {object("b", "2")}), note);
  EXPECT_EQ(take(), (Told{"+a", "+b"}));
  EXPECT_TRUE(loop.has_synced());
  const auto watch = loop.next();
  EXPECT_EQ(watch.kind, Kind::watch);
  EXPECT_TRUE(watch.path.starts_with(std::string(kPods) +
                                     "?watch=1&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds=2"))
      << watch.path;
}

TEST_F(WatchLoopTest, EventsAreToldAndTheNextWatchGoesOnFromTheLastVersionBookmarksIncluded) {
  sync();
  EXPECT_TRUE(loop.on_line(line("ADDED", object("c", "11")), note));
  EXPECT_TRUE(loop.on_line(line("MODIFIED", object("a", "12")), note));
  EXPECT_TRUE(loop.on_line(line("DELETED", object("b", "13")), note));
  EXPECT_TRUE(loop.on_line(line("BOOKMARK", R"({"metadata":{"resourceVersion":"20"}})"), note));
  EXPECT_EQ(take(), (Told{"+c", "~a", "-b"}));
  loop.on_watch_ended({});
  const auto next = loop.next();
  EXPECT_EQ(next.kind, Kind::watch);
  EXPECT_NE(next.path.find("resourceVersion=20&"), std::string::npos);
}

TEST_F(WatchLoopTest, AfterAnErrorEvent410ItListsAgainAtOnceAndTellsTheDifferenceDeletionsIncluded) {
  sync();
  EXPECT_FALSE(loop.on_line(error_line(410), note));
  loop.on_watch_ended({});
  const auto next = loop.next();
  EXPECT_EQ(next.kind, Kind::list);
  EXPECT_EQ(next.continue_token, "");
  loop.on_page(page("30", {object("a", "1"), object("b", "25", "other"), object("d", "29")}), note);
  EXPECT_EQ(take(), (Told{"-b", "+b", "+d"}));  // a is as it was; b is another one of that name
}

TEST_F(WatchLoopTest, A410ThatComesAgainAndAgainIsNoHotLoop) {
  sync();
  int lists = 0, waits = 0;
  for (int i = 0; i < 100 && lists < 20; ++i) {
    const auto step = loop.next();
    if (step.kind == Kind::wait) ++waits;
    if (step.kind == Kind::list) {
      ++lists;
      loop.on_page(page("30", {}), note);
    }
    if (step.kind == Kind::watch) {
      loop.on_line(error_line(410), note);
      loop.on_watch_ended({});
    }
  }
  EXPECT_EQ(lists, 20);
  EXPECT_GE(waits, 19);
}

TEST_F(WatchLoopTest, AWatchThatBreaksIsResumedAndOneThatNeverSaysAnythingIsNotResumedAtOnce) {
  sync();
  loop.on_line(line("MODIFIED", object("a", "12")), note);
  loop.on_watch_ended(std::unexpected(failure_of(Failure::unreachable)));
  EXPECT_EQ(loop.next().kind, Kind::watch);
  loop.on_watch_ended(std::unexpected(failure_of(Failure::unreachable)));
  EXPECT_EQ(loop.next().kind, Kind::wait);
  EXPECT_EQ(loop.next().kind, Kind::watch);
  EXPECT_EQ(loop.resource_version(), "12");
}

TEST_F(WatchLoopTest, OtherErrorsBackOffAndThenListOrWatch) {
  sync();
  EXPECT_FALSE(loop.on_line(error_line(500), note));
  loop.on_watch_ended({});
  EXPECT_EQ(loop.next().kind, Kind::wait);
  EXPECT_EQ(loop.next().kind, Kind::list);
  loop.on_list_failed(failure_of(Failure::forbidden, 403));
  const auto wait = loop.next();
  EXPECT_EQ(wait.kind, Kind::wait);
  EXPECT_GE(wait.wait, 1min);
  EXPECT_EQ(loop.next().kind, Kind::list);
}

TEST_F(WatchLoopTest, ExpiredPagesAreListedFromTheFirstOneAndNothingOfThemIsTold) {
  loop.next();
  loop.on_page(page("10", {object("a", "1")}, "more"), note);
  loop.next();
  loop.on_list_failed(failure_of(Failure::gone, 410));
  const auto next = loop.next();
  EXPECT_EQ(next.kind, Kind::list);
  EXPECT_EQ(next.continue_token, "");
  loop.on_page(page("11", {object("b", "2")}), note);
  EXPECT_EQ(take(), Told{"+b"});
}

TEST_F(WatchLoopTest, AWatchRefusedWith410ListsAgain) {
  sync();
  loop.on_watch_ended(std::unexpected(failure_of(Failure::gone, 410)));
  EXPECT_EQ(loop.next().kind, Kind::list);
}

TEST_F(WatchLoopTest, WhatIsNotOfTheProtocolEndsTheWatchAndBacksOff) {
  sync();
  for (const char* bad : {"<html>", "[]", R"({"type":"ADDED"})", R"({"type":"ADDED","object":7})"}) {
    EXPECT_FALSE(loop.on_line(bad, note)) << bad;
    loop.on_watch_ended({});
    EXPECT_EQ(loop.next().kind, Kind::wait) << bad;
    EXPECT_EQ(loop.next().kind, Kind::watch) << bad;
  }
  EXPECT_EQ(take(), Told{});
  EXPECT_EQ(loop.resource_version(), "10");
}

/// What a watcher's thread told, to wait for.
class Heard {
 public:
  OnChange sink() {
    return [this](const Change& change) {
      const std::scoped_lock lock(mutex_);
      all_.push_back(text_of(change));
      changed_.notify_all();
    };
  }
  /// As soon as it was told; false: it was not.
  bool wait_for(std::string_view text) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 20s, [&] { return std::ranges::find(all_, text) != all_.end(); });
  }
  /// As soon as there are that many.
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 20s, [&] { return all_.size() >= count; });
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> all_;
};

class WatchSuite : public test::ApiSuite {};

TEST_P(WatchSuite, SeesWhatIsThereWhatComesAndWhatGoes) {
  ASSERT_TRUE(make_deployment("before", 0).has_value());
  Heard heard;
  const Watcher watcher(Client(api_->connection(), {.max_attempts = 1}, limit_, clock_, RandomStream(1, "c")),
                        deployments() + "?fieldSelector=metadata.name%3Dbefore", RandomStream(1, "w"), heard.sink());
  EXPECT_EQ(heard.wait_for(1)[0], "+before");
  ASSERT_TRUE(make_deployment("other", 0).has_value());
  ASSERT_TRUE(client.remove(deployments("before")).has_value());
  EXPECT_TRUE(heard.wait_for("-before"));  // a real controller writes statuses in between
  const auto all = heard.wait_for(2);
  EXPECT_TRUE(std::ranges::find(all, "+other") == all.end());
}

INSTANTIATE_TEST_SUITE_P(Api, WatchSuite, test::apis_under_test(), test::api_name);

TEST(WatcherOnFaults, GoesOnThroughEndedCutAndExpiredWatches) {
  test::FakeApiServer server;
  RateLimit limit(1000, 1000);
  os::RealClock clock;
  server.put_object(std::string(kPods) + "/a", "{}");
  server.put_object(std::string(kPods) + "/b", "{}");
  Heard heard;
  const Watcher watcher(Client(server.connection(), {.max_attempts = 1}, limit, clock, RandomStream(1, "c")), kPods,
                        RandomStream(1, "w"), heard.sink());
  const auto wait_for_watch = [&] {
    while (server.open_watches() == 0) clock.sleep_until(clock.now() + 1ms);
  };
  EXPECT_EQ(heard.wait_for(2).size(), 2u);
  wait_for_watch();
  server.bookmark();
  server.end_watches();
  server.put_object(std::string(kPods) + "/c", "{}");
  EXPECT_EQ(heard.wait_for(3)[2], "+c");
  EXPECT_EQ(server.count("GET", "limit="), 1);  // resumed, not listed
  wait_for_watch();
  server.add_fault({.kind = Fault::Kind::half_close, .path = "watch=1"});
  server.cut_connections();
  server.put_object(std::string(kPods) + "/d", "{}");
  EXPECT_EQ(heard.wait_for(4)[3], "+d");
  EXPECT_EQ(server.count("GET", "limit="), 1);
  wait_for_watch();
  server.add_fault({.kind = Fault::Kind::status, .status = 500, .path = "watch=1"});
  server.cut_connections();
  server.delete_object(std::string(kPods) + "/a");
  server.compact();
  EXPECT_EQ(heard.wait_for(5)[4], "-a");
}

TEST(WatcherOnFaults, SaysSinceWhenItIsInTroubleAndWhenThatIsOver) {
  test::FakeApiServer server;
  RateLimit limit(1000, 1000);
  os::RealClock clock;
  server.put_object(std::string(kPods) + "/a", "{}");
  Heard heard;
  const Watcher watcher(Client(server.connection(), {.max_attempts = 1}, limit, clock, RandomStream(1, "c")), kPods,
                        RandomStream(1, "w"), heard.sink());
  EXPECT_EQ(heard.wait_for(1).size(), 1u);
  while (server.open_watches() == 0) clock.sleep_until(clock.now() + 1ms);
  EXPECT_FALSE(watcher.trouble().has_value());
  server.add_fault({.kind = Fault::Kind::status, .status = 503, .path = kPods, .times = -1});
  server.cut_connections();
  while (!watcher.trouble() || watcher.trouble()->error.failure != Failure::server)
    clock.sleep_until(clock.now() + 1ms);
  const Duration before = watcher.trouble()->lasted;
  clock.sleep_until(clock.now() + 50ms);
  EXPECT_GE(watcher.trouble()->lasted, before + 50ms);
  EXPECT_TRUE(watcher.has_synced());
  server.clear_faults();
  for (int i = 0; i < 10'000 && watcher.trouble(); ++i) clock.sleep_until(clock.now() + 1ms);
  EXPECT_FALSE(watcher.trouble().has_value()) << "the server answers, though nothing has happened";
}

}  // namespace
}  // namespace mpca::kube
