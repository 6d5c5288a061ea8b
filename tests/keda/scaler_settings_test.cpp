// The flags by themselves.
#include <gtest/gtest.h>

#include "keda/scaler_server.h"

namespace mpca::keda {
namespace {

TEST(ScalerSettings, NothingGivenIsFine) { EXPECT_TRUE(check({})); }

TEST(ScalerSettings, EverythingThatIsWrongIsSaid) {
  const auto checked =
      check({.listen = "9443", .tls_certificate = {}, .tls_key = "tls.key", .tls_client_authorities = "ca.crt"});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().message,
            "--keda-listen is \"9443\"; must be HOST:PORT or :PORT\n"
            "--keda-tls-cert and --keda-tls-key are of use only together\n"
            "--keda-tls-ca is only of use with --keda-tls-cert");
}

}  // namespace
}  // namespace mpca::keda
