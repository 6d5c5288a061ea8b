// The memory of a policy as text: a first line `mpca-state KIND VERSION`, then lines `name value value…`. Doubles are
// written so that they read back exactly: who loads a state goes on bit for bit.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace mpca {

/// A name as a number that a state can keep: FNV-1a, cut to what a double holds exactly.
std::int64_t state_number(std::string_view name);

class StateWriter {
 public:
  StateWriter(std::string_view kind, int version);
  void put(std::string_view name, std::span<const double> values);
  void put(std::string_view name, double value) { put(name, std::span(&value, 1)); }
  void put(std::string_view name, std::int64_t value);
  void put(std::string_view name, TimePoint value) { put(name, value.time_since_epoch().count()); }
  /// The whole state of a part that has one of its own, under a name.
  void put_state(std::string_view name, std::string_view state);
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// Reads what StateWriter wrote. Every getter fails with the name of the line when it is missing or malformed.
class StateReader {
 public:
  ///   errors   invalid_argument  another kind or version, or not a state at all
  static Result<StateReader> open(std::string_view text, std::string_view kind, int version);
  bool has(std::string_view name) const { return values_of(name).has_value(); }
  Result<std::vector<double>> numbers(std::string_view name) const;
  Result<double> number(std::string_view name) const;
  Result<std::int64_t> integer(std::string_view name) const;
  Result<TimePoint> time(std::string_view name) const;
  /// As put_state() was given it.
  Result<std::string> state(std::string_view name) const;

 private:
  struct Line {
    std::string name;
    std::string values;
  };
  Result<std::string_view> values_of(std::string_view name) const;
  std::vector<Line> lines_;
};

}  // namespace mpca
