// Rows of small CSV tables.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>

#include "core/csv.h"
#include "core/text.h"

namespace mpca::report::internal {

/// The fields, quoted where they have to be, with commas between them and a line end.
inline std::string csv_row(std::initializer_list<std::string> fields) {
  std::string row;
  for (const std::string& field : fields) {
    if (&field != fields.begin()) row += ',';
    row += csv_field(field);
  }
  return row + '\n';
}

/// A missing number is an empty field.
inline std::string fixed_or_empty(std::optional<double> value, int decimals) {
  return value ? fixed(*value, decimals) : std::string();
}

}  // namespace mpca::report::internal
