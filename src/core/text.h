// Numbers and words as text: one way to write a double, one way to read one, one way to suggest a name.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mpca {

/// The shortest decimal that reads back as the same double: `20`, `0.1`, `1e-07`. Not for NaN in files: missing is
/// empty.
std::string shortest(double value);

/// The same with Python's manners, as the reference lab's trajectory.csv has them: `20.0`, `0.1`, `1e-07`.
std::string python_float(double value);

/// `value` with `decimals` digits after the point, like printf's %.Nf.
std::string fixed(double value, int decimals);

/// The whole of `text` (ASCII spaces around it allowed) as a number; nullopt when it is not one or out of range. NaN
/// and infinity are numbers here, in the spellings of strtod; who does not want them checks with std::isfinite.
std::optional<double> parse_double(std::string_view text);
std::optional<std::int64_t> parse_int(std::string_view text);

std::string_view trim(std::string_view text);

/// The parts between `separator`s; an empty text has one empty part. Views into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);

std::string join(std::span<const std::string> parts, std::string_view separator);

/// A number for a text, the same on every machine (FNV-1a, 32 bits).
std::uint32_t stable_hash(std::string_view text);

/// A name for a file or directory: letters, digits and `._=-` of `text`, the rest as `_`; never empty, hidden, a way
/// out of its directory, or too long (then the end gives way to a number made of all of it).
std::string file_name_of(std::string_view text);

/// The candidate with the smallest edit distance (neighbours swapped count as one) when it is close enough to be a
/// typing error, else nullopt.
std::optional<std::string_view> nearest_name(std::string_view name, std::span<const std::string_view> candidates);

/// ` (did you mean "X"?)` or nothing: the tail of a message about an unknown name.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates);

namespace internal {
struct Piece {
  std::string text;
  Piece(std::string_view value) : text(value) {}    // NOLINT: implicit on purpose, only cat() makes these
  Piece(const char* value) : text(value) {}         // NOLINT
  Piece(const std::string& value) : text(value) {}  // NOLINT
  Piece(char value) : text(1, value) {}             // NOLINT
  Piece(std::integral auto value) : text(std::to_string(value)) {}  // NOLINT
  Piece(double value) : text(shortest(value)) {}                    // NOLINT
};
std::string concatenate(std::initializer_list<Piece> pieces);
}  // namespace internal

/// Strings, characters, integers and doubles (shortest) one after the other.
template <class... Parts>
std::string cat(const Parts&... parts) {
  return internal::concatenate({internal::Piece(parts)...});
}

}  // namespace mpca
