#include "config/internal/yaml_text.h"

#include <gtest/gtest.h>

#include "config/document.h"

namespace mpca::config {
namespace {

using Json = nlohmann::ordered_json;

TEST(YamlText, ReadsBackAsTheSameJson) {
  const std::string words =
      "Nothing but words, one after the other: enough of them that a line cannot hold them all, and "
      "# is none of theirs; - neither.";
  const Json document = {
      {"texts",
       {"",    "Off", "yes",  "NULL", "1.5",   "0x10",   "a: b", " x",       "x ",  "#c",        "a #c",
        "- a", "'q'", "it's", "a\nb", "\"q\"", "a, (b)", "~",    "\xC3\xA4", words, words + " ", words + "  " + words}},
      {"numbers", {0, -1, 0.1, 1e9, 9007199254740993}},
      {"others", {true, false, nullptr, Json::array(), Json::object()}},
      {"a key: with a colon", {{"deep", {{{"in", "a list"}, {"and", {{"deeper", 1}}}}, {Json::array({1, 2})}}}}},
      {"no", "a key that is no word"}};
  const auto read = parse_yaml(internal::yaml_text(document));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(json_text(read->at(0)), document.dump());
}

// By hand: two columns deeper for what is in an object, none for lists, and lines of at most 120.
TEST(YamlText, IsWrittenAsKubectlDoes) {
  const std::string word(58, 'a');
  EXPECT_EQ(internal::yaml_text({{"kind", "List"},
                                 {"items", {{{"name", "a b"}, {"mode", "Off"}}}},
                                 {"description", word + " " + word + " b"}}),
            "kind: List\nitems:\n- name: a b\n  mode: \"Off\"\ndescription: >-\n  " + word + " " + word + "\n  b\n");
}

TEST(YamlText, OfATextThatIsNoJsonThereIsNone) {
  EXPECT_EQ(yaml_of_json(R"({"b":[1],"a":"x"})").value(), "b:\n- 1\na: x\n");
  EXPECT_EQ(yaml_of_json("{").error().message, "not JSON");
  EXPECT_EQ(yaml_of_json(std::string(101, '[') + std::string(101, ']')).error().message, "not JSON");
}

}  // namespace
}  // namespace mpca::config
