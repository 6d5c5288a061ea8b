#include "core/random.h"

#include <cmath>
#include <numbers>

namespace mpca {

PhiloxCounter philox4x32_10(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = 0xD2511F53ull * counter[0];
    const std::uint64_t product1 = 0xCD9E8D57ull * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

RandomStream::RandomStream(std::uint64_t seed, std::string_view purpose, std::uint32_t replication) {
  // FNV-1a: only has to tell a handful of purposes apart.
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (const char character : purpose) {
    hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001b3ull;
  }
  key_ = {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  // The purpose's hash folded into one word; the replication in the next; the low words count blocks.
  counter_ = {0, 0, static_cast<std::uint32_t>(hash ^ (hash >> 32)), replication};
}

std::uint64_t RandomStream::bits() {
  if (used_ >= 4) {
    block_ = philox4x32_10(counter_, key_);
    if (++counter_[0] == 0) ++counter_[1];
    used_ = 0;
  }
  const std::uint64_t low = block_[static_cast<std::size_t>(used_)];
  const std::uint64_t high = block_[static_cast<std::size_t>(used_) + 1];
  used_ += 2;
  return low | (high << 32);
}

double RandomStream::uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }

double RandomStream::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_normal_;
  }
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));  // 1 - u is in (0, 1]
  const double angle = 2.0 * std::numbers::pi * uniform();
  spare_normal_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

double RandomStream::exponential() { return -std::log(1.0 - uniform()); }

std::uint64_t RandomStream::below(std::uint64_t bound) {
  // Rejection of the incomplete last block keeps every value equally likely.
  const std::uint64_t limit = bound * (UINT64_MAX / bound);
  std::uint64_t value = bits();
  while (value >= limit) value = bits();
  return value % bound;
}

}  // namespace mpca
