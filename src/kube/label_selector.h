// Which objects a selector means, for caches that hold all of them: the API server's own rules
// (k8s.io/apimachinery, labels.Selector), of the text that /scale tells and of the object that a Deployment holds.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mpca::kube {

using Labels = std::map<std::string, std::string>;

class LabelSelector {
 public:
  struct Requirement {
    enum class Operator { in, not_in, exists, does_not_exist };
    std::string key;
    Operator op = Operator::in;
    std::vector<std::string> values{};
    bool operator==(const Requirement&) const = default;
  };

  /// `app=web,tier in (front,edge),!canary`; nullopt when it is no selector. The empty text is nullopt, too: it would
  /// select every pod, and nobody means that.
  static std::optional<LabelSelector> parse(std::string_view text);
  /// `{"matchLabels":{…},"matchExpressions":[…]}`, JSON.
  static std::optional<LabelSelector> parse_object(std::string_view json);

  bool matches(const Labels& labels) const;
  /// All have to hold; never empty.
  const std::vector<Requirement>& requirements() const { return requirements_; }
  bool operator==(const LabelSelector&) const = default;

 private:
  std::vector<Requirement> requirements_;
};

}  // namespace mpca::kube
