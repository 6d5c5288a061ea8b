#include "config/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "config/internal/yaml_text.h"
#include "core/text.h"
#include "net/json.h"
#include "trace/timestamps.h"

namespace mpca::config {
namespace {

constexpr std::size_t kDeepest = 64;
constexpr std::size_t kMostNodes = 2'000'000;

Node number_node(std::string_view text) {
  Node node;
  node.text = text;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), node.integer);
  node.kind = error == std::errc() && end == text.data() + text.size() ? Node::Kind::integer : Node::Kind::number;
  return node;
}

/// nlohmann's reader calls this for every value; the tree is built without its own one in between.
class TreeBuilder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Node take() { return std::move(root_); }
  const std::string& problem() const { return problem_; }

  bool null() override { return place(Node{}); }
  bool boolean(bool value) override {
    Node node;
    node.kind = Node::Kind::boolean;
    node.boolean = value;
    return place(std::move(node));
  }
  bool number_integer(number_integer_t value) override { return place_integer(value); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value <= static_cast<number_unsigned_t>(INT64_MAX)) return place_integer(static_cast<std::int64_t>(value));
    return place(number_node(std::to_string(value)));
  }
  bool number_float(number_float_t /*value*/, const string_t& text) override {
    Node node;
    node.kind = Node::Kind::number;
    node.text = text;
    return place(std::move(node));
  }
  bool string(string_t& value) override {
    Node node;
    node.kind = Node::Kind::text;
    node.text = std::move(value);
    return place(std::move(node));
  }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*size*/) override { return open(Node::Kind::object); }
  bool start_array(std::size_t /*size*/) override { return open(Node::Kind::list); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    Node& object = *open_.back();
    if (std::ranges::any_of(object.members, [&](const auto& member) { return member.key == name; })) {
      problem_ = cat("the key \"", name, "\" is there twice");
      return false;
    }
    object.members.push_back({std::move(name), Node{}});
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    // nlohmann's words after `[json.exception.…] parse error at line 1, column 2: `.
    const std::string_view what = error.what();
    const std::size_t words = what.find("line ");
    problem_ = cat("not valid JSON: ",
                   words == std::string_view::npos ? cat("at byte ", position) : std::string(what.substr(words)));
    return false;
  }

 private:
  Node* place_node(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return &root_;
    }
    Node& parent = *open_.back();
    if (parent.kind == Node::Kind::list) return &parent.items.emplace_back(std::move(node));
    parent.members.back().value = std::move(node);
    return &parent.members.back().value;
  }
  bool place(Node node) {
    place_node(std::move(node));
    return true;
  }
  bool place_integer(std::int64_t value) {
    Node node;
    node.kind = Node::Kind::integer;
    node.integer = value;
    return place(std::move(node));
  }
  bool open(Node::Kind kind) {
    if (open_.size() >= kDeepest) {
      problem_ = "nested too deep";
      return false;
    }
    Node node;
    node.kind = kind;
    open_.push_back(place_node(std::move(node)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Node root_;
  std::vector<Node*> open_;
  std::string problem_;
};

/// Ends what has no end: yaml-cpp 0.7 finds ever more documents in some texts that are none, such as one that begins
/// with a comma.
class EndlessYaml final : public YAML::EventHandler {
 public:
  explicit EndlessYaml(std::size_t bytes) : most_(kEventsPerByte * (bytes + 4)) {}
  void OnDocumentStart(const YAML::Mark& mark) override { count(mark); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { count(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { count(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t, const std::string&) override {
    count(mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    count(mark);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    count(mark);
  }
  void OnMapEnd() override {}

 private:
  static constexpr std::size_t kEventsPerByte = 2;  // a byte is at most the end of a key and an empty value

  void count(const YAML::Mark& mark) {
    if (++events_ > most_) throw YAML::ParserException(mark, "there is more in it than its length allows");
  }
  std::size_t most_, events_ = 0;
};

bool is_yaml_null(const std::string& text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

std::optional<bool> yaml_boolean(const std::string& text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

/// JSON's numbers and what YAML adds in signs and points; not dates, versions, or `1_000`.
bool is_number(std::string_view text) {
  return !text.empty() && (text.find_first_not_of("0123456789+-.eE") == std::string_view::npos) &&
         text.find_first_of("0123456789") != std::string_view::npos && parse_double(text).has_value();
}

Result<Node> from_yaml(const YAML::Node& yaml, std::size_t depth, std::size_t& nodes) {
  if (depth > kDeepest) return invalid("nested too deep");
  if (++nodes > kMostNodes) return invalid("too many nodes behind its aliases");
  Node node;
  switch (yaml.Type()) {
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null:
      return node;
    case YAML::NodeType::Scalar: {
      const std::string& text = yaml.Scalar();
      const bool is_plain = yaml.Tag() == "?" || yaml.Tag().empty();
      if (is_plain && is_yaml_null(text)) return node;
      if (is_plain && is_number(text)) return number_node(text);
      if (const auto truth = yaml_boolean(text); is_plain && truth) {
        node.kind = Node::Kind::boolean;
        node.boolean = *truth;
        return node;
      }
      node.kind = Node::Kind::text;
      node.text = text;
      return node;
    }
    case YAML::NodeType::Sequence:
      node.kind = Node::Kind::list;
      for (const YAML::Node& item : yaml) {
        MPCA_TRY(Node child, from_yaml(item, depth + 1, nodes));
        node.items.push_back(std::move(child));
      }
      return node;
    case YAML::NodeType::Map:
      node.kind = Node::Kind::object;
      for (const auto& member : yaml) {
        if (!member.first.IsScalar()) return invalid("a key is not a text");
        const std::string& key = member.first.Scalar();
        if (std::ranges::any_of(node.members, [&](const auto& other) { return other.key == key; }))
          return invalid(cat("the key \"", key, "\" is there twice"));
        MPCA_TRY(Node child, from_yaml(member.second, depth + 1, nodes));
        node.members.push_back({key, std::move(child)});
      }
      return node;
  }
  return node;
}

nlohmann::ordered_json to_json(const Node& node) {
  nlohmann::ordered_json json;
  switch (node.kind) {
    case Node::Kind::null:
      break;
    case Node::Kind::boolean:
      json = node.boolean;
      break;
    case Node::Kind::integer:
      json = node.integer;
      break;
    case Node::Kind::number:
      json = parse_double(node.text).value_or(0.0);
      break;
    case Node::Kind::text:
      json = node.text;
      break;
    case Node::Kind::list:
      json = nlohmann::ordered_json::array();
      for (const Node& item : node.items) json.push_back(to_json(item));
      break;
    case Node::Kind::object:
      json = nlohmann::ordered_json::object();
      for (const auto& [key, value] : node.members) json[key] = to_json(value);
      break;
  }
  return json;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name == key) return value.kind == Kind::null ? nullptr : &value;
  }
  return nullptr;
}

std::string Node::describe() const {
  constexpr std::size_t kShown = 60;
  switch (kind) {
    case Kind::null:
      return "null";
    case Kind::boolean:
      return boolean ? "true" : "false";
    case Kind::integer:
      return std::to_string(integer);
    case Kind::number:
      return text;
    case Kind::text:
      return cat("\"", std::string_view(text).substr(0, kShown), text.size() > kShown ? "...\"" : "\"");
    case Kind::list:
      return "a list";
    case Kind::object:
      break;
  }
  return "an object";
}

Result<Node> parse_json(std::string_view text) {
  TreeBuilder builder;
  bool is_read = false;
  try {
    is_read = nlohmann::json::sax_parse(text, &builder);
  } catch (const std::exception& error) {
    return invalid(cat("not valid JSON: ", error.what()));
  }
  if (!is_read) return invalid(builder.problem().empty() ? "not valid JSON" : builder.problem());
  return builder.take();
}

Result<std::vector<Node>> parse_yaml(std::string_view text) {
  std::vector<Node> documents;
  if (const std::string_view trimmed = trim(text); trimmed.starts_with('{')) {
    if (auto json = parse_json(text)) {
      documents.push_back(*std::move(json));
      return documents;
    }
  }
  try {
    std::istringstream once{std::string(text)};
    YAML::Parser parser(once);
    EndlessYaml counter(text.size());
    while (parser.HandleNextDocument(counter)) {
    }
    std::size_t nodes = 0;
    for (const YAML::Node& document : YAML::LoadAll(std::string(text))) {
      MPCA_TRY(Node node, from_yaml(document, 0, nodes));
      if (node.kind != Node::Kind::null) documents.push_back(std::move(node));
    }
  } catch (const YAML::Exception& error) {
    return invalid(
        cat("not valid YAML: line ", error.mark.line + 1, ", column ", error.mark.column + 1, ": ", error.msg));
  } catch (const std::exception& error) {
    return invalid(cat("not valid YAML: ", error.what()));
  }
  return documents;
}

Result<std::string> yaml_of_json(std::string_view json) {
  const auto document = net::parse_json<nlohmann::ordered_json>(json);
  if (document.is_discarded()) return invalid("not JSON");
  return internal::yaml_text(document);
}

std::string json_text(const Node& node) { return to_json(node).dump(); }

Fields::Fields(const Node& node, Problems& problems, std::string_view where)
    : node_(node), problems_(problems), key_(where) {}

Fields::Fields(const Node& node, const Fields& parent, std::string_view key, std::optional<std::size_t> index)
    : node_(node), problems_(parent.problems_), parent_(&parent), key_(key), index_(index) {}

std::string Fields::path() const {
  if (parent_ == nullptr) return "";
  std::string text = parent_->path();
  if (!text.empty()) text += '.';
  text += key_;
  if (index_) text += cat("[", *index_, "]");
  return text;
}

std::string Fields::path_of(std::string_view key) const {
  const std::string own = path();
  if (key.empty()) return own;
  return own.empty() ? std::string(key) : cat(own, ".", key);
}

void Fields::problem(std::string_view key, std::string_view message) const {
  const Fields* root = this;
  while (root->parent_ != nullptr) root = root->parent_;
  const std::string path = path_of(key);
  problems_.add(cat(root->key_, root->key_.empty() ? "" : ": ", path, path.empty() ? "" : " ", message));
}

const Node* Fields::of_kind(std::string_view key, Node::Kind kind, std::string_view wanted) const {
  const Node* found = node_.find(key);
  if (found == nullptr) return nullptr;
  if (found->kind == kind) return found;
  problem(key, cat("is ", found->describe(), "; must be ", wanted));
  return nullptr;
}

std::optional<std::int64_t> Fields::integer(std::string_view key, std::int64_t low, std::int64_t high) const {
  const Node* found = of_kind(key, Node::Kind::integer, "a whole number");
  if (found == nullptr) return std::nullopt;
  if (found->integer >= low && found->integer <= high) return found->integer;
  problem(key, cat("is ", found->integer, "; must be between ", low, " and ", high));
  return std::nullopt;
}

std::optional<std::int32_t> Fields::int32(std::string_view key) const {
  const auto value = integer(key, INT32_MIN, INT32_MAX);
  return value ? std::optional(static_cast<std::int32_t>(*value)) : std::nullopt;
}

std::optional<bool> Fields::boolean(std::string_view key) const {
  const Node* found = of_kind(key, Node::Kind::boolean, "true or false");
  return found != nullptr ? std::optional(found->boolean) : std::nullopt;
}

const std::string* Fields::text(std::string_view key) const {
  const Node* found = of_kind(key, Node::Kind::text, "a text");
  return found != nullptr ? &found->text : nullptr;
}

std::optional<hpa::Quantity> Fields::quantity(std::string_view key) const {
  const Node* found = node_.find(key);
  if (found == nullptr) return std::nullopt;
  std::string text = found->text;
  if (found->kind == Node::Kind::integer) text = std::to_string(found->integer);
  if (found->kind != Node::Kind::integer && found->kind != Node::Kind::number && found->kind != Node::Kind::text) {
    problem(key, cat("is ", found->describe(), "; must be a quantity such as 250m, 1.5 or 100Mi"));
    return std::nullopt;
  }
  const auto value = hpa::parse_quantity(text);
  if (value) return *value;
  problem(key, cat("is no quantity: ", value.error().message));
  return std::nullopt;
}

std::optional<TimePoint> Fields::time(std::string_view key) const {
  const std::string* found = text(key);
  if (found == nullptr) return std::nullopt;
  const auto time = trace::parse_rfc3339(*found);
  if (!time) problem(key, cat("is \"", *found, "\"; must be a time such as 2026-05-01T10:00:00Z"));
  return time;
}

std::optional<double> Fields::number(std::string_view key) const {
  const Node* found = node_.find(key);
  if (found == nullptr) return std::nullopt;
  if (found->kind == Node::Kind::integer) return static_cast<double>(found->integer);
  if (found->kind == Node::Kind::number) return parse_double(found->text);
  problem(key, cat("is ", found->describe(), "; must be a number"));
  return std::nullopt;
}

const Node* Fields::object(std::string_view key) const { return of_kind(key, Node::Kind::object, "an object"); }

const std::vector<Node>& Fields::list(std::string_view key) const {
  static const std::vector<Node> kNone;
  const Node* found = of_kind(key, Node::Kind::list, "a list");
  return found != nullptr ? found->items : kNone;
}

void Fields::only(std::span<const std::string_view> keys) const {
  for (const auto& [name, value] : node_.members) {
    if (std::ranges::find(keys, name) != keys.end()) continue;
    problem(name, cat("is not a field of this object", did_you_mean(name, keys)));
  }
}

}  // namespace mpca::config
