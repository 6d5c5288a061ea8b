#include "core/state_numbers.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace mpca {
namespace {

using namespace std::chrono_literals;

enum class Mode : std::uint8_t { idle, busy };

struct Inner {
  float value = 0.0F;
  bool is_set = false;

  template <class Visit>
  void visit(Visit&& visit) {
    visit(value);
    visit(is_set);
  }
  bool operator==(const Inner&) const = default;
};

struct Outer {
  int count = 0;
  double mean = 0.0;
  Mode mode = Mode::idle;
  TimePoint seen;
  Duration age{};
  std::array<std::array<std::int16_t, 2>, 2> grid{};
  std::array<Inner, 2> inner{};

  template <class Visit>
  void visit(Visit&& visit) {
    visit(count);
    visit(mean);
    visit(mode);
    visit(seen);
    visit(age);
    visit(grid);
    visit(inner);
  }
  bool operator==(const Outer&) const = default;
};

template <class T>
std::vector<double> numbers_of(T object) {
  StateNumbers numbers;
  numbers(object);
  return numbers.numbers();
}

template <class T>
bool reads(const std::vector<double>& numbers, T& object) {
  StateNumbersReader reader(numbers);
  reader(object);
  return reader.is_good();
}

const Outer kSome = {-3,
                     0.1,
                     Mode::busy,
                     TimePoint(1'700'000'000'123'456'789ns),
                     -(5h + 7ns),
                     {{{1, -2}, {32767, -32768}}},
                     {{{0.1F, true}, {-1e9F, false}}}};

// 2 numbers + 1 + a time's hours and rest, twice + 4 + 2 x 2.
TEST(StateNumbers, EachMemberIsWrittenInItsOrder) {
  const std::vector<double> numbers = numbers_of(kSome);
  ASSERT_EQ(numbers.size(), 15U);
  EXPECT_EQ(numbers[0], -3.0);
  EXPECT_EQ(numbers[2], 1.0);
  EXPECT_EQ(numbers[5], -5.0);
  EXPECT_EQ(numbers[6], -7.0);
  EXPECT_EQ(numbers[14], 0.0);
}

TEST(StateNumbers, WhatIsReadIsWhatWasWritten) {
  Outer read;
  ASSERT_TRUE(reads(numbers_of(kSome), read));
  EXPECT_EQ(read, kSome);
}

// The ends are what "never" is often written as.
TEST(StateNumbers, ATimeReadsBackToTheNanosecondAlsoAtTheEndsOfTheRange) {
  for (const TimePoint time : {TimePoint::min(), TimePoint::max(), TimePoint(), TimePoint(-1ns),
                               TimePoint(1'700'000'000'123'456'789ns), TimePoint(1h), TimePoint(1h - 1ns)}) {
    TimePoint read;
    ASSERT_TRUE(reads(numbers_of(time), read)) << time.time_since_epoch().count();
    EXPECT_EQ(read, time);
  }
}

TEST(StateNumbers, ATimeThatNoClockCanShowIsRefused) {
  const double hour = 3.6e12;
  for (const std::vector<double>& numbers : std::vector<std::vector<double>>{{2562047, hour - 1},
                                                                             {2562048, 0},
                                                                             {-2562047, 1 - hour},
                                                                             {0, hour},
                                                                             {0, -hour},
                                                                             {0, 0.5},
                                                                             {0.5, 0},
                                                                             {0, std::nan("")},
                                                                             {1e18, 0}}) {
    TimePoint read;
    EXPECT_FALSE(reads(numbers, read)) << numbers[0] << " " << numbers[1];
  }
}

TEST(StateNumbers, ANumberThatItsMemberCannotHoldIsRefused) {
  std::uint8_t small = 0;
  EXPECT_TRUE(reads({255}, small));
  for (const double number : {256.0, -1.0, 0.5, 1e300, std::nan(""), std::numeric_limits<double>::infinity()})
    EXPECT_FALSE(reads({number}, small)) << number;
  bool is_set = false;
  EXPECT_TRUE(reads({1}, is_set));
  EXPECT_FALSE(reads({2}, is_set));
  float value = 0.0F;
  EXPECT_FALSE(reads({1e300}, value));
  EXPECT_FALSE(reads({std::nan("")}, value));
  double number = 0.0;
  EXPECT_FALSE(reads({std::numeric_limits<double>::infinity()}, number));
}

// 2^63 is the nearest double to the greatest value, and is not one.
TEST(StateNumbers, A64BitMemberIsNotFilledBeyondItsRange) {
  std::int64_t value = 0;
  EXPECT_FALSE(reads({0x1p63}, value));
  EXPECT_TRUE(reads({-0x1p63}, value));
  EXPECT_EQ(value, std::numeric_limits<std::int64_t>::min());
  std::uint64_t natural = 0;
  EXPECT_FALSE(reads({0x1p64}, natural));
  EXPECT_TRUE(reads({0x1p53}, natural));
  EXPECT_EQ(natural, 1ULL << 53);
}

TEST(StateNumbers, TooFewOrTooManyNumbersAreRefused) {
  std::vector<double> numbers = numbers_of(kSome);
  Outer read;
  for (std::size_t size = 0; size < numbers.size(); ++size)
    EXPECT_FALSE(
        reads(std::vector<double>(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(size)), read));
  numbers.push_back(0.0);
  EXPECT_FALSE(reads(numbers, read));
}

}  // namespace
}  // namespace mpca
