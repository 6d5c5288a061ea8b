// Bits one after the other, the first one lowest in its byte.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace mpca::runlog::internal {

class BitWriter {
 public:
  explicit BitWriter(std::string& out) : out_(out) {}

  ///   bits   0 to 64; of `value` only these
  void put(std::uint64_t value, int bits) {
    if (bits > 32) {
      put_few(value & 0xFFFF'FFFFU, 32);
      value >>= 32;
      bits -= 32;
    }
    put_few(value & ((std::uint64_t{1} << bits) - 1), bits);
  }
  void flag(bool value) { put_few(value ? 1 : 0, 1); }
  /// A number that is mostly 0 or small: one bit for 0, else 7 and those below the highest.
  void number(std::uint64_t value) {
    flag(value != 0);
    if (value == 0) return;
    const int width = 64 - std::countl_zero(value);
    put_few(static_cast<std::uint64_t>(width - 1), 6);
    put(value, width - 1);
  }
  /// The rest of the last byte is 0.
  void finish() {
    if (filled_ > 0) out_ += static_cast<char>(waiting_);
    waiting_ = 0;
    filled_ = 0;
  }

 private:
  void put_few(std::uint64_t value, int bits) {
    waiting_ |= value << filled_;
    filled_ += bits;
    while (filled_ >= 8) {
      out_ += static_cast<char>(waiting_ & 0xFFU);
      waiting_ >>= 8;
      filled_ -= 8;
    }
  }
  std::string& out_;
  std::uint64_t waiting_ = 0;
  int filled_ = 0;
};

/// Beyond the end there are zeros, and is_good() is false.
class BitReader {
 public:
  explicit BitReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t take(int bits) {
    if (bits <= 32) return take_few(bits);
    const std::uint64_t low = take_few(32);
    return low | (take_few(bits - 32) << 32);
  }
  bool flag() { return take_few(1) != 0; }
  std::uint64_t number() {
    if (!flag()) return 0;
    const int below = static_cast<int>(take_few(6));
    return (std::uint64_t{1} << below) | take(below);
  }
  void fail() { is_good_ = false; }
  bool is_good() const { return is_good_; }
  std::size_t bits_left() const { return 8 * (bytes_.size() - next_) + static_cast<std::size_t>(filled_); }

 private:
  std::uint64_t take_few(int bits) {
    while (filled_ < bits) {
      if (next_ >= bytes_.size()) {
        is_good_ = false;
        return 0;
      }
      waiting_ |= std::uint64_t{static_cast<unsigned char>(bytes_[next_++])} << filled_;
      filled_ += 8;
    }
    const std::uint64_t value = waiting_ & ((std::uint64_t{1} << bits) - 1);
    waiting_ >>= bits;
    filled_ -= bits;
    return value;
  }
  std::string_view bytes_;
  std::size_t next_ = 0;
  std::uint64_t waiting_ = 0;
  int filled_ = 0;
  bool is_good_ = true;
};

}  // namespace mpca::runlog::internal
