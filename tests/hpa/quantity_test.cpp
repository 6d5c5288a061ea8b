#include "hpa/quantity.h"

#include <gtest/gtest.h>

namespace mpca::hpa {
namespace {

std::int64_t milli(std::string_view text) {
  const auto quantity = parse_quantity(text);
  EXPECT_TRUE(quantity) << text;
  return quantity ? quantity->milli : -1;
}

TEST(Quantity, IsWholeMilliUnits) {
  EXPECT_EQ(milli("0"), 0);
  EXPECT_EQ(milli("250m"), 250);
  EXPECT_EQ(milli("1.5"), 1500);
  EXPECT_EQ(milli("20.0"), 20'000);
  EXPECT_EQ(milli("+3"), 3000);
  EXPECT_EQ(milli("-2"), -2000);
  EXPECT_EQ(milli("2k"), 2'000'000);
  EXPECT_EQ(milli("1Ki"), 1'024'000);
  EXPECT_EQ(milli("100Mi"), 104'857'600'000);
  EXPECT_EQ(milli("5e3"), 5'000'000);
  EXPECT_EQ(milli("1P"), 1'000'000'000'000'000'000);
  EXPECT_EQ(milli("9223372036854775807m"), INT64_MAX);
}

TEST(Quantity, WhatIsFinerThanAMilliUnitRoundsAwayFromZero) {
  EXPECT_EQ(milli("500u"), 1);
  EXPECT_EQ(milli("1500001n"), 2);
  EXPECT_EQ(milli("-1500u"), -2);
  EXPECT_EQ(milli("0.0000000000000000000000000000001"), 1);
}

TEST(Quantity, AsANumberIsTheStoredFormTimesAPowerOfTen) {
  // 0.575 is stored as 575m, and 575 x 0.001 is not the double 0.575.
  EXPECT_EQ(parse_quantity("0.575")->number, 575 * 0.001);
  EXPECT_NE(parse_quantity("0.575")->number, 0.575);
  EXPECT_EQ(parse_quantity("575m")->number, 0.5750000000000001);
  EXPECT_EQ(parse_quantity("2")->number, 2.0);
  EXPECT_EQ(parse_quantity("-0.05")->number, -(50 * 0.001));
}

TEST(Quantity, OtherTextsAreRefused) {
  for (const char* text : {"", "m", ".", "1.2.3", "1 m", "abc", "1mm", "0x10", "1e", "1e99", "--1", "1Kii", "nan"})
    EXPECT_FALSE(parse_quantity(text)) << text;
  EXPECT_FALSE(parse_quantity("9223372036854775808m"));
  EXPECT_FALSE(parse_quantity("99999999999999999999999999999999999999999999"));
}

TEST(Quantity, ItsTextIsShortest) {
  EXPECT_EQ(milli_text(250), "250m");
  EXPECT_EQ(milli_text(2000), "2");
}

}  // namespace
}  // namespace mpca::hpa
