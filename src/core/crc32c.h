// CRC-32C (Castagnoli), as iSCSI and ext4 have it: a damaged record is told from a whole one. RFC 3720, appendix B.4.
#pragma once

#include <cstdint>
#include <string_view>

namespace mpca {

/// Of `bytes`, going on from the checksum of what came before them. About 2 GB/s.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

}  // namespace mpca
