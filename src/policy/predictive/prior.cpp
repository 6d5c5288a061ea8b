#include "policy/predictive/prior.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "core/csv.h"
#include "core/stats.h"
#include "core/text.h"

namespace mpca::policy {
namespace {

using Prior = Tournament::Prior;

constexpr std::string_view kFormat = "# mpca-prior 1";
constexpr std::array<std::string_view, 3> kColumns = {"candidate", "cost", "late"};
constexpr double kGreatestCost = 1e6;

std::vector<std::string> candidate_names() {
  std::vector<std::string> names;
  for (std::size_t c = 0; c < Tournament::kCount; ++c) names.push_back(Candidates::name(c));
  return names;
}

/// Books as they are read, with all that is wrong with them.
class Collector {
 public:
  ///   place    what a message begins with
  void add(const std::string& place, std::string_view name, std::string_view cost, std::string_view late) {
    const auto known = std::find(names_.begin(), names_.end(), name);
    if (known == names_.end()) {
      const std::vector<std::string_view> names(names_.begin(), names_.end());
      problems_.add(cat(place, "no candidate is called \"", name, "\"", did_you_mean(name, names)));
      return;
    }
    const auto is_same = [&](const CandidateBooks& each) { return each.candidate == name; };
    if (std::any_of(books_.begin(), books_.end(), is_same)) problems_.add(cat(place, "\"", name, "\" is there twice"));
    books_.push_back(
        {std::string(name), number(cat(place, "cost"), cost, kGreatestCost), number(cat(place, "late"), late, 1.0)});
  }
  void problem(std::string message) { problems_.add(std::move(message)); }

  /// With every one of `needed` among them.
  Result<std::vector<CandidateBooks>> take(std::string_view place, std::span<const CandidateBooks> needed) {
    // What could not be read would be complained about once more.
    const bool is_readable = problems_.empty();
    if (is_readable && books_.empty()) {
      problems_.add(cat(place, "no candidate is there"));
    } else if (is_readable) {
      for (const CandidateBooks& each : needed) {
        const auto is_same = [&](const CandidateBooks& other) { return other.candidate == each.candidate; };
        if (std::none_of(books_.begin(), books_.end(), is_same))
          problems_.add(cat(place, "\"", each.candidate, "\" is missing"));
      }
    }
    MPCA_TRY_VOID(problems_.to_result());
    return std::move(books_);
  }

 private:
  double number(const std::string& what, std::string_view text, double greatest) {
    const auto value = parse_double(text);
    if (value && *value >= 0.0 && *value <= greatest) return *value;
    problems_.add(cat(what, " is \"", text, "\"; must be between 0 and ", fixed(greatest, 0)));
    return 0.0;
  }

  std::vector<std::string> names_ = candidate_names();
  std::vector<CandidateBooks> books_;
  Problems problems_;
};

Result<std::vector<CandidateBooks>> parse_file(std::string_view text, std::string_view where,
                                               std::span<const CandidateBooks> needed) {
  Collector collector;
  bool has_columns = false;
  std::int64_t last_line = 0;
  CsvParser parser([&](std::int64_t line, std::span<const std::string_view> fields) {
    const bool is_first = last_line == 0;
    last_line = line;
    const std::string place = cat(where, ": line ", line, ": ");
    if (is_first && trim(fields.front()) != kFormat) {
      collector.problem(cat(place, "must be \"", kFormat, "\"; `mpc-autoscaler prior` writes such files"));
      return false;
    }
    if (fields.front().starts_with('#')) return true;
    if (!has_columns) {
      has_columns = std::equal(fields.begin(), fields.end(), kColumns.begin(), kColumns.end());
      if (!has_columns) collector.problem(cat(place, "must be \"candidate,cost,late\""));
      return has_columns;
    }
    if (fields.size() == kColumns.size()) {
      collector.add(place, trim(fields[0]), fields[1], fields[2]);
    } else {
      collector.problem(cat(place, "has ", fields.size(), " fields; must be candidate, cost and late"));
    }
    return true;
  });
  Result<void> fed = parser.feed(text);
  if (fed) fed = parser.finish();
  if (!fed) collector.problem(cat(where, ": ", fed.error().message));
  return collector.take(cat(where, ": "), needed);
}

Result<std::vector<CandidateBooks>> parse_text(std::string_view text, std::span<const CandidateBooks> needed) {
  Collector collector;
  for (const std::string_view part : split(text, ';')) {
    const std::size_t second = part.rfind(':');
    const std::size_t first = second == std::string_view::npos || second == 0 ? second : part.rfind(':', second - 1);
    if (second == std::string_view::npos || first == std::string_view::npos || first == second) {
      collector.problem(cat("\"", part, "\" must be shipped, none, @FILE or CANDIDATE:COST:LATE;…"));
      continue;
    }
    const std::string_view name = trim(part.substr(0, first));
    collector.add(cat(name, ": "), name, part.substr(first + 1, second - first - 1), part.substr(second + 1));
  }
  return collector.take("", needed);
}

double median_of(std::span<const CandidateBooks> books, double CandidateBooks::* figure) {
  std::vector<double> values;
  for (const CandidateBooks& each : books) values.push_back(each.*figure);
  return quantile_linear(values, 0.5);
}

Prior in_order(std::span<const CandidateBooks> books) {
  Prior prior;
  prior.fill({.cost = median_of(books, &CandidateBooks::cost), .late = median_of(books, &CandidateBooks::late)});
  const std::vector<std::string> names = candidate_names();
  for (const CandidateBooks& each : books) {
    const auto place = std::find(names.begin(), names.end(), each.candidate) - names.begin();
    prior[static_cast<std::size_t>(place)] = {.cost = each.cost, .late = each.late};
  }
  return prior;
}

const std::vector<CandidateBooks>& shipped_books() {
  static const std::vector<CandidateBooks> kBooks = [] {
    auto books = parse_file(shipped_prior_file(), "shipped_prior.csv", {});
    MPCA_CHECK(books.has_value(), "the shipped prior is a prior");
    return *std::move(books);
  }();
  return kBooks;
}

}  // namespace

Result<std::vector<CandidateBooks>> parse_prior_file(std::string_view text, std::string_view where) {
  return parse_file(text, where, shipped_books());
}

std::string prior_file(std::span<const CandidateBooks> books, std::string_view about) {
  std::string text = cat(kFormat, "\n# ", about, "\ncandidate,cost,late\n");
  for (const CandidateBooks& each : books) text += cat(csv_field(each.candidate), ",", each.cost, ",", each.late, "\n");
  return text;
}

std::string prior_text(std::span<const CandidateBooks> books) {
  std::string text;
  for (const CandidateBooks& each : books)
    text += cat(text.empty() ? "" : ";", each.candidate, ":", each.cost, ":", each.late);
  return text;
}

Result<std::shared_ptr<const Prior>> read_prior(std::string_view text) {
  if (text == "none") return nullptr;
  if (text == "shipped") {
    static const Prior kPrior = in_order(shipped_books());
    return std::shared_ptr<const Prior>(std::shared_ptr<const Prior>(), &kPrior);  // nobody's: it stays
  }
  struct Read {
    std::string text;
    Prior prior;
  };
  // The same for equal texts, so a result depends on nothing but its argument. Policies are made on several threads.
  static std::shared_ptr<const Read> last;
  std::shared_ptr<const Read> read = std::atomic_load(&last);
  if (read == nullptr || read->text != text) {
    MPCA_TRY(const std::vector<CandidateBooks> books, parse_text(text, shipped_books()));
    read = std::make_shared<const Read>(std::string(text), in_order(books));
    std::atomic_store(&last, read);
  }
  return std::shared_ptr<const Prior>(read, &read->prior);
}

}  // namespace mpca::policy
