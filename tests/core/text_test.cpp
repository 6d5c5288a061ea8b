#include "core/text.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace mpca {
namespace {

TEST(Text, ShortestReadsBackAsTheSameDouble) {
  for (const double value : {0.1, 1.0 / 3.0, 1e-300, 123456789.123456789, -0.0}) {
    EXPECT_EQ(parse_double(shortest(value)), value);
  }
  EXPECT_EQ(shortest(20.0), "20");
}

TEST(Text, PythonFloatHasAPointOnWholeNumbersAndPythonsExponents) {
  EXPECT_EQ(python_float(20.0), "20.0");
  EXPECT_EQ(python_float(0.1), "0.1");
  EXPECT_EQ(python_float(0.00001), "1e-05");
  EXPECT_EQ(python_float(0.0001), "0.0001");
  EXPECT_EQ(python_float(123456789012.5), "123456789012.5");
  EXPECT_EQ(python_float(1e16), "1e+16");
  EXPECT_EQ(python_float(0.0), "0.0");
}

TEST(Text, ANumberIsTheWholeTextOrNothing) {
  EXPECT_EQ(parse_int(" 42 "), 42);
  EXPECT_EQ(parse_int("+7"), 7);
  EXPECT_EQ(parse_int("4.2"), std::nullopt);
  EXPECT_EQ(parse_int(""), std::nullopt);
  EXPECT_EQ(parse_int("99999999999999999999"), std::nullopt);
  EXPECT_EQ(parse_double("1e3"), 1000.0);
  EXPECT_EQ(parse_double("3x"), std::nullopt);
  EXPECT_EQ(parse_double("+-3"), std::nullopt);
  EXPECT_TRUE(std::isnan(parse_double("nan").value()));
}

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_EQ(split("a,,b", ',').size(), 3u);
  EXPECT_EQ(split("", ',').size(), 1u);
}

TEST(Text, ATypingErrorFindsItsNameAndAWildGuessDoesNot) {
  constexpr std::array<std::string_view, 3> kNames = {"target", "hold", "horizon"};
  EXPECT_EQ(nearest_name("tarrget", kNames), "target");
  EXPECT_EQ(nearest_name("hodl", kNames), "hold");
  EXPECT_EQ(nearest_name("replicas", kNames), std::nullopt);
  EXPECT_EQ(did_you_mean("horizn", kNames), " (did you mean \"horizon\"?)");
}

TEST(Text, FileNamesAreSafe) {
  EXPECT_EQ(file_name_of("reactive:target=0.6,hold=5m"), "reactive_target=0.6_hold=5m");
  EXPECT_EQ(file_name_of("../../etc"), "_.._.._etc");
  EXPECT_EQ(file_name_of(""), "_");
}

TEST(Text, LongFileNamesAreCutAndStillTellTextsApart) {
  const std::string as(160, 'a');
  EXPECT_EQ(file_name_of(as), as);
  EXPECT_EQ(file_name_of(as + "b").size(), 160U);
  EXPECT_NE(file_name_of(as + "b"), file_name_of(as + "c"));
  EXPECT_TRUE(file_name_of(as + "b").starts_with(as.substr(0, 151) + "_"));
}

// Fowler, Noll and Vo's own test vectors.
TEST(Text, AHashIsTheSameEverywhere) {
  EXPECT_EQ(stable_hash(""), 0x811c9dc5U);
  EXPECT_EQ(stable_hash("a"), 0xe40c292cU);
  EXPECT_EQ(stable_hash("foobar"), 0xbf9cf968U);
}

}  // namespace
}  // namespace mpca
