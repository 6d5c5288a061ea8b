// A setting exists once: name, unit, default, range, one sentence. From this table come the command-line flag, the key
// of a policy text (`reactive:target=0.7`), `--help`, the validation message and the reference page.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace mpca {

/// Accepted values of a number, both ends included unless open; the default accepts every finite number.
struct Range {
  double low = -1.7e308;
  double high = 1.7e308;
  bool low_open = false;
  bool high_open = false;

  static Range at_least(double low) { return {.low = low}; }
  static Range above(double low) { return {.low = low, .low_open = true}; }
  static Range between(double low, double high) { return {.low = low, .high = high}; }

  bool contains(double value) const {
    return (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
  }
  bool has_low() const { return low > -1e300; }
  bool has_high() const { return high < 1e300; }
  /// `must be >= 0`, `must be > 0 and <= 1`, `must be a finite number`.
  std::string describe() const;
};

enum class SettingKind : std::uint8_t { flag, integer, number, duration, text };

/// What there is to know about a setting, without the place of its value: for people in words, and for what is made of
/// tables (help, schemas, readers of objects) as data, so that nothing has to understand the words.
struct SettingInfo {
  std::string name;
  std::string unit;          // empty for texts and plain numbers
  std::string default_text;  // empty when the value has to be given
  std::string accepts;       // `must be >= 0`, `must be one of a, b`, `must be true or false`, …
  std::string sentence;
  SettingKind kind = SettingKind::text;
  bool is_list = false;              // of values of that kind
  Range range;                       // of integers, numbers and durations (in seconds); of each element of a list
  std::vector<std::string> choices;  // of texts; empty: any text

  bool takes_any_text() const { return kind == SettingKind::text && choices.empty(); }
};

/// One row of a table, bound to the place that holds the value. The default is what that place holds when the row is
/// made.
class Setting {
 public:
  using Place = std::variant<bool*, int*, double*, Duration*, std::string*, std::vector<std::string>*,
                             std::vector<double>*, std::vector<int>*>;

  /// Numbers and durations (in seconds) are checked against `range`; for lists each element is.
  Setting(std::string name, Place place, std::string unit, Range range, std::string sentence);
  /// A text that has to be one of `choices` (all texts when empty).
  Setting(std::string name, Place place, std::string sentence, std::vector<std::string> choices = {});

  const SettingInfo& info() const { return info_; }
  const std::string& name() const { return info_.name; }
  const Place& place() const { return place_; }
  bool is_flag() const { return info_.kind == SettingKind::flag; }
  bool is_list() const { return info_.is_list; }
  bool is_required() const { return required_; }
  /// The value has to be given; there is no default.
  Setting& require();

  /// Reads `text` into the place. Lists of numbers take the parts between commas (or semicolons, inside a policy's
  /// text); a list of texts gets one more element, since its flag is repeated.
  ///   errors   invalid_argument  `NAME is "TEXT"; must be …`; the place is unchanged
  Result<void> set(std::string_view text) const;

  /// The current value as text that set() reads back exactly.
  std::string text() const;

 private:
  SettingInfo info_;
  Place place_;
  bool required_ = false;
};

using SettingsTable = std::vector<Setting>;

std::vector<SettingInfo> infos(const SettingsTable& table);

/// Sets `key=value,key=value`. A value that contains commas is not possible here; lists are written with `;`.
///
///   where    what the message begins with, such as `--policy reactive`
///   errors   invalid_argument  every unknown key (with the nearest known one), doubled key or bad value, a line each
Result<void> set_from_text(const SettingsTable& table, std::string_view text, std::string_view where);

/// The settings that differ from their default as `key=value,key=value`, in table order.
std::string changed_settings_text(const SettingsTable& table);

}  // namespace mpca
