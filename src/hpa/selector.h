// Label selectors as a scale's status has them: `app=web,tier in (a, b),!canary`. All requirements must hold; `!=` and
// `notin` also hold where the label is absent. Kubernetes 1.35, apimachinery/pkg/labels.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace mpca::hpa {

using Labels = std::vector<std::pair<std::string, std::string>>;

class Selector {
 public:
  /// Matches everything; an empty text is that, too. (An HPA refuses an empty one before it comes to matching.)
  Selector() = default;

  ///   errors   invalid_argument  not of the grammar, or a key or value that no label can have
  static Result<Selector> parse(std::string_view text);

  bool matches(const Labels& labels) const;

 private:
  enum class Operator { exists, does_not_exist, in, not_in, greater, less };
  struct Requirement {
    std::string key;
    Operator op = Operator::exists;
    std::vector<std::string> values;
    bool holds(const Labels& labels) const;
  };
  class Parser;
  std::vector<Requirement> requirements_;
};

/// What an HPA finds out about its target's selector before it looks at metrics.
enum class SelectorState : std::uint8_t { valid, missing, unparsable, ambiguous };

/// `text` as the HPA of these pods sees it.
///
///   pods     labels of the namespace's pods
///   others   selectors that other HPAs of the namespace have registered
SelectorState selector_state(std::string_view text, std::span<const Labels> pods, std::span<const Selector> others);

}  // namespace mpca::hpa
