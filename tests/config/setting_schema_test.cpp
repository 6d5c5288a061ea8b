#include "config/internal/setting_schema.h"

#include <gtest/gtest.h>

#include "config/document.h"
#include "config/internal/autoscaler_fields.h"

namespace mpca::config::internal {
namespace {

using namespace std::chrono_literals;

struct Values {
  bool flag = true;
  int integer = 3;
  double number = 0.5;
  Duration duration = 90s;
  std::string text = "a";
  std::string choice = "es";
  std::vector<double> numbers;
};

SettingsTable settings_of(Values& values) {
  return {
      {"flag", &values.flag, "s"},
      {"integer", &values.integer, "", Range::between(1, 10), "s"},
      {"number", &values.number, "", {.low = 0.25, .high = 1.5, .low_open = true}, "s"},
      {"duration", &values.duration, "", {.low = 1.5, .high = 3600, .high_open = true}, "s"},
      {"text", &values.text, "s"},
      {"choice", &values.choice, "s", {"es", "hold"}},
  };
}

SettingInfo info_of(std::string_view name) {
  Values values;
  return *find_setting(infos(settings_of(values)), name);
}

std::string schema_of(std::string_view name) { return setting_schema(info_of(name)).dump(); }

// The API server's side: OpenAPI v3 as CustomResourceDefinitions have it, where exclusive… is a boolean.
TEST(SettingSchema, EachKindHasItsTypeAndTheLimitsOfItsRange) {
  EXPECT_EQ(schema_of("flag"), R"({"type":"boolean"})");
  EXPECT_EQ(schema_of("integer"), R"({"type":"integer","format":"int32","minimum":1,"maximum":10})");
  EXPECT_EQ(schema_of("number"), R"({"type":"number","minimum":0.25,"exclusiveMinimum":true,"maximum":1.5})");
  EXPECT_EQ(
      schema_of("duration"),
      R"({"type":"string","pattern":"^(0|([0-9]+(\\.[0-9]+)?(h|m|s|ms|us|ns))+)$","maxLength":32,)"
      R"-("x-kubernetes-validations":[{"rule":"duration(self) >= duration('1.5s') && duration(self) < duration('1h')",)-"
      R"("message":"must be a duration such as 45s or 1m30s, >= 1.5s, < 1h"}]})");
  EXPECT_EQ(schema_of("text"), R"({"type":"string"})");
  EXPECT_EQ(schema_of("choice"), R"({"type":"string","enum":["es","hold"]})");
}

TEST(SettingSchema, ALimitIsOfTheRangeAndNotOfTheWords) {
  SettingInfo info = info_of("number");
  info.accepts = "as it should be, >= 7";
  EXPECT_EQ(setting_schema(info).dump(), schema_of("number"));
  info.range = Range::at_least(2);
  EXPECT_EQ(setting_schema(info).dump(), R"({"type":"number","minimum":2.0})");
}

TEST(SettingSchema, IntegersHaveTheirFormatAndWhatThatDoesNotLimit) {
  EXPECT_EQ(integer_schema(Range{}).dump(), R"({"type":"integer","format":"int64"})");
  EXPECT_EQ(integer_schema(Range::between(-1e300, kLargestInt32)).dump(), R"({"type":"integer","format":"int32"})");
  EXPECT_EQ(integer_schema({.low = 0, .high = 8, .low_open = true, .high_open = true}).dump(),
            R"({"type":"integer","format":"int32","minimum":0,"exclusiveMinimum":true,"maximum":8,)"
            R"("exclusiveMaximum":true})");
}

TEST(SettingSchema, ADefaultIsAValueOfTheSchema) {
  EXPECT_EQ(setting_default(info_of("flag")), true);
  EXPECT_EQ(setting_default(info_of("integer")).dump(), "3");
  EXPECT_EQ(setting_default(info_of("number")).dump(), "0.5");
  EXPECT_EQ(setting_default(info_of("duration")), "1m30s");
  EXPECT_EQ(setting_default(info_of("text")), "a");
}

// A list would be read as one value.
TEST(SettingSchemaDeathTest, AListIsNoField) {
  Values values;
  const Setting list("numbers", &values.numbers, "", Range{}, "s");
  EXPECT_DEATH(setting_schema(list.info()), "no field of an object is a list of values");
}

/// `object` as text for the setting of its only field, or the message that it is refused with.
std::string read(std::string_view object) {
  const Node node = parse_json(object).value();
  Problems problems;
  const std::string& key = node.members.at(0).key;
  const auto text = setting_text(Fields(node, problems, "f"), key, info_of(key));
  return text ? *text : problems.to_result().error().message;
}

TEST(SettingText, EachKindIsReadByItsRange) {
  EXPECT_EQ(read(R"({"flag":false})"), "false");
  EXPECT_EQ(read(R"({"flag":"false"})"), "f: flag is \"false\"; must be true or false");
  EXPECT_EQ(read(R"({"integer":10})"), "10");
  EXPECT_EQ(read(R"({"integer":11})"), "f: integer is 11; must be a whole number >= 1 and <= 10");
  EXPECT_EQ(read(R"({"integer":1.5})"), "f: integer is 1.5; must be a whole number >= 1 and <= 10");
  EXPECT_EQ(read(R"({"number":1.50})"), "1.5");
  EXPECT_EQ(read(R"({"number":1})"), "1");
  EXPECT_EQ(read(R"({"number":0.25})"), "f: number is 0.25; must be > 0.25 and <= 1.5");
  EXPECT_EQ(read(R"({"duration":"90s"})"), "1m30s");
  EXPECT_EQ(read(R"({"duration":"1h"})"),
            "f: duration is \"1h\"; must be a duration such as 45s or 1m30s, >= 1.5s, < 1h");
  EXPECT_EQ(read(R"({"text":"b"})"), "b");
  EXPECT_EQ(read(R"({"text":7})"), "f: text is 7; must be a text");
  EXPECT_EQ(read(R"({"choice":"hold"})"), "hold");
  EXPECT_EQ(read(R"({"choice":"hodl"})"), "f: choice is \"hodl\"; must be one of es, hold");
}

}  // namespace
}  // namespace mpca::config::internal
