#include "kube/lease.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kube/api_under_test.h"
#include "support/fake_api_server.h"

namespace mpca::kube {
namespace {

using namespace std::chrono_literals;
using test::Fault;

constexpr const char* kLease = "/apis/coordination.k8s.io/v1/namespaces/mpca-test/leases/leader";

/// A process with clocks of its own.
class Process {
 public:
  Process(const Connection& connection, const std::string& identity, Duration wall_skew = {})
      : identity_(identity),
        client_(connection, {.timeout = 300ms, .max_attempts = 1}, limit_, waits_, RandomStream(1, identity)),
        steps_(
            client_, {.namespace_name = "mpca-test", .name = "leader", .identity = identity},
            RandomStream(1, "election-" + identity), [this] { return now_; },
            [this, wall_skew] { return at_seconds(1.7e9) + wall_skew + now_; }) {}

  /// Does all that is due until `until`.
  void run_until(Duration until) {
    for (int i = 0; i < 1000; ++i) {
      const Duration again = steps_.step();
      if (again > until) break;
      now_ = std::max(now_, again);
    }
    now_ = until;
  }
  /// One request, for what happens between two of them.
  void step() { steps_.step(); }
  /// Time passes and it does nothing.
  void stopped_until(Duration until) { now_ = until; }
  bool may_write() const { return steps_.may_write(); }
  LeaseSteps& steps() { return steps_; }
  const std::string& identity() const { return identity_; }

 private:
  std::string identity_;
  Duration now_{};
  VirtualClock waits_;
  RateLimit limit_{1000, 1000};
  Client client_;
  LeaseSteps steps_;
};

class LeaseTest : public testing::Test {
 protected:
  nlohmann::json spec() const { return nlohmann::json::parse(server.object(kLease))["spec"]; }
  test::FakeApiServer server;
};

TEST_F(LeaseTest, TheFirstTakesItAndRenewsEachTwoSeconds) {
  Process first(server.connection(), "first");
  EXPECT_FALSE(first.may_write());
  first.run_until(0s);
  EXPECT_TRUE(first.may_write());
  EXPECT_EQ(spec()["holderIdentity"], "first");
  EXPECT_EQ(spec()["leaseDurationSeconds"], 15);
  EXPECT_EQ(spec()["leaseTransitions"], 0);
  EXPECT_EQ(spec()["acquireTime"], "2023-11-14T22:13:20.000000Z");
  first.run_until(20s);
  EXPECT_TRUE(first.may_write());
  EXPECT_EQ(server.count("PUT"), 10);
  EXPECT_EQ(server.count("GET"), 1);
  EXPECT_EQ(spec()["acquireTime"], "2023-11-14T22:13:20.000000Z");
  EXPECT_EQ(spec()["renewTime"], "2023-11-14T22:13:40.000000Z");
}

TEST_F(LeaseTest, AnotherTakesOverOnlyAfterItHasSeenNoChangeForTheWholeDurationHoweverWrongTheClocksAre) {
  for (const Duration skew : {Duration(0s), Duration(24h), Duration(-24h)}) {
    server.delete_object(kLease);
    Process first(server.connection(), "first", skew), second(server.connection(), "second", -skew);
    first.run_until(0s);
    for (Duration t = 0s; t <= 60s; t += 1s) {
      first.run_until(t);
      second.run_until(t);
      EXPECT_TRUE(first.may_write());
      EXPECT_FALSE(second.may_write());
    }
    // The first is stopped at 60 s. It stops writing at 70 s, and the second may begin at 75 s at the earliest.
    Duration took_over{};
    for (Duration t = 61s; t <= 90s; t += 1s) {
      first.stopped_until(t);
      second.run_until(t);
      EXPECT_FALSE(first.may_write() && second.may_write());
      if (second.may_write() && took_over == 0s) took_over = t;
    }
    EXPECT_FALSE(first.may_write());
    EXPECT_GE(took_over, 75s);
    EXPECT_LE(took_over, 75s + 5s);
    EXPECT_EQ(spec()["leaseTransitions"], 1);
    // Back again, the first finds out and waits.
    first.run_until(95s);
    EXPECT_FALSE(first.may_write());
    EXPECT_EQ(first.steps().election().holder(), "second");
  }
}

TEST_F(LeaseTest, AHolderThatCannotRenewStopsAtTheDeadlineAndGoesOnWhenItCanAgain) {
  Process first(server.connection(), "first");
  first.run_until(0s);
  server.add_fault({.kind = Fault::Kind::status, .status = 503, .times = -1});
  first.run_until(9s);
  EXPECT_TRUE(first.may_write());
  first.run_until(10s);
  EXPECT_FALSE(first.may_write());
  EXPECT_TRUE(first.steps().last_failure().has_value());
  EXPECT_LE(server.requests().size(), 2u + 6u);
  server.clear_faults();
  first.run_until(20s);
  EXPECT_TRUE(first.may_write());
  EXPECT_EQ(spec()["leaseTransitions"], 0);
}

TEST_F(LeaseTest, ARenewalThatGotLostIsReadBackAndIsNoLossOfTheLease) {
  Process first(server.connection(), "first");
  first.run_until(0s);
  server.add_fault({.kind = Fault::Kind::lost, .method = "PUT"});
  first.run_until(2s);
  EXPECT_TRUE(first.may_write());
  first.run_until(5s);
  EXPECT_TRUE(first.may_write());
  EXPECT_EQ(spec()["renewTime"], "2023-11-14T22:13:24.000000Z");
}

TEST_F(LeaseTest, AConflictEndsTheRightToWriteUntilARenewalSucceeds) {
  Process first(server.connection(), "first");
  first.run_until(0s);
  auto object = nlohmann::json::parse(server.object(kLease));
  object["metadata"]["labels"]["seen"] = "yes";
  server.put_object(kLease, object.dump());  // somebody labels it
  server.add_fault({.kind = Fault::Kind::status, .status = 500, .method = "GET"});
  first.run_until(2s);
  EXPECT_FALSE(first.may_write());
  first.run_until(8s);
  EXPECT_TRUE(first.may_write());
  EXPECT_NE(server.object(kLease).find(R"("seen":"yes")"), std::string::npos);  // and the label stays
}

// Both have read that the first is silent, in the same version, before either writes.
TEST_F(LeaseTest, OfTwoThatTakeOverAtTheSameTimeOneLoses) {
  Process first(server.connection(), "first");
  first.run_until(0s);
  Process second(server.connection(), "second"), third(server.connection(), "third");
  for (Process* process : {&second, &third}) {
    process->run_until(0s);
    process->stopped_until(20s);
  }
  second.step();
  third.step();
  ASSERT_EQ(server.count("PUT"), 0) << "so far they have only read";
  second.step();
  EXPECT_TRUE(second.may_write());
  third.step();
  ASSERT_EQ(server.count("PUT"), 2);
  EXPECT_EQ(third.steps().last_failure().value().failure, Failure::conflict);
  EXPECT_FALSE(third.may_write());
  EXPECT_TRUE(second.may_write());
  EXPECT_EQ(spec()["holderIdentity"], "second");
  EXPECT_EQ(spec()["leaseTransitions"], 1);
  // The one that lost looks again, and waits.
  third.run_until(25s);
  EXPECT_FALSE(third.may_write());
  EXPECT_EQ(third.steps().election().holder(), "second");
  EXPECT_EQ(server.count("PUT"), 2);
}

TEST_F(LeaseTest, OfTwoThatMakeItAtTheSameTimeOneLoses) {
  Process first(server.connection(), "first"), second(server.connection(), "second");
  first.step();
  second.step();
  ASSERT_EQ(server.count("POST"), 0) << "so far they have only read that there is none";
  first.step();
  EXPECT_TRUE(first.may_write());
  second.step();
  ASSERT_EQ(server.count("POST"), 2);
  EXPECT_EQ(second.steps().last_failure().value().failure, Failure::already_exists);
  EXPECT_FALSE(second.may_write());
  EXPECT_EQ(spec()["holderIdentity"], "first");
  second.run_until(5s);
  EXPECT_FALSE(second.may_write());
  EXPECT_EQ(second.steps().election().holder(), "first");
}

TEST_F(LeaseTest, WhatIsGivenBackIsTakenAtTheNextLook) {
  Process first(server.connection(), "first"), second(server.connection(), "second");
  first.run_until(10s);
  second.run_until(10s);
  first.steps().release();
  EXPECT_FALSE(first.may_write());
  EXPECT_EQ(spec()["holderIdentity"], "");
  EXPECT_EQ(spec()["leaseDurationSeconds"], 1);
  second.run_until(15s);
  EXPECT_TRUE(second.may_write());
  EXPECT_EQ(spec()["leaseTransitions"], 1);
  first.run_until(60s);
  EXPECT_FALSE(first.may_write());
}

TEST_F(LeaseTest, ALeaseThatIsDeletedIsMadeAnew) {
  Process first(server.connection(), "first");
  first.run_until(10s);
  server.delete_object(kLease);
  first.run_until(20s);
  EXPECT_TRUE(first.may_write());
  EXPECT_EQ(spec()["holderIdentity"], "first");
}

TEST(LeaseSettings, ReportEveryProblem) {
  const auto problems =
      check({.namespace_name = {}, .name = {}, .identity = {}, .duration = 10s, .renew_deadline = 10s, .retry = 9s});
  ASSERT_FALSE(problems.has_value());
  EXPECT_EQ(problems.error().message,
            "lease: the namespace is empty\n"
            "lease: the name is empty\n"
            "lease: the identity is empty\n"
            "lease: the duration 10s must be > the renew deadline 10s\n"
            "lease: the renew deadline 10s must be > 1.2 times the retry period, which is 9s");
}

class LeaseSuite : public test::ApiSuite {};

TEST_P(LeaseSuite, AThreadOfItsOwnTakesItAndGivesItBack) {
  const LeaseSettings settings{.namespace_name = api_->namespace_name(), .name = "leader", .identity = "thread"};
  const std::string path = path_of("/apis/coordination.k8s.io/v1", "leases", "leader");
  forget_at_end(path);
  {
    const LeaseElector elector(Client(api_->connection(), {.max_attempts = 1}, limit_, clock_, RandomStream(1, "c")),
                               settings, RandomStream(1, "e"));
    while (!elector.may_write()) clock_.sleep_until(clock_.now() + 1ms);
    EXPECT_FALSE(elector.last_failure().has_value());
  }
  const auto object = nlohmann::json::parse(client.get(path).value());
  EXPECT_EQ(object["spec"]["holderIdentity"], "");
}

INSTANTIATE_TEST_SUITE_P(Api, LeaseSuite, test::apis_under_test(), test::api_name);

}  // namespace
}  // namespace mpca::kube
