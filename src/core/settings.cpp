#include "core/settings.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/text.h"

namespace mpca {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

template <class T>
std::string list_text(const std::vector<T>& values) {
  std::string all;
  for (const T& value : values) {
    if (!all.empty()) all += ',';
    all += cat(value);
  }
  return all;
}

Result<int> read_int(std::string_view text, const Range& range) {
  const auto value = parse_int(text);
  if (!value || *value < std::numeric_limits<int>::min() || *value > std::numeric_limits<int>::max() ||
      !range.contains(static_cast<double>(*value))) {
    return invalid({});
  }
  return static_cast<int>(*value);
}

Result<double> read_double(std::string_view text, const Range& range) {
  const auto value = parse_double(text);
  if (!value || !std::isfinite(*value) || !range.contains(*value)) return invalid({});
  return *value;
}

template <class T>
Result<void> read_list(std::string_view text, const Range& range, Result<T> (*read)(std::string_view, const Range&),
                       std::vector<T>& place) {
  std::vector<T> values;
  for (const std::string_view part : split(text, text.find(';') != std::string_view::npos ? ';' : ',')) {
    MPCA_TRY(values.emplace_back(), read(part, range));
  }
  place = std::move(values);
  return {};
}

SettingKind kind_of(const Setting::Place& place) {
  return std::visit(Overloaded{
                        [](const bool*) { return SettingKind::flag; },
                        [](const int*) { return SettingKind::integer; },
                        [](const double*) { return SettingKind::number; },
                        [](const Duration*) { return SettingKind::duration; },
                        [](const std::string*) { return SettingKind::text; },
                        [](const std::vector<std::string>*) { return SettingKind::text; },
                        [](const std::vector<double>*) { return SettingKind::number; },
                        [](const std::vector<int>*) { return SettingKind::integer; },
                    },
                    place);
}

bool holds_list(const Setting::Place& place) {
  return std::visit(Overloaded{
                        []<class T>(const std::vector<T>*) { return true; },
                        [](const auto*) { return false; },
                    },
                    place);
}

std::string describe_durations(const Range& seconds) {
  std::string text = "must be a duration such as 45s or 1m30s";
  if (seconds.has_low()) text += cat(seconds.low_open ? ", > " : ", >= ", format_duration(from_seconds(seconds.low)));
  if (seconds.has_high())
    text += cat(seconds.high_open ? ", < " : ", <= ", format_duration(from_seconds(seconds.high)));
  return text;
}

std::string describe_accepted(const SettingInfo& info) {
  switch (info.kind) {
    case SettingKind::flag:
      return "must be true or false";
    case SettingKind::integer: {
      const bool is_limited = info.range.has_low() || info.range.has_high();
      return is_limited ? cat("must be a whole number", info.range.describe().substr(7)) : "must be a whole number";
    }
    case SettingKind::number:
      return info.range.describe();
    case SettingKind::duration:
      return describe_durations(info.range);
    case SettingKind::text:
      break;
  }
  return info.takes_any_text() ? "any text" : cat("must be one of ", join(info.choices, ", "));
}

}  // namespace

std::string Range::describe() const {
  // 100000, not the shorter 1e+05.
  const auto limit = [](double value) {
    constexpr double kExactlyWhole = 1e15;
    return value == std::floor(value) && std::abs(value) < kExactlyWhole ? fixed(value, 0) : shortest(value);
  };
  std::string text;
  if (has_low()) text = cat(low_open ? "> " : ">= ", limit(low));
  if (has_high()) text += cat(text.empty() ? "" : " and ", high_open ? "< " : "<= ", limit(high));
  return text.empty() ? "must be a finite number" : "must be " + text;
}

Setting::Setting(std::string name, Place place, std::string unit, Range range, std::string sentence)
    : info_{.name = std::move(name),
            .unit = std::move(unit),
            .default_text = {},
            .accepts = {},
            .sentence = std::move(sentence),
            .kind = kind_of(place),
            .is_list = holds_list(place),
            .range = range,
            .choices = {}},
      place_(place) {
  info_.default_text = text();
  info_.accepts = describe_accepted(info_);
}

Setting::Setting(std::string name, Place place, std::string sentence, std::vector<std::string> choices)
    : info_{.name = std::move(name),
            .unit = {},
            .default_text = {},
            .accepts = {},
            .sentence = std::move(sentence),
            .kind = kind_of(place),
            .is_list = holds_list(place),
            .range = {},
            .choices = std::move(choices)},
      place_(place) {
  info_.default_text = text();
  info_.accepts = describe_accepted(info_);
}

Setting& Setting::require() {
  required_ = true;
  info_.default_text.clear();
  return *this;
}

std::string Setting::text() const {
  return std::visit(Overloaded{
                        [](const bool* place) { return std::string(*place ? "true" : "false"); },
                        [](const int* place) { return std::to_string(*place); },
                        [](const double* place) { return shortest(*place); },
                        [](const Duration* place) { return format_duration(*place); },
                        [](const std::string* place) { return *place; },
                        [](const auto* list) { return list_text(*list); },
                    },
                    place_);
}

Result<void> Setting::set(std::string_view text) const {
  const Result<void> done =
      std::visit(Overloaded{
                     [&](bool* place) -> Result<void> {
                       if (text != "true" && text != "false") return invalid({});
                       *place = text == "true";
                       return {};
                     },
                     [&](int* place) -> Result<void> {
                       MPCA_TRY(*place, read_int(text, info_.range));
                       return {};
                     },
                     [&](double* place) -> Result<void> {
                       MPCA_TRY(*place, read_double(text, info_.range));
                       return {};
                     },
                     [&](Duration* place) -> Result<void> {
                       MPCA_TRY(const Duration value, parse_duration(text));
                       if (!info_.range.contains(to_seconds(value))) return invalid({});
                       *place = value;
                       return {};
                     },
                     [&](std::string* place) -> Result<void> {
                       if (!info_.choices.empty() &&
                           std::find(info_.choices.begin(), info_.choices.end(), text) == info_.choices.end())
                         return invalid({});
                       *place = text;
                       return {};
                     },
                     // A list of texts is given by repeating the flag, so a comma belongs to the text.
                     [&](std::vector<std::string>* place) -> Result<void> {
                       place->emplace_back(text);
                       return {};
                     },
                     [&](std::vector<double>* place) { return read_list(text, info_.range, read_double, *place); },
                     [&](std::vector<int>* place) { return read_list(text, info_.range, read_int, *place); },
                 },
                 place_);
  if (done) return {};
  std::string message = cat(info_.name, " is \"", text, "\"; ", info_.accepts);
  if (!info_.choices.empty()) {
    const std::vector<std::string_view> names(info_.choices.begin(), info_.choices.end());
    message += did_you_mean(text, names);
  }
  return invalid(std::move(message));
}

std::vector<SettingInfo> infos(const SettingsTable& table) {
  std::vector<SettingInfo> all;
  for (const Setting& setting : table) all.push_back(setting.info());
  return all;
}

Result<void> set_from_text(const SettingsTable& table, std::string_view text, std::string_view where) {
  Problems problems;
  std::vector<std::string_view> names;
  for (const Setting& setting : table) names.push_back(setting.name());
  std::vector<std::string_view> seen;
  if (trim(text).empty()) return {};
  for (const std::string_view part : split(text, ',')) {
    const std::size_t equals = part.find('=');
    const std::string_view key = trim(part.substr(0, equals));
    const auto setting =
        std::find_if(table.begin(), table.end(), [&](const Setting& row) { return row.name() == key; });
    if (setting == table.end()) {
      std::string known;
      for (const std::string_view name : names) known += cat(known.empty() ? "" : ", ", name);
      problems.add(cat(where, ": unknown key \"", key, "\"", did_you_mean(key, names),
                       known.empty() ? "; it takes no settings" : cat("; known: ", known)));
      continue;
    }
    if (equals == std::string_view::npos) {
      problems.add(cat(where, ": ", key, " has no value; write ", key, "=VALUE"));
      continue;
    }
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
      problems.add(cat(where, ": ", key, " is given twice"));
      continue;
    }
    seen.push_back(key);
    if (const auto done = setting->set(trim(part.substr(equals + 1))); !done) {
      problems.add(cat(where, ": ", done.error().message));
    }
  }
  return problems.to_result();
}

std::string changed_settings_text(const SettingsTable& table) {
  std::string all;
  for (const Setting& setting : table) {
    const std::string text = setting.text();
    if (text != setting.info().default_text) all += cat(all.empty() ? "" : ",", setting.name(), "=", text);
  }
  return all;
}

}  // namespace mpca
