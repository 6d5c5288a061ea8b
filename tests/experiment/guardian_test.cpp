// The guardian is the real program: what it does when its parent is gone, and when it is not needed.
#include "experiment/guardian.h"

#include <gtest/gtest.h>

#include <optional>

#include "core/os/real_clock.h"
#include "experiment/objects.h"
#include "experiment/scaling_guard.h"
#include "support/fake_api_server.h"

namespace mpca::experiment {
namespace {

using namespace std::chrono_literals;

/// Within twenty seconds.
bool eventually(const std::function<bool()>& holds) {
  os::RealClock clock;
  for (int i = 0; i < 1000; ++i) {
    if (holds()) return true;
    clock.sleep_until(clock.now() + 20ms);
  }
  return false;
}

class GuardianTest : public testing::Test {
 protected:
  GuardianTest() {
    server.make_scalable("apps/v1", "Deployment", "deployments");
    server.put_object(kDeploymentPath, deployment_object(3));
    server.put_object(kHpaPath, hpa_object("web", 60));
  }
  void set_aside() {
    SavedScaling saved{.run = "run 1", .replicas = 3, .hpas = {}};
    ASSERT_TRUE(save_scaling(client, kWeb, saved));
    ASSERT_TRUE(remove_hpas(client, kWeb, saved, clock, {}));
  }
  Result<Guardian> start(const std::string& run = "run 1") {
    return Guardian::start(MPCA_PROGRAM, {"experiment", "restore", "--when-stdin-ends", "--namespace", "shop",
                                          "--deployment", "web", "--kube-server", server.url(), "--run", run});
  }
  bool is_back() { return !server.object(kHpaPath).empty() && server.object(kMapPath).empty(); }

  test::FakeApiServer server;
  os::RealClock clock;
  kube::RateLimit limit{1000, 1000};
  kube::Client client{server.connection(), {}, limit, clock, RandomStream(1, "test")};
};

TEST_F(GuardianTest, RestoresWhenItsParentIsGone) {
  {
    auto guardian = start();
    ASSERT_TRUE(guardian) << guardian.error().message;
    set_aside();
    EXPECT_FALSE(is_back());
  }
  EXPECT_TRUE(eventually([&] { return is_back(); }));
}

TEST_F(GuardianTest, GoesOnWhileTheApiServerIsAway) {
  {
    auto guardian = start();
    ASSERT_TRUE(guardian) << guardian.error().message;
    set_aside();
    server.go_away();
  }
  os::RealClock real;
  real.sleep_until(real.now() + 300ms);
  server.come_back();
  EXPECT_TRUE(eventually([&] { return is_back(); }));
}

TEST_F(GuardianTest, DoesNothingWhenItIsDismissed) {
  auto guardian = start();
  ASSERT_TRUE(guardian) << guardian.error().message;
  set_aside();
  guardian->dismiss();
  EXPECT_FALSE(is_back()) << "it has ended, and it was not asked to restore";
  EXPECT_EQ(server.count("POST", "horizontalpodautoscalers"), 0);
}

TEST_F(GuardianTest, LeavesAloneWhatAnotherRunHasSaved) {
  {
    auto guardian = start("run 2");
    ASSERT_TRUE(guardian) << guardian.error().message;
    set_aside();
  }
  EXPECT_TRUE(eventually([&] { return server.count("GET", "configmaps") > 0; }));
  EXPECT_EQ(server.count("POST", "horizontalpodautoscalers"), 0);
}

TEST(Guardian, AProgramThatIsNotThereIsSaid) {
  const auto guardian = Guardian::start("/no/such/program", {});
  ASSERT_FALSE(guardian);
  EXPECT_EQ(guardian.error().message, "cannot start /no/such/program: No such file or directory");
}

}  // namespace
}  // namespace mpca::experiment
