#include "kube/client.h"

#include <gtest/gtest.h>

#include "core/os/file.h"
#include "support/fake_api_server.h"
#include "support/temporary_directory.h"

namespace mpca::kube {
namespace {

using namespace std::chrono_literals;
using test::Fault;
using Kind = test::Fault::Kind;

constexpr const char* kWeb = "/apis/apps/v1/namespaces/shop/deployments/web";
constexpr const char* kPods = "/api/v1/namespaces/shop/pods";

class ClientTest : public testing::Test {
 protected:
  ClientTest() { server.put_object(kWeb, R"({"kind":"Deployment","spec":{"replicas":3}})"); }

  Client client_of(Connection connection, ClientSettings settings = {}) {
    return Client(std::move(connection), settings, limit, clock, RandomStream(1, "client"));
  }
  void fail_next(Fault fault) { server.add_fault(std::move(fault)); }
  Duration passed() const { return clock.now().time_since_epoch(); }

  test::FakeApiServer server;
  RateLimit limit{1000, 1000};
  VirtualClock clock;
  Client client = client_of(server.connection());
};

TEST_F(ClientTest, EachKindOfRefusalIsToldApart) {
  const struct {
    int status;
    const char* reason;
    Failure failure;
  } kCases[] = {{403, "Forbidden", Failure::forbidden},
                {404, "NotFound", Failure::not_found},
                {409, "Conflict", Failure::conflict},
                {409, "AlreadyExists", Failure::already_exists},
                {410, "Expired", Failure::gone},
                {400, "BadRequest", Failure::invalid},
                {422, "Invalid", Failure::invalid},
                {401, "Unauthorized", Failure::unauthorized},
                {405, "MethodNotAllowed", Failure::invalid}};
  for (const auto& one : kCases) {
    fail_next({.status = one.status, .reason = one.reason});
    const auto answer = client.get(kWeb);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().failure, one.failure) << one.reason;
    EXPECT_EQ(answer.error().status, one.status);
    EXPECT_EQ(answer.error().reason, one.reason);
    EXPECT_EQ(answer.error().message,
              std::string("fake: GET ") + kWeb + ": " + std::to_string(one.status) + " " + one.reason + ": scripted");
  }
  EXPECT_EQ(server.count("GET"), 9);  // none of them is tried again
  EXPECT_EQ(passed(), 0s);
}

TEST_F(ClientTest, AReadGoesOnAfterTroubleOfTheServerAndOfTheWay) {
  for (const Kind kind : {Kind::status, Kind::reset, Kind::lost, Kind::half_close}) {
    fail_next({.kind = kind, .status = 503});
    const auto answer = client.get(kWeb);
    EXPECT_TRUE(answer.has_value()) << answer.error().message;
  }
  fail_next({.kind = Kind::slow});
  EXPECT_TRUE(client.get(kWeb).has_value());
  EXPECT_EQ(server.count("GET"), 9);
  EXPECT_LE(passed(), 4 * 400ms);  // each waits at most 0.2 s · 2 before its second attempt
}

TEST_F(ClientTest, AHangingServerIsATimeoutAndTheNextAttemptOnANewConnectionWorks) {
  Client hasty = client_of(server.connection(), {.timeout = 100ms});
  fail_next({.kind = Kind::hang});
  EXPECT_TRUE(hasty.get(kWeb).has_value());
  Client once = client_of(server.connection(), {.timeout = 100ms, .max_attempts = 1});
  fail_next({.kind = Kind::hang});
  EXPECT_EQ(once.get(kWeb).error().failure, Failure::timeout);
}

TEST_F(ClientTest, AWriteThatMayHaveBeenCarriedOutIsNotRepeatedAndItsErrorSaysSo) {
  const char* const kPatch = R"({"spec":{"replicas":7}})";
  for (const Kind kind : {Kind::lost, Kind::half_close, Kind::reset}) {
    fail_next({.kind = kind});
    const auto answer = client.patch(kWeb, PatchKind::merge, kPatch);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().failure, Failure::unreachable);
    EXPECT_TRUE(answer.error().outcome_unknown);
  }
  fail_next({.status = 500, .reason = "InternalError"});
  const auto refused = client.patch(kWeb, PatchKind::merge, kPatch);
  EXPECT_EQ(refused.error().failure, Failure::server);
  EXPECT_TRUE(refused.error().outcome_unknown);
  EXPECT_EQ(server.count("PATCH"), 4);
  EXPECT_NE(server.object(kWeb).find(R"("replicas":7)"), std::string::npos);  // indeed it was
}

TEST_F(ClientTest, AWriteThatNeverLeftIsTriedAgain) {
  Connection nowhere = server.connection();
  nowhere.server = "http://127.0.0.1:1";
  Client lost = client_of(nowhere, {.max_attempts = 4});
  const auto answer = lost.create(kPods, "{}");
  EXPECT_EQ(answer.error().failure, Failure::unreachable);
  EXPECT_FALSE(answer.error().outcome_unknown);
  EXPECT_GT(passed(), 0s);
  EXPECT_LE(passed(), 400ms + 800ms + 1600ms);
}

TEST_F(ClientTest, TooManyRequestsWaitsAsLongAsItIsToldAndThenWritesToo) {
  fail_next({.status = 429, .reason = "TooManyRequests", .headers = "Retry-After: 2\r\n"});
  EXPECT_TRUE(client.patch(kWeb, PatchKind::merge, R"({"spec":{"replicas":4}})").has_value());
  EXPECT_GE(passed(), 2s);
  EXPECT_LE(passed(), 2s + 400ms);
}

// Who asked whether it leads, and then waited, may lead no more.
TEST_F(ClientTest, AWriteThatMustNotComeLaterIsTriedOnce) {
  fail_next({.status = 429, .reason = "TooManyRequests", .headers = "Retry-After: 2\r\n"});
  const auto answer = client.patch_once(kWeb, PatchKind::merge, R"({"spec":{"replicas":4}})");
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().failure, Failure::too_many_requests);
  EXPECT_EQ(passed(), 0s);
}

TEST_F(ClientTest, AWaitLongerThanThePatienceIsTheCallersToWait) {
  fail_next({.status = 429,
             .reason = "TooManyRequests",
             .headers = "Retry-After: 60\r\nX-Kubernetes-PF-FlowSchema-UID: abc\r\n"});
  const auto answer = client.get(kWeb);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().failure, Failure::too_many_requests);
  EXPECT_EQ(answer.error().retry_after, Duration(60s));
  EXPECT_TRUE(answer.error().message.ends_with("(a limit of API priority and fairness)")) << answer.error().message;
  EXPECT_EQ(passed(), 0s);
}

TEST_F(ClientTest, AttemptsAndTimeAreBoundedWhenTheServerStaysDown) {
  fail_next({.status = 503, .times = -1});
  EXPECT_EQ(client.get(kWeb).error().failure, Failure::server);
  EXPECT_LE(server.count("GET"), 5);
  EXPECT_LE(passed(), 10s);
}

TEST_F(ClientTest, ATokenFileIsReadAgainAfterAMinuteAndAtOnceWhenTheOldTokenIsRefused) {
  const test::TemporaryDirectory directory;
  Connection connection = server.connection();
  connection.token_file = directory.file("token");
  const auto rotate = [&](const std::string& token) {
    ASSERT_TRUE(os::write_file(connection.token_file, token + "\n").has_value());
  };
  rotate("first");
  server.accept_tokens({"first", "second"});
  Client with_file = client_of(connection);
  EXPECT_TRUE(with_file.get(kWeb).has_value());
  rotate("second");
  clock.sleep_until(clock.now() + 59s);
  EXPECT_TRUE(with_file.get(kWeb).has_value());
  EXPECT_EQ(server.requests().back().authorization, "Bearer first");
  clock.sleep_until(clock.now() + 1s);
  EXPECT_TRUE(with_file.get(kWeb).has_value());
  EXPECT_EQ(server.requests().back().authorization, "Bearer second");
  rotate("third");
  server.accept_tokens({"third"});
  EXPECT_TRUE(with_file.patch(kWeb, PatchKind::merge, "{}").has_value());
  server.accept_tokens({"fourth"});
  const auto refused = with_file.get(kWeb);
  EXPECT_EQ(refused.error().failure, Failure::unauthorized);
  EXPECT_EQ(refused.error().message.find("third"), std::string::npos);
  EXPECT_EQ(server.count("GET"), 5);  // the last one twice, and no more
}

TEST_F(ClientTest, ATokenFileThatIsMissingIsNamed) {
  Connection connection = server.connection();
  connection.token_file = "/nowhere/token";
  Client without = client_of(connection);
  const auto answer = without.get(kWeb);
  EXPECT_EQ(answer.error().failure, Failure::unauthorized);
  EXPECT_EQ(answer.error().message, "fake: file not found: /nowhere/token");
}

TEST_F(ClientTest, AnExecCredentialIsKeptUntilShortlyBeforeItExpiresOrIsRefused) {
  int asked = 0;
  Connection connection = server.connection();
  connection.exec = [&] {
    ++asked;
    return Result<ExecCredential>(ExecCredential{.token = "t" + std::to_string(asked), .expires = clock.now() + 100s});
  };
  server.accept_tokens({"t1", "t2", "t3"});
  Client with_exec = client_of(connection);
  EXPECT_TRUE(with_exec.get(kWeb).has_value());
  clock.sleep_until(at_seconds(89));
  EXPECT_TRUE(with_exec.get(kWeb).has_value());
  EXPECT_EQ(asked, 1);
  clock.sleep_until(at_seconds(90));
  EXPECT_TRUE(with_exec.get(kWeb).has_value());
  EXPECT_EQ(asked, 2);
  server.accept_tokens({"t3"});
  EXPECT_TRUE(with_exec.get(kWeb).has_value());
  EXPECT_EQ(asked, 3);
}

TEST_F(ClientTest, AllPagesOfAListComeAndWhenTheyHaveExpiredItBeginsAnew) {
  for (const char* name : {"a", "b", "c", "d", "e"})
    server.put_object(std::string(kPods) + "/" + name, R"({"metadata":{"labels":{"app":"web"}}})");
  server.put_object(std::string(kPods) + "/other", "{}");
  Client paged = client_of(server.connection(), {.list_limit = 2});
  const auto list = paged.list(std::string(kPods) + "?labelSelector=app%3Dweb");
  ASSERT_TRUE(list.has_value()) << list.error().message;
  EXPECT_EQ(list->items.size(), 5u);
  EXPECT_EQ(server.count("GET"), 3);
  fail_next({.status = 410, .reason = "Expired", .path = "continue="});
  EXPECT_EQ(paged.list(std::string(kPods) + "?labelSelector=app%3Dweb")->items.size(), 5u);
  EXPECT_EQ(server.count("GET"), 3 + 2 + 3);
}

TEST_F(ClientTest, AnAnswerThatIsNotOfThisApiIsAFailure) {
  fail_next({.status = 302});
  EXPECT_EQ(client.get(kWeb).error().failure, Failure::invalid);
  EXPECT_EQ(client.list(kWeb).value().items.size(), 0u);  // an object without items
}

TEST_F(ClientTest, StatusIsAppliedUnderTheManagersNameAndTakesWhatOthersOwn) {
  ASSERT_TRUE(client.apply_status(kWeb, "mpc autoscaler", R"({"status":{"phase":"Watching"}})").has_value());
  const auto request = server.requests().back();
  EXPECT_EQ(request.path, std::string(kWeb) + "/status?fieldManager=mpc%20autoscaler&force=true");
  EXPECT_EQ(request.content_type, "application/apply-patch+yaml");
  EXPECT_NE(server.object(kWeb).find(R"("phase":"Watching")"), std::string::npos);
}

TEST_F(ClientTest, TheRateLimitIsWaitedFor) {
  RateLimit slow(1, 1);
  Client limited(server.connection(), {}, slow, clock, RandomStream(1, "client"));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(limited.get(kWeb).has_value());
  EXPECT_EQ(passed(), 3s);
}

TEST(FullJitter, GrowsTwofoldUpToHalfAMinuteAndUsesAllOfIt) {
  RandomStream random(7, "jitter");
  for (int failures = 0; failures < 20; ++failures) {
    Duration longest{};
    for (int i = 0; i < 500; ++i) longest = std::max(longest, full_jitter(failures, random));
    const Duration limit = std::min<Duration>(30s, 200ms * (1 << std::min(failures, 10)));
    EXPECT_LE(longest, limit);
    EXPECT_GT(longest, limit * 9 / 10);
  }
}

TEST(InCluster, ReadsWhatEveryPodFinds) {
  const test::TemporaryDirectory directory;
  for (const auto& [name, text] : {std::pair{"token", "t0k"}, {"ca.crt", "CA"}, {"namespace", "shop\n"}})
    ASSERT_TRUE(os::write_file(directory.file(name), text).has_value());
  const auto connection = in_cluster("fd00::1", "443", directory.path());
  ASSERT_TRUE(connection.has_value()) << connection.error().message;
  EXPECT_EQ(connection->server, "https://[fd00::1]:443");
  EXPECT_EQ(connection->tls.ca.file, directory.file("ca.crt"));
  EXPECT_EQ(connection->default_namespace, "shop");
}

TEST(InCluster, SaysWhatIsMissing) {
  EXPECT_EQ(in_cluster("", "443").error().message,
            "not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not both set");
  EXPECT_EQ(in_cluster("10.0.0.1", "443", "/nowhere").error().message,
            "in-cluster: file not found: /nowhere/token; the pod needs a service account with its token mounted");
}

}  // namespace
}  // namespace mpca::kube
