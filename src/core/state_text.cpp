#include "core/state_text.h"

#include "core/text.h"

namespace mpca {

std::int64_t state_number(std::string_view name) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char byte : name) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211ULL;
  return static_cast<std::int64_t>(hash >> 11);
}

StateWriter::StateWriter(std::string_view kind, int version) : text_(cat("mpca-state ", kind, " ", version, "\n")) {}

void StateWriter::put(std::string_view name, std::span<const double> values) {
  text_ += name;
  for (const double value : values) text_ += cat(" ", value);
  text_ += '\n';
}

void StateWriter::put(std::string_view name, std::int64_t value) { text_ += cat(name, " ", value, "\n"); }

void StateWriter::put_state(std::string_view name, std::string_view state) {
  for (const std::string_view line : split(state, '\n'))
    if (!line.empty()) text_ += cat(name, ".", line, "\n");
}

Result<StateReader> StateReader::open(std::string_view text, std::string_view kind, int version) {
  StateReader reader;
  bool is_first = true;
  for (const std::string_view line : split(text, '\n')) {
    if (is_first) {
      if (line != cat("mpca-state ", kind, " ", version)) {
        return invalid(
            cat("not a state of ", kind, " version ", version, ": it begins with \"", line.substr(0, 60), "\""));
      }
      is_first = false;
      continue;
    }
    if (line.empty()) continue;
    const std::size_t space = line.find(' ');
    const std::string_view values = space == std::string_view::npos ? std::string_view{} : line.substr(space + 1);
    reader.lines_.push_back({std::string(line.substr(0, space)), std::string(values)});
  }
  return reader;
}

Result<std::string_view> StateReader::values_of(std::string_view name) const {
  for (const Line& line : lines_) {
    if (line.name == name) return std::string_view(line.values);
  }
  return invalid(cat("the state has no line \"", name, "\""));
}

Result<std::vector<double>> StateReader::numbers(std::string_view name) const {
  MPCA_TRY(const std::string_view text, values_of(name));
  std::vector<double> values;
  if (text.empty()) return values;
  for (const std::string_view part : split(text, ' ')) {
    const auto value = parse_double(part);
    if (!value) return invalid(cat("line \"", name, "\" of the state has \"", part, "\" where a number belongs"));
    values.push_back(*value);
  }
  return values;
}

Result<double> StateReader::number(std::string_view name) const {
  MPCA_TRY(const std::vector<double> values, numbers(name));
  if (values.size() != 1) return invalid(cat("line \"", name, "\" of the state must hold one number"));
  return values[0];
}

Result<std::int64_t> StateReader::integer(std::string_view name) const {
  MPCA_TRY(const std::string_view text, values_of(name));
  const auto value = parse_int(text);
  if (!value) return invalid(cat("line \"", name, "\" of the state must hold one whole number"));
  return *value;
}

Result<TimePoint> StateReader::time(std::string_view name) const {
  MPCA_TRY(const std::int64_t nanoseconds, integer(name));
  return TimePoint(Duration(nanoseconds));
}

Result<std::string> StateReader::state(std::string_view name) const {
  std::string text;
  const std::string prefix = cat(name, ".");
  for (const Line& line : lines_) {
    if (!line.name.starts_with(prefix)) continue;
    text += cat(std::string_view(line.name).substr(prefix.size()), line.values.empty() ? "" : " ", line.values, "\n");
  }
  if (text.empty()) return invalid(cat("the state has no lines that begin with \"", prefix, "\""));
  return text;
}

}  // namespace mpca
