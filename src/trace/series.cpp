#include "trace/series.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "core/text.h"
#include "trace/problem_list.h"

namespace mpca::trace {
namespace {

constexpr std::int64_t kMostPlaces = 20'000'000;
constexpr Duration kLongestDistance = std::chrono::hours(24 * 366);

Duration median_distance(const std::vector<Sample>& samples) {
  std::vector<Duration> distances;
  for (std::size_t i = 1; i < samples.size(); ++i) distances.push_back(samples[i].time - samples[i - 1].time);
  const auto middle = distances.begin() + static_cast<std::ptrdiff_t>((distances.size() - 1) / 2);
  std::nth_element(distances.begin(), middle, distances.end());
  return *middle;
}

Result<void> check_samples(const std::vector<Sample>& samples) {
  ProblemList problems;
  std::size_t numbers = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::string place = cat("sample ", i + 1, " (", format_rfc3339(samples[i].time), "): ");
    if (i > 0 && samples[i].time <= samples[i - 1].time) {
      problems.add(cat(place, "is not after the one before, ", format_rfc3339(samples[i - 1].time)));
    }
    if (!samples[i].value) continue;
    ++numbers;
    if (!std::isfinite(*samples[i].value) || *samples[i].value < 0.0) {
      problems.add(cat(place, "value is ", *samples[i].value, "; must be >= 0"));
    }
  }
  if (problems.empty() && numbers < 2) {
    return fail(ErrorCode::not_enough_data,
                "a series needs at least two samples with a number, to know their distance");
  }
  return problems.to_result();
}

// A place of the grid: what fell there.
struct Place {
  double sum = 0.0;
  int samples = 0;
};

Result<void> refuse_gaps(const std::vector<Place>& places, TimePoint begin, Duration distance) {
  ProblemList problems;
  for (std::size_t i = 0; i < places.size();) {
    std::size_t end = i;
    while (end < places.size() && places[end].samples == 0) ++end;
    if (end > i) {
      problems.add(cat("nothing for ", format_duration(static_cast<std::int64_t>(end - i) * distance), " from ",
                       format_rfc3339(begin + static_cast<std::int64_t>(i) * distance),
                       "; choose how to fill gaps: zero, hold or linear"));
    }
    i = end + 1;
  }
  return problems.to_result();
}

void fill_gaps(std::vector<double>& values, const std::vector<Place>& places, GapRule rule) {
  std::size_t before = 0;
  for (std::size_t i = 1; i < places.size(); ++i) {
    if (places[i].samples == 0) continue;
    for (std::size_t k = before + 1; k < i; ++k) {
      const double share = static_cast<double>(k - before) / static_cast<double>(i - before);
      values[k] = rule == GapRule::zero   ? 0.0
                  : rule == GapRule::hold ? values[before]
                                          : values[before] + share * (values[i] - values[before]);
    }
    before = i;
  }
}

}  // namespace

Result<Imported> trace_from_samples(const std::vector<Sample>& samples, const SeriesOptions& options,
                                    std::string name) {
  MPCA_TRY_VOID(check_samples(samples));
  const Duration distance = median_distance(samples);
  if (distance > kLongestDistance) return invalid("the samples are more than a year apart");
  TimePoint begin = samples.front().time;
  // Rounding keeps a late sample in its own place.
  const auto place_of = [&](TimePoint time) {
    const Duration since = time - begin;
    return since / distance + (since % distance >= distance - since % distance ? 1 : 0);
  };
  const std::int64_t count = place_of(samples.back().time) + 1;
  if (count > kMostPlaces) {
    return invalid(cat("the samples are ", format_duration(distance), " apart but span ", count,
                       " times that; at most ", kMostPlaces));
  }
  std::vector<Place> places(static_cast<std::size_t>(count));
  for (const Sample& sample : samples) {
    if (!sample.value) continue;
    Place& place = places[static_cast<std::size_t>(place_of(sample.time))];
    place.sum += *sample.value;
    ++place.samples;
  }
  if (options.gaps == GapRule::refuse) {
    MPCA_TRY_VOID(refuse_gaps(places, begin, distance));
  } else {
    const auto is_filled = [](const Place& place) { return place.samples > 0; };
    const auto first = std::find_if(places.begin(), places.end(), is_filled);
    begin += (first - places.begin()) * distance;
    places.erase(places.begin(), first);
    places.erase(std::find_if(places.rbegin(), places.rend(), is_filled).base(), places.end());
  }

  Imported imported;
  DemandTrace trace{.name = std::move(name), .start = {}, .step = distance, .demand_rps = {}, .phase_idx = {}};
  std::int64_t missing = 0;
  for (const Place& place : places) {
    missing += place.samples == 0 ? 1 : 0;
    const bool is_mean = options.kind == SampleKind::rate && place.samples > 1;
    trace.demand_rps.push_back(is_mean ? place.sum / place.samples : place.sum);
  }
  fill_gaps(trace.demand_rps, places, options.gaps);
  if (options.kind == SampleKind::count) {
    for (double& value : trace.demand_rps) value /= to_seconds(distance);
  }
  for (const double value : trace.demand_rps) {
    if (!std::isfinite(value)) return invalid("the values are too large for a rate in requests per second");
  }
  imported.notes.push_back(cat("begins at ", format_rfc3339(begin), "; ", samples.size(), " samples, ",
                               format_duration(distance), " apart"));
  if (missing > 0) {
    imported.notes.push_back(cat(missing, " of ", places.size(), " places had no sample and were filled (",
                                 options.gaps == GapRule::zero   ? "zero"
                                 : options.gaps == GapRule::hold ? "hold"
                                                                 : "linear",
                                 ")"));
  }
  if (options.step != Duration::zero()) {
    MPCA_TRY(trace, resample(trace, options.step, options.refine));
  }
  imported.trace = std::move(trace);
  return imported;
}

bool is_time_column_name(std::string_view name) {
  std::string lower(trim(name));
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const std::string_view known : {"timestamp", "time", "ts", "date", "datetime"}) {
    if (lower == known) return true;
  }
  return false;
}

SeriesCsvReader::SeriesCsvReader(SeriesCsvOptions options)
    : options_(std::move(options)),
      parser_([this](std::int64_t row, std::span<const std::string_view> fields) { return take_row(row, fields); }) {}

void SeriesCsvReader::feed(std::string_view piece) {
  if (hopeless_) return;
  if (const auto fed = parser_.feed(piece); !fed) {
    problems_.add(fed.error().message);
    hopeless_ = true;
  }
}

Result<std::vector<Sample>> SeriesCsvReader::finish() {
  if (!hopeless_) {
    if (const auto finished = parser_.finish(); !finished) problems_.add(finished.error().message);
  }
  if (problems_.empty() && samples_.empty()) problems_.add("no row with a time and a value");
  MPCA_TRY_VOID(problems_.to_result());
  return std::move(samples_);
}

bool SeriesCsvReader::take_row(std::int64_t row, std::span<const std::string_view> fields) {
  if (!has_header_) {
    has_header_ = true;
    const bool is_data = options_.time_column.empty() && options_.value_column.empty() && fields.size() >= 2 &&
                         parse_timestamp(fields[0], options_.unit).has_value();
    if (!is_data) {
      hopeless_ = !take_header(fields);
      return !hopeless_;
    }
  }
  const auto field = [&](std::size_t column) { return column < fields.size() ? fields[column] : std::string_view{}; };
  const auto time = parse_timestamp(field(time_column_), options_.unit);
  if (!time) {
    problems_.add(cat("row ", row, ": time is \"", field(time_column_), "\"; must be an epoch time or RFC 3339"));
  }
  Sample sample;
  if (const std::string_view text = trim(field(value_column_)); !text.empty()) {
    sample.value = parse_double(text);
    if (!sample.value) {
      problems_.add(cat("row ", row, ": value is \"", text, "\"; must be a number"));
    } else if (std::isnan(*sample.value)) {
      sample.value.reset();
    }
  }
  if (time && problems_.empty()) {
    sample.time = *time;
    samples_.push_back(sample);
  }
  return true;
}

bool SeriesCsvReader::take_header(std::span<const std::string_view> fields) {
  const auto find = [&](const auto& matches) {
    return static_cast<std::size_t>(std::find_if(fields.begin(), fields.end(), matches) - fields.begin());
  };
  std::vector<std::string> missing;
  time_column_ = find([&](std::string_view name) {
    return options_.time_column.empty() ? is_time_column_name(name) : trim(name) == options_.time_column;
  });
  if (time_column_ == fields.size()) {
    time_column_ = 0;
    if (!options_.time_column.empty()) missing.push_back(options_.time_column);
  }
  value_column_ = time_column_ == 0 ? 1 : 0;
  if (!options_.value_column.empty()) {
    value_column_ = find([&](std::string_view name) { return trim(name) == options_.value_column; });
    if (value_column_ == fields.size()) missing.push_back(options_.value_column);
  } else if (fields.size() < 2) {
    problems_.add("row 1: a series needs a column with times and one with values");
    return false;
  }
  if (!missing.empty()) problems_.add(cat("missing required columns: ", join(missing, ", ")));
  return missing.empty();
}

}  // namespace mpca::trace
