#include "workload/toy_load_settings.h"

#include <gtest/gtest.h>

#include <map>

namespace mpca::workload {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kOwnPid = 42;

Result<ToyLoadSettings> read(const std::map<std::string, std::string>& variables) {
  return settings_from(
      [&](std::string_view name) -> std::optional<std::string> {
        const auto found = variables.find(std::string(name));
        return found == variables.end() ? std::nullopt : std::optional(found->second);
      },
      kOwnPid);
}

TEST(ToyLoadSettings, WithoutVariablesItIsTheReferenceServer) {
  const ToyLoadSettings settings = read({}).value();
  EXPECT_EQ(settings.port, 9090);
  EXPECT_EQ(settings.metrics_path, "/metrics");
  EXPECT_EQ(settings.read_timeout, 5s);
  EXPECT_EQ(settings.read_header_timeout, 5s);
  EXPECT_EQ(settings.write_timeout, 20s);
  EXPECT_EQ(settings.idle_timeout, 60s);
  EXPECT_EQ(settings.shutdown_timeout, 25s);
  EXPECT_EQ(settings.max_header_bytes, 1048576);
  EXPECT_EQ(settings.max_query_id_bytes, 256);
  EXPECT_EQ(settings.log_level, "info");
  EXPECT_EQ(settings.app_name, "toy-load");
  EXPECT_FALSE(settings.admission_limits().concurrency.has_value());
  EXPECT_FALSE(settings.admission_limits().queue_limit.has_value());
  EXPECT_EQ(settings.ready_lag, DurationDistribution::constant(0s));
  EXPECT_EQ(settings.inherited_listener, -1);
}

TEST(ToyLoadSettings, ValuesAreTrimmedAndEmptyOnesAreTheDefault) {
  const ToyLoadSettings settings = read({{"PORT", " 0 "},
                                         {"METRICS_PATH", " /m "},
                                         {"READ_TIMEOUT", "\t150ms\n"},
                                         {"IDLE_TIMEOUT", "1m30s"},
                                         {"WRITE_TIMEOUT", "  "},
                                         {"LOG_LEVEL", " WARNING "},
                                         {"APP_NAME", " pod 1 "},
                                         {"CONCURRENCY", "2"},
                                         {"QUEUE_LIMIT", "0"},
                                         {"READY_AFTER", "lognormal(mean=40s,cv=0.3)"}})
                                       .value();
  EXPECT_EQ(settings.port, 0);
  EXPECT_EQ(settings.metrics_path, "/m");
  EXPECT_EQ(settings.read_timeout, 150ms);
  EXPECT_EQ(settings.idle_timeout, 90s);
  EXPECT_EQ(settings.write_timeout, 20s);
  EXPECT_EQ(settings.log_level, "warning");
  EXPECT_EQ(settings.app_name, "pod 1");
  EXPECT_EQ(settings.admission_limits().concurrency, 2);
  EXPECT_EQ(settings.admission_limits().queue_limit, 0u);
  EXPECT_EQ(settings.ready_lag.mean(), 40s);
}

TEST(ToyLoadSettings, ABadValueIsNamedByItsVariable) {
  const struct {
    const char* name;
    const char* value;
  } cases[] = {
      {"PORT", "x"},
      {"PORT", "65536"},
      {"METRICS_PATH", "metrics"},
      {"METRICS_PATH", "/work"},
      {"METRICS_PATH", "/"},
      {"READ_TIMEOUT", "5"},
      {"READ_TIMEOUT", "0s"},
      {"READ_HEADER_TIMEOUT", "-1s"},
      {"WRITE_TIMEOUT", "soon"},
      {"IDLE_TIMEOUT", "0"},
      {"SHUTDOWN_TIMEOUT", "1x"},
      {"MAX_HEADER_BYTES", "0"},
      {"MAX_QUERY_ID_BYTES", "-1"},
      {"LOG_LEVEL", "loud"},
      {"CONCURRENCY", "-1"},
      {"QUEUE_LIMIT", "-2"},
      {"READY_AFTER", "normal(1s)"},
      {"SEED", "-1"},
  };
  for (const auto& one : cases) {
    const auto settings = read({{one.name, one.value}});
    ASSERT_FALSE(settings.has_value()) << one.name << "=" << one.value;
    EXPECT_TRUE(settings.error().message.starts_with(one.name)) << settings.error().message;
    EXPECT_NE(settings.error().message.find(one.value), std::string::npos) << settings.error().message;
  }
}

TEST(ToyLoadSettings, AllBadValuesAreReportedAtOnce) {
  EXPECT_EQ(read({{"PORT", "x"}, {"IDLE_TIMEOUT", "y"}, {"METRICS_PATH", "z"}}).error().message,
            "PORT is \"x\"; must be a whole number >= 0 and <= 65535\n"
            "IDLE_TIMEOUT is \"y\"; must be a duration such as 45s or 1m30s, > 0s\n"
            "METRICS_PATH is \"z\"; must start with / and be none of /, /healthz, /readyz, /work");
}

TEST(ToyLoadSettings, AListenerIsInheritedOnlyByTheProcessItIsMeantFor) {
  EXPECT_EQ(read({{"LISTEN_PID", "42"}, {"LISTEN_FDS", "1"}}).value().inherited_listener, 3);
  EXPECT_EQ(read({{"LISTEN_PID", "41"}, {"LISTEN_FDS", "1"}}).value().inherited_listener, -1);
  EXPECT_EQ(read({{"LISTEN_FDS", "1"}}).value().inherited_listener, -1);
  EXPECT_EQ(read({{"LISTEN_PID", "42"}, {"LISTEN_FDS", "2"}}).error().message, "LISTEN_FDS is \"2\"; must be 1");
}

}  // namespace
}  // namespace mpca::workload
