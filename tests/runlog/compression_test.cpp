#include "runlog/compression.h"

#include <gtest/gtest.h>

namespace mpca::runlog {
namespace {

TEST(Compression, GivesBackWhatWentInAndTakesLess) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "line " + std::to_string(i % 10) + '\n' + '\0';
  const std::string packed = compressed(text);
  EXPECT_LT(packed.size(), text.size() / 10);
  EXPECT_EQ(uncompressed(packed, text.size()), text);
  EXPECT_EQ(uncompressed(compressed(""), 0), "");
}

TEST(Compression, WhatIsDamagedOrOfAnotherSizeIsNothing) {
  const std::string packed = compressed("a text of some length");
  EXPECT_EQ(uncompressed(packed, 20), std::nullopt);
  EXPECT_EQ(uncompressed(packed, 22), std::nullopt);
  EXPECT_EQ(uncompressed(packed.substr(0, packed.size() - 1), 21), std::nullopt);
  EXPECT_EQ(uncompressed("", 21), std::nullopt);
}

}  // namespace
}  // namespace mpca::runlog
