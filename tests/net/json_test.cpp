#include "net/json.h"

#include <gtest/gtest.h>

#include "core/text.h"

namespace mpca::net {
namespace {

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(Json, WhatIsNoneIsDiscardedAndNoException) {
  for (const char* text : {"", "{", "{]", "nul", "{\"a\":1}x", "\"\xff\"", "[1e999]"})
    EXPECT_TRUE(parse_json(text).is_discarded()) << text;
  EXPECT_EQ(parse_json(R"({"a":[1]})")["a"][0], 1);
}

TEST(Json, ItIsReadToADepthOfAHundred) {
  EXPECT_TRUE(parse_json(nested(100)).is_array());
  EXPECT_TRUE(parse_json(nested(101)).is_discarded());
  EXPECT_TRUE(parse_json(nested(1'000'000)).is_discarded());
  EXPECT_TRUE(parse_json<nlohmann::ordered_json>(nested(101)).is_discarded());
  std::string objects;
  for (int i = 0; i < 101; ++i) objects += "{\"a\":";
  EXPECT_TRUE(parse_json(objects + "1" + std::string(101, '}')).is_discarded());
}

TEST(Json, BracketsInTextsAndBesideEachOtherAreNoDepth) {
  EXPECT_TRUE(parse_json(cat("[\"", std::string(200, '['), "\"]")).is_array());
  EXPECT_TRUE(parse_json(cat(R"(["\"", ")", std::string(200, '{'), "\"]")).is_array()) << "a quote in a text";
  EXPECT_TRUE(parse_json(cat(R"(["\\", )", nested(99), "]")).is_array()) << "a text that ends in a backslash";
  EXPECT_TRUE(parse_json(cat(R"(["\\", )", nested(100), "]")).is_discarded());
  std::string many = "[[]";
  for (int i = 0; i < 1000; ++i) many += ",[]";
  EXPECT_TRUE(parse_json(many + "]").is_array());
}

TEST(Json, WhatIsAbsentOrOfAnotherKindIsNullEmptyOrNullopt) {
  const auto value = parse_json(R"({"meta":{"name":"web","count":3,"half":0.5,"big":1e3},"list":[1]})");
  EXPECT_EQ(json_at(value, "meta", "name"), "web");
  EXPECT_TRUE(json_at(value, "meta", "no").is_null());
  EXPECT_TRUE(json_at(value, "list", "name").is_null()) << "a list has no members";
  EXPECT_TRUE(json_at(value, "meta", "name", "deeper").is_null());
  EXPECT_TRUE(json_at(parse_json("{"), "meta").is_null()) << "of what is no JSON";
  EXPECT_EQ(text_at(value, "meta", "name"), "web");
  EXPECT_EQ(text_at(value, "meta", "count"), "");
  EXPECT_EQ(text_at(value, "list"), "");
  EXPECT_EQ(integer_at(value, "meta", "count"), 3);
  EXPECT_EQ(integer_at(value, "meta", "half"), std::nullopt);
  EXPECT_EQ(integer_at(value, "meta", "big"), std::nullopt) << "written as a number with a fraction may be";
  EXPECT_EQ(integer_at(value, "meta", "name"), std::nullopt);
}

TEST(Json, BytesThatAreNotUtf8AreReplacedWhenItIsWritten) {
  EXPECT_EQ(json_text({{"a", "x\xff"}, {"b", {1, 2}}}), "{\"a\":\"x\xEF\xBF\xBD\",\"b\":[1,2]}");
  EXPECT_EQ(json_text({{"a", 1}}, 2), "{\n  \"a\": 1\n}");
}

}  // namespace
}  // namespace mpca::net
