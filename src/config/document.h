// A YAML or JSON document as one tree, with exact 64-bit integers and the original text of every number, so that
// `0.575` is still a Kubernetes quantity and not the nearest double. Fields reads it by name and collects every problem
// with its path (`spec.metrics[1].resource.target.averageUtilization`).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "hpa/quantity.h"

namespace mpca::config {

struct Node {
  enum class Kind : std::uint8_t { null, boolean, integer, number, text, list, object };

  Kind kind = Kind::null;
  bool boolean = false;
  std::int64_t integer = 0;
  std::string text;  // of texts; of numbers as written
  std::vector<Node> items;
  struct Member;
  std::vector<Member> members;  // in the order of the text

  /// The member of an object. A null counts as absent, as everywhere in Kubernetes.
  const Node* find(std::string_view key) const;
  /// `null`, `true`, `text "abc"`, `a list`: for messages.
  std::string describe() const;
};

struct Node::Member {
  std::string key;
  Node value;
};

/// One JSON value.
///   errors   invalid_argument  not JSON, a key twice, nested too deep; the message says where
Result<Node> parse_json(std::string_view text);

/// The documents of a YAML stream (or one JSON value, which is read exactly).
///   errors   invalid_argument  not YAML, nested too deep, or far too many nodes behind aliases
Result<std::vector<Node>> parse_yaml(std::string_view text);

/// A JSON text as YAML for people, with its members in order; ends with a newline.
///   errors   invalid_argument  not JSON
Result<std::string> yaml_of_json(std::string_view json);

/// A tree as JSON, on one line.
std::string json_text(const Node& node);

/// An object of the tree under its path. Getters answer nullopt when the field is absent or, after noting a problem,
/// when it is of the wrong kind. Outlived by the node and the parent.
class Fields {
 public:
  Fields(const Node& node, Problems& problems, std::string_view where);
  /// Member or element of `parent`.
  Fields(const Node& node, const Fields& parent, std::string_view key, std::optional<std::size_t> index = {});

  bool has(std::string_view key) const { return node_.find(key) != nullptr; }
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t low = INT64_MIN,
                                      std::int64_t high = INT64_MAX) const;
  std::optional<std::int32_t> int32(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  const std::string* text(std::string_view key) const;
  std::optional<hpa::Quantity> quantity(std::string_view key) const;
  /// RFC 3339.
  std::optional<TimePoint> time(std::string_view key) const;
  /// Numbers with fractions.
  std::optional<double> number(std::string_view key) const;
  /// nullptr when absent or not an object, which is noted.
  const Node* object(std::string_view key) const;
  /// An empty list when absent.
  const std::vector<Node>& list(std::string_view key) const;

  /// Notes each member that is none of `keys`, with the nearest.
  void only(std::span<const std::string_view> keys) const;
  void only(std::initializer_list<std::string_view> keys) const { only(std::span(keys.begin(), keys.size())); }
  /// Notes `PATH.key MESSAGE`.
  void problem(std::string_view key, std::string_view message) const;
  /// How many were noted so far, here and elsewhere in the tree.
  std::size_t problem_count() const { return problems_.messages().size(); }
  /// `spec.metrics[1].resource`.
  std::string path() const;
  const Node& node() const { return node_; }

 private:
  const Node* of_kind(std::string_view key, Node::Kind kind, std::string_view wanted) const;
  std::string path_of(std::string_view key) const;

  const Node& node_;
  Problems& problems_;
  const Fields* parent_ = nullptr;
  std::string_view key_;  // below the parent; without one, what messages begin with
  std::optional<std::size_t> index_;
};

}  // namespace mpca::config
