#include "runlog/compression.h"

#include <zlib.h>

#include "core/result.h"

namespace mpca::runlog {

std::string compressed(std::string_view text) {
  uLongf size = compressBound(text.size());
  std::string packed(size, '\0');
  const int done = compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                             reinterpret_cast<const Bytef*>(text.data()), text.size(), Z_BEST_SPEED);
  MPCA_CHECK(done == Z_OK, "zlib could not compress into what it asked for");
  packed.resize(size);
  return packed;
}

std::optional<std::string> uncompressed(std::string_view packed, std::size_t size) {
  std::string text(size, '\0');
  uLongf written = size;
  const int done = uncompress(reinterpret_cast<Bytef*>(text.data()), &written,
                              reinterpret_cast<const Bytef*>(packed.data()), packed.size());
  if (done != Z_OK || written != size) return std::nullopt;
  return text;
}

}  // namespace mpca::runlog
