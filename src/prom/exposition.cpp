#include "prom/exposition.h"

#include <algorithm>
#include <cstddef>

#include "core/text.h"

namespace mpca::prom {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// One line, read from its beginning.
class Line {
 public:
  explicit Line(std::string_view rest) : rest_(rest) {}

  Result<Sample> sample() {
    Sample sample;
    sample.name = name(true);
    if (sample.name.empty()) return invalid("a metric name has to begin with a letter, _ or :");
    skip_blanks();
    if (take('{')) MPCA_TRY_VOID(labels(sample));
    const std::string_view value = word();
    const auto number = parse_double(value);
    if (!number) return invalid(cat("the value is \"", value, "\"; must be a number, NaN, +Inf or -Inf"));
    sample.value = *number;
    const std::string_view timestamp = word();
    if (!timestamp.empty() && !parse_int(timestamp))
      return invalid(cat("the timestamp is \"", timestamp, "\"; must be whole milliseconds"));
    skip_blanks();
    if (!rest_.empty()) return invalid(cat("\"", rest_, "\" after the timestamp"));
    return sample;
  }

 private:
  Result<void> labels(Sample& sample) {
    skip_blanks();
    while (!take('}')) {
      std::string label_name(name(false));
      if (label_name.empty()) return invalid("a label name has to begin with a letter or _");
      skip_blanks();
      if (!take('=')) return invalid(cat("label ", label_name, " needs = and a value in quotes"));
      skip_blanks();
      MPCA_TRY(std::string value, quoted(label_name));
      sample.labels.emplace_back(std::move(label_name), std::move(value));
      skip_blanks();
      const bool more = take(',');
      skip_blanks();
      if (!more && !rest_.starts_with('}')) return invalid("labels have to end with }");
    }
    return {};
  }

  Result<std::string> quoted(std::string_view label_name) {
    if (!take('"')) return invalid(cat("label ", label_name, " needs a value in quotes"));
    std::string value;
    while (!rest_.empty()) {
      const std::size_t plain = std::min(rest_.find_first_of("\"\\"), rest_.size());
      value += rest_.substr(0, plain);
      rest_.remove_prefix(plain);
      if (take('"')) return value;
      if (rest_.size() < 2) break;
      // An escape that means nothing stands for itself, as in Prometheus.
      switch (rest_[1]) {
        case 'n':
          value += '\n';
          break;
        case '"':
          value += '"';
          break;
        case '\\':
          value += '\\';
          break;
        default:
          value += rest_.substr(0, 2);
      }
      rest_.remove_prefix(2);
    }
    return invalid(cat("the value of label ", label_name, " has no closing quote"));
  }

  std::string_view name(bool colon_allowed) {
    std::size_t length = 0;
    while (length < rest_.size() && (is_letter(rest_[length]) || (colon_allowed && rest_[length] == ':') ||
                                     (length > 0 && is_digit(rest_[length])))) {
      ++length;
    }
    return advance(length);
  }

  std::string_view word() {
    skip_blanks();
    return advance(std::min(rest_.find_first_of(" \t"), rest_.size()));
  }

  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }

  bool take(char c) {
    const bool there = rest_.starts_with(c);
    if (there) rest_.remove_prefix(1);
    return there;
  }

  std::string_view advance(std::size_t length) {
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }

  std::string_view rest_;
};

}  // namespace

Result<std::vector<Sample>> parse_exposition(std::string_view text) {
  std::vector<Sample> samples;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    auto sample = Line(line).sample();
    if (!sample) return invalid(cat("line ", number, ": ", sample.error().message));
    samples.push_back(*std::move(sample));
  }
  return samples;
}

std::string_view label(const Sample& sample, std::string_view name) {
  for (const auto& [label_name, value] : sample.labels) {
    if (label_name == name) return value;
  }
  return {};
}

}  // namespace mpca::prom
