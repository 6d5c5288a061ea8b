#include "prom/process_collector.h"

#include <gtest/gtest.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <map>

#include "prom/exposition.h"

namespace mpca::prom {
namespace {

TEST(ProcessCollector, SaysTheStandardNamesWithPlausibleValues) {
  const std::string text = prometheus::TextSerializer().Serialize(make_process_collector()->Collect());
  const auto samples = parse_exposition(text);
  ASSERT_TRUE(samples.has_value()) << samples.error().message;
  std::map<std::string, double> values;
  for (const Sample& sample : *samples) values[sample.name] = sample.value;
  ASSERT_EQ(values.size(), 6u) << text;
  EXPECT_GT(values["process_cpu_seconds_total"], 0.0);
  EXPECT_GT(values["process_resident_memory_bytes"], 1e5);
  EXPECT_GT(values["process_virtual_memory_bytes"], values["process_resident_memory_bytes"]);
  EXPECT_GT(values["process_start_time_seconds"], 1.6e9);  // after 2020
  EXPECT_GE(values["process_open_fds"], 3.0);
  EXPECT_GE(values["process_max_fds"], values["process_open_fds"]);
}

}  // namespace
}  // namespace mpca::prom
