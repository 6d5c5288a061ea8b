// Of a build without gRPC.
#include <gtest/gtest.h>

#include "keda/scaler_server.h"

namespace mpca::keda {
namespace {

TEST(WithoutGrpc, WhoAsksForTheScalerIsTold) {
  ScalerServerSettings settings;
  settings.listen = "127.0.0.1:0";
  const auto started = ScalerServer::start(settings, {}, {});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::unsupported);
}

}  // namespace
}  // namespace mpca::keda
