#include "control/saved_states.h"

#include <gtest/gtest.h>

#include "core/clock.h"
#include "core/text.h"
#include "support/fake_api_server.h"

namespace mpca::control {
namespace {

constexpr const char* kMap = "/api/v1/namespaces/mpc-system/configmaps/mpc-autoscaler-state-u1";

class SavedStatesTest : public testing::Test {
 protected:
  test::FakeApiServer server;
  VirtualClock clock{at_seconds(1'777'629'600)};
  kube::RateLimit limit{1000, 1000};
  kube::Client client{server.connection(), {.max_attempts = 1}, limit, clock, RandomStream(1, "test")};
  SavedStates states{"mpc-system"};
};

TEST_F(SavedStatesTest, AStateIsFoundAgainByItsObject) {
  EXPECT_FALSE(states.load(client, "u1").value().has_value());
  config::AutoscalerObject object;
  object.uid = "u1";
  ASSERT_TRUE(states.save(client, object, "what was learned"));
  const auto found = states.load(client, "u1").value();
  ASSERT_TRUE(found && *found);
  EXPECT_EQ(**found, "what was learned");
  EXPECT_EQ(states.saved(client).value(), std::vector<std::string>{"u1"});
  ASSERT_TRUE(states.remove(client, "u1"));
  EXPECT_FALSE(states.load(client, "u1").value().has_value());
}

TEST_F(SavedStatesTest, AMapOfAnotherShapeHoldsNoStateAndDoesNoHarm) {
  const std::string deep = std::string(200, '[') + std::string(200, ']');
  for (const std::string& map :
       {std::string("{}"), std::string(R"({"data":[],"binaryData":7})"),
        std::string(R"({"data":{"bytes":40},"binaryData":{"state.zlib":["eJw="]}})"), cat(R"({"data":)", deep, "}")}) {
    server.put_object(kMap, map);
    const auto found = states.load(client, "u1").value();
    ASSERT_TRUE(found && !*found) << map;
    EXPECT_EQ(found->error().message, "ConfigMap mpc-autoscaler-state-u1 holds no saved state");
  }
}

}  // namespace
}  // namespace mpca::control
