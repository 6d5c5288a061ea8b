#include "core/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace mpca {
namespace {

// RFC 3720, appendix B.4; the CRC is transmitted lowest byte first there.
TEST(Crc32c, ThePublishedVectors) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  std::string rising;
  for (char byte = 0; byte < 32; ++byte) rising += byte;
  EXPECT_EQ(crc32c(rising), 0x46DD794EU);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(Crc32c, PartsOneAfterTheOtherAreTheWhole) {
  const std::string text = "the oldest segments go, and what remains can be replayed";
  for (std::size_t cut = 0; cut <= text.size(); ++cut)
    EXPECT_EQ(crc32c(std::string_view(text).substr(cut), crc32c(std::string_view(text).substr(0, cut))), crc32c(text));
}

}  // namespace
}  // namespace mpca
