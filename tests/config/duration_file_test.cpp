#include "config/duration_file.h"

#include <gtest/gtest.h>

#include "core/duration_distribution.h"
#include "core/os/file.h"
#include "support/temporary_directory.h"

namespace mpca::config {
namespace {

using namespace std::chrono_literals;

struct DurationFile : testing::Test {
  test::TemporaryDirectory directory;
  std::string path = directory.path() + "/lags.txt";

  Result<std::string> resolved(std::string_view content) const {
    EXPECT_TRUE(os::write_file(path, content));
    return resolve_duration_text("@" + path);
  }
};

TEST_F(DurationFile, ATextThatNamesNoFileIsWhatItIs) {
  EXPECT_EQ(resolve_duration_text("lognormal(mean=40s,cv=0.3)").value(), "lognormal(mean=40s,cv=0.3)");
  EXPECT_EQ(resolve_duration_text("").value(), "");
}

TEST_F(DurationFile, ItsLinesAreTheSamples) {
  const std::string text = resolved("# measured on Monday\n31s\n\n 20s  # a warm node\r\n1m5s").value();
  EXPECT_EQ(text, "samples(31s;20s;1m5s)");
  EXPECT_NEAR(to_seconds(DurationDistribution::parse(text)->mean()), 116.0 / 3, 1e-8);
}

TEST_F(DurationFile, EveryLineThatIsNoDurationIsNamed) {
  const auto refused = resolved("31s\n40\n20s\n-1s\n");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(refused.error().message.find(path + ": line 2: "), std::string::npos);
  EXPECT_NE(refused.error().message.find("\n" + path + ": line 4: "), std::string::npos);
}

TEST_F(DurationFile, AFileWithoutDurationsAndNoFileAreErrors) {
  const auto empty = resolved("# nothing yet\n");
  ASSERT_FALSE(empty.has_value());
  EXPECT_EQ(empty.error().message, path + ": holds no duration; one a line is needed, like 40s");
  const auto missing = resolve_duration_text("@" + path + ".not");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace mpca::config
