#include "hpa/quantity.h"

#include <array>
#include <optional>

#include "core/text.h"

namespace mpca::hpa {
namespace {

__extension__ using Wide = __int128;

constexpr Wide kLargest = static_cast<Wide>(INT64_MAX);
constexpr Wide kFarTooLarge = kLargest * kLargest;
constexpr int kNano = -9;  // the finest that is stored

struct Suffix {
  std::string_view text;
  int ten;  // power of ten
  int two;  // power of two
};

constexpr Suffix kSuffixes[] = {{"", 0, 0},    {"n", -9, 0},  {"u", -6, 0},  {"m", -3, 0}, {"k", 3, 0},   {"M", 6, 0},
                                {"G", 9, 0},   {"T", 12, 0},  {"P", 15, 0},  {"E", 18, 0}, {"Ki", 0, 10}, {"Mi", 0, 20},
                                {"Gi", 0, 30}, {"Ti", 0, 40}, {"Pi", 0, 50}, {"Ei", 0, 60}};

constexpr std::array kPowersOfTen = {1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<Suffix> read_suffix(std::string_view text) {
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.text == text) return suffix;
  }
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  const bool has_plus = text[1] == '+';
  if (has_plus && (text.size() < 3 || !is_digit(text[2]))) return std::nullopt;
  const auto exponent = parse_int(text.substr(has_plus ? 2 : 1));
  if (!exponent || *exponent < -30 || *exponent > 30) return std::nullopt;
  return Suffix{text, static_cast<int>(*exponent), 0};
}

/// False when the product leaves all that could be a quantity.
bool multiply(Wide& value, Wide factor) {
  if (value > kFarTooLarge / factor) return false;
  value *= factor;
  return true;
}

Wide divided_up(Wide value, Wide divisor) { return value / divisor + (value % divisor != 0 ? 1 : 0); }

/// value x 10^exponent as an integer, rounded up; nullopt when it is far too large.
std::optional<Wide> scaled_up(Wide value, int exponent) {
  for (; exponent > 0 && value != 0; --exponent) {
    if (!multiply(value, 10)) return std::nullopt;
  }
  Wide divisor = 1;
  for (; exponent < 0; ++exponent) {
    if (divisor > kFarTooLarge / 10) return value != 0 ? 1 : 0;
    divisor *= 10;
  }
  return divided_up(value, divisor);
}

/// The stored form is a whole number with a power of ten that is a multiple of three.
double stored_number(Wide value, int exponent) {
  if (value == 0) return 0.0;
  while (value % 10 == 0) {
    value /= 10;
    ++exponent;
  }
  for (; exponent < kNano; ++exponent) value = divided_up(value, 10);
  while (exponent > 0 || exponent % 3 != 0) {
    value *= 10;
    --exponent;
  }
  const auto whole = static_cast<double>(value);
  return exponent == 0 ? whole : whole * kPowersOfTen[static_cast<std::size_t>(exponent - kNano)];
}

}  // namespace

Result<Quantity> parse_quantity(std::string_view text) {
  const auto refuse = [&] {
    return invalid(cat("\"", text, "\" is not a quantity; write such as 250m, 1.5, 2k or 100Mi"));
  };
  std::size_t at = 0;
  const bool is_negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) ++at;
  Wide digits = 0;
  int decimals = 0;
  bool has_digit = false;
  bool is_too_large = false;
  bool after_point = false;
  for (; at < text.size() && (is_digit(text[at]) || (text[at] == '.' && !after_point)); ++at) {
    if (text[at] == '.') {
      after_point = true;
      continue;
    }
    has_digit = true;
    is_too_large = is_too_large || !multiply(digits, 10);
    if (is_too_large) continue;
    digits += text[at] - '0';
    decimals += after_point ? 1 : 0;
  }
  const auto suffix = read_suffix(text.substr(at));
  if (!has_digit || !suffix) return refuse();
  is_too_large = is_too_large || !multiply(digits, static_cast<Wide>(1) << suffix->two);
  const auto milli = is_too_large ? std::nullopt : scaled_up(digits, suffix->ten - decimals + 3);
  if (!milli || *milli > kLargest)
    return invalid(cat("\"", text, "\" is too large a quantity; at most 2^63 - 1 milli-units"));
  const auto magnitude = static_cast<std::int64_t>(*milli);
  const double number = stored_number(digits, suffix->ten - decimals);
  return Quantity{is_negative ? -magnitude : magnitude, is_negative ? -number : number};
}

std::string milli_text(std::int64_t milli) {
  return milli % 1000 == 0 ? std::to_string(milli / 1000) : cat(milli, "m");
}

}  // namespace mpca::hpa
