#include <gtest/gtest.h>

#include "config/policy_text.h"
#include "core/os/file.h"
#include "core/text.h"
#include "policy/policy.h"
#include "policy/predictive/prior.h"
#include "support/temporary_directory.h"

namespace mpca::config {
namespace {

using test::TemporaryDirectory;

TEST(PriorFile, IsWrittenOutInThePolicysTextBesideOtherSettings) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("prior.csv");
  ASSERT_TRUE(os::write_file(path, policy::shipped_prior_file()));
  const auto text = resolve_policy_text(cat("predictive:late-price=3, prior=@", path, " ,latency-target=1s"));
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_TRUE(text->starts_with("predictive:late-price=3,prior=level x1.02:")) << text->substr(0, 60);
  EXPECT_TRUE(text->ends_with(",latency-target=1s"));
  EXPECT_TRUE(policy::create_policy(*text, {}, "test"));
}

TEST(PriorFile, ProblemsNameTheFile) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("prior.csv");
  EXPECT_EQ(resolve_policy_text("predictive:prior=@nowhere.csv").error().message, "file not found: nowhere.csv");
  EXPECT_EQ(resolve_policy_text("predictive:prior=@").error().message, "prior=@ needs the name of a prior file");
  ASSERT_TRUE(os::write_file(path, "# mpca-prior 1\ncandidate,cost,late\nlevel x1.02,1,7\n"));
  EXPECT_EQ(resolve_policy_texts({cat("predictive:prior=@", path)}).error().message,
            cat("--policy: ", path, ": line 3: late is \"7\"; must be between 0 and 1"));
}

}  // namespace
}  // namespace mpca::config
