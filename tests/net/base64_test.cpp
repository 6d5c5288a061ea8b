#include "net/base64.h"

#include <gtest/gtest.h>

namespace mpca::net {
namespace {

// RFC 4648, section 10.
TEST(Base64, TheVectorsOfTheStandardGoBothWays) {
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base64_encoded(bytes), text);
    EXPECT_EQ(base64_decoded(text), bytes);
  }
  EXPECT_EQ(base64_decoded("Zm9v\nYmFy\n"), "foobar");
}

TEST(Base64, WhatIsNoneIsRefused) {
  for (const char* text : {"Zg=", "Zg", "Z===", "Zg==Zg==", "Zm9!", "Zm 9v_"})
    EXPECT_FALSE(base64_decoded(text)) << text;
}

}  // namespace
}  // namespace mpca::net
