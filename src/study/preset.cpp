#include "study/preset.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/os/file.h"
#include "core/text.h"
#include "study/internal/preset_files.h"

namespace mpca::study {
namespace {

constexpr std::size_t kLargestFile = 1 << 20;
constexpr int kLongestChain = 8;

SettingsTable settings_of(PlaySettings& play) {
  return {
      {"peak-replicas", &play.peak_replicas, "replicas", Range::above(0), "what the trace's peak takes"},
      {"peak-level",
       &play.peak_level,
       "fraction",
       {.low = 0, .high = 1, .low_open = true},
       "the quantile that is its peak"},
      {"longest-step", &play.longest_step, "duration", Range::at_least(0), "longer steps are played at this; 0: never"},
      {"longest-play", &play.longest_play, "duration", Range::above(0), "from the beginning"},
      {"interpolation", &play.interpolation, "between the middles of steps", {"by-trace", "held", "linear"}},
      {"arrivals", &play.arrivals, "how requests come", {"poisson", "constant", "bursty"}},
      {"burst-factor", &play.bursts.factor, "", Range::at_least(1), "rate in a burst / outside"},
      {"burst-share",
       &play.bursts.share,
       "fraction",
       {.low = 0, .high = 1, .low_open = true, .high_open = true},
       "of the time"},
      {"burst-length", &play.bursts.mean_length, "duration", Range::above(0), "of a burst, mean"},
      {"initial-utilization",
       &play.initial_utilization,
       "fraction",
       {.low = 0, .high = 1, .low_open = true},
       "of the replicas that a run begins with"},
      {"initial-window", &play.initial_window, "duration", Range::above(0), "at whose greatest rate"},
  };
}

/// All tables in one. A name may stand in two of them, where both simulators know the thing: one value serves both.
SettingsTable settings_of(Preset& preset) {
  SettingsTable table = policy::settings_of(preset.workload);
  const auto add = [&](SettingsTable more) {
    for (Setting& setting : more) table.push_back(std::move(setting));
  };
  add(settings_of(preset.play));
  add(sim::settings_of(preset.requests));
  add(sim::settings_of(preset.fluid));
  add(sim::settings_of(preset.pods));
  add(sim::settings_of(preset.metrics));
  add(sim::settings_of(preset.faults));
  table.emplace_back("violation-levels", &preset.violation_levels, "fraction",
                     Range{.low = 0, .high = 1, .low_open = true}, "at which costs are compared");
  table.emplace_back("prices", &preset.prices, "", Range::above(0), "P of the bill J(P)");
  return table;
}

struct File {
  std::string where;  // begins its messages
  std::string content;
};

Result<File> open(const std::string& name) {
  for (const internal::PresetFile& file : internal::preset_files()) {
    if (file.name == name) return File{cat("preset ", name), std::string(file.content)};
  }
  auto content = os::read_file(name, kLargestFile);
  if (!content && content.error().code == ErrorCode::not_found) {
    std::vector<std::string_view> names;
    std::string known;
    for (const internal::PresetFile& file : internal::preset_files()) {
      names.push_back(file.name);
      known += cat(known.empty() ? "" : ", ", file.name);
    }
    return invalid(
        cat("--preset: \"", name, "\" is neither a preset", did_you_mean(name, names), " (", known, ") nor a file"));
  }
  if (!content) return std::unexpected(content.error());
  return File{name, *std::move(content)};
}

using Values = std::map<std::string, std::string>;

Result<Values> read_values(const File& file) {
  try {
    const YAML::Node root = YAML::Load(file.content);
    if (!root.IsMap()) return invalid(cat(file.where, ": must be lines of `key: value`"));
    Values values;
    Problems problems;
    for (const auto& entry : root) {
      const auto key = entry.first.as<std::string>();
      const std::string place = cat(file.where, ": line ", entry.first.Mark().line + 1, ": ", key);
      if (!entry.second.IsScalar()) {
        problems.add(cat(place, " must be a single value (lists are written with commas)"));
      } else if (!values.emplace(key, entry.second.as<std::string>()).second) {
        problems.add(cat(place, " stands there twice"));
      }
    }
    MPCA_TRY_VOID(problems.to_result());
    return values;
  } catch (const YAML::Exception& error) {
    return invalid(cat(file.where, ": line ", error.mark.line + 1, ": ", error.msg));
  }
}

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const internal::PresetFile& file : internal::preset_files()) names.emplace_back(file.name);
  return names;
}

Result<Preset> load_preset(const std::string& name_or_path, const std::vector<std::string>& changes) {
  Values values;
  std::string next = name_or_path;
  std::string where;
  for (int depth = 0; !next.empty(); ++depth) {
    if (depth == kLongestChain) return invalid(cat("--preset ", name_or_path, ": `extends` goes in a circle"));
    MPCA_TRY(const File file, open(next));
    if (where.empty()) where = file.where;
    MPCA_TRY(Values more, read_values(file));
    next = more.contains("extends") ? more["extends"] : "";
    more.erase("extends");
    values.merge(std::move(more));  // what is there already stays: the file that extends wins
  }

  Preset preset;
  preset.name = values.contains("preset") ? values["preset"] : name_or_path;
  values.erase("preset");
  Problems problems;
  for (const std::string& change : changes) {
    const std::size_t equals = change.find('=');
    if (equals == std::string::npos) {
      problems.add(cat("--set ", change, ": must be KEY=VALUE"));
      continue;
    }
    const std::string key(trim(std::string_view(change).substr(0, equals)));
    if (!values.contains(key)) {
      std::vector<std::string_view> known;
      for (const auto& [name, value] : values) known.push_back(name);
      problems.add(cat("--set ", change, ": unknown key ", key, did_you_mean(key, known)));
      continue;
    }
    values[key] = trim(std::string_view(change).substr(equals + 1));
    preset.name += cat("+", key, "=", values[key]);
  }
  const SettingsTable table = settings_of(preset);
  std::vector<std::string_view> names;
  for (const Setting& setting : table) names.push_back(setting.name());
  for (const auto& [key, value] : values) {
    if (std::find(names.begin(), names.end(), key) == names.end())
      problems.add(cat(where, ": unknown key ", key, did_you_mean(key, names)));
  }
  std::set<std::string_view> missing, bad;
  for (const Setting& setting : table) {
    const auto found = values.find(setting.name());
    if (found == values.end()) {
      if (missing.insert(setting.name()).second) problems.add(cat(where, ": ", setting.name(), " is missing"));
    } else if (const auto set = setting.set(found->second); !set && bad.insert(setting.name()).second) {
      problems.add(cat(where, ": ", set.error().message));
    }
  }
  MPCA_TRY_VOID(problems.to_result());
  if (const auto valid = policy::validate(preset.workload); !valid)
    problems.add(cat(where, ": ", valid.error().message));
  if (preset.workload.period % std::chrono::seconds(1) != Duration::zero())
    problems.add(cat(where, ": period must be a whole number of seconds"));
  if (preset.metrics.greatest_delay < preset.metrics.least_delay)
    problems.add(cat(where, ": greatest-delay is less than least-delay"));
  if (const auto lag = DurationDistribution::parse(preset.pods.readiness_lag); !lag)
    problems.add(cat(where, ": readiness-lag ", lag.error().message));
  if (const auto phase = sim::parse_scrape_phase(preset.metrics.scrape_phase); !phase)
    problems.add(cat(where, ": scrape-phase ", phase.error().message));
  MPCA_TRY_VOID(problems.to_result());
  return preset;
}

std::vector<std::pair<std::string, std::string>> preset_rows(const Preset& preset) {
  Preset copy = preset;
  std::vector<std::pair<std::string, std::string>> rows;
  std::set<std::string> seen;
  for (const Setting& setting : settings_of(copy)) {
    if (seen.insert(setting.name()).second) rows.emplace_back(setting.name(), setting.text());
  }
  return rows;
}

}  // namespace mpca::study
