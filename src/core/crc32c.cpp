#include "core/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

namespace mpca {
namespace {

constexpr std::uint32_t kReversedPolynomial = 0x82F63B78U;
constexpr std::size_t kSlices = 8;  // bytes at once (Kounavis and Berry 2005, Slicing-by-8)
using Tables = std::array<std::array<std::uint32_t, 256>, kSlices>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ ((remainder & 1U) != 0 ? kReversedPolynomial : 0U);
    tables[0][byte] = remainder;
  }
  for (std::size_t slice = 1; slice < kSlices; ++slice)
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xFFU];
    }
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
  std::uint32_t crc = ~before;
  if constexpr (std::endian::native == std::endian::little) {
    while (bytes.size() >= kSlices) {
      std::uint64_t word;
      std::memcpy(&word, bytes.data(), sizeof word);
      word ^= crc;
      crc = 0;
      for (std::size_t slice = 0; slice < kSlices; ++slice)
        crc ^= kTables[kSlices - 1 - slice][(word >> (8 * slice)) & 0xFFU];
      bytes.remove_prefix(kSlices);
    }
  }
  for (const char byte : bytes) crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<unsigned char>(byte)) & 0xFFU];
  return ~crc;
}

}  // namespace mpca
