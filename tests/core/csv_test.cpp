#include "core/csv.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace mpca {
namespace {

struct Parsed {
  std::vector<std::pair<std::int64_t, std::vector<std::string>>> rows;
  std::string error;  // empty when there was none
  bool operator==(const Parsed&) const = default;
};

Parsed parse_pieces(const std::vector<std::string>& pieces, std::size_t max_row_bytes = 1 << 20) {
  Parsed parsed;
  CsvParser parser(
      [&](std::int64_t row, std::span<const std::string_view> fields) {
        parsed.rows.emplace_back(row, std::vector<std::string>(fields.begin(), fields.end()));
        return true;
      },
      max_row_bytes);
  for (const std::string& piece : pieces) {
    if (const auto fed = parser.feed(piece); !fed.has_value()) {
      parsed.error = fed.error().message;
      return parsed;
    }
  }
  if (const auto finished = parser.finish(); !finished.has_value()) parsed.error = finished.error().message;
  return parsed;
}

Parsed parse(const std::string& text) { return parse_pieces({text}); }

// The same language, one character at a time with the whole text at hand and nothing clever.
Parsed parse_slowly(std::string text, std::size_t max_row_bytes) {
  Parsed parsed;
  if (text.starts_with("\xEF\xBB\xBF")) text = text.substr(3);
  std::int64_t row = 1;
  std::size_t row_begin = 0;
  std::vector<std::string> fields(1);
  bool quoted = false;
  bool field_was_quoted = false;
  const auto end_row = [&](std::size_t i) {
    std::string raw = text.substr(row_begin, i - row_begin);
    if (raw.ends_with('\r')) {
      raw.pop_back();
      if (!field_was_quoted) fields.back().pop_back();
    }
    if (!raw.empty()) parsed.rows.emplace_back(row, fields);
    fields.assign(1, "");
    field_was_quoted = false;
    row_begin = i + 1;
    ++row;
  };
  const auto fail_with = [&](const std::string& what) {
    parsed.error = "row " + std::to_string(row) + ": " + what;
    return parsed;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n' && !quoted) {
      end_row(i);
      continue;
    }
    if (i - row_begin + 1 > max_row_bytes) {
      return fail_with("longer than " + std::to_string(max_row_bytes) + " bytes; is this a CSV file?");
    }
    if (c == '\0') return fail_with("holds a NUL byte; is this a CSV file?");
    const bool field_begins = i == row_begin || (text[i - 1] == ',' && fields.back().empty() && !field_was_quoted);
    if (quoted) {
      if (c != '"') {
        fields.back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        if (i + 1 - row_begin + 1 > max_row_bytes) {
          return fail_with("longer than " + std::to_string(max_row_bytes) + " bytes; is this a CSV file?");
        }
        fields.back() += '"';
        ++i;
      } else {
        quoted = false;
      }
    } else if (c == ',') {
      fields.emplace_back();
      field_was_quoted = false;
    } else if (field_was_quoted) {
      if (c == '\r' && (i + 1 == text.size() || text[i + 1] == '\n')) continue;
      if (c == '\r') ++i;  // the byte after it is the wrong one
      if (c == '\r' && i - row_begin + 1 > max_row_bytes) {
        return fail_with("longer than " + std::to_string(max_row_bytes) + " bytes; is this a CSV file?");
      }
      if (text[i] == '\0') return fail_with("holds a NUL byte; is this a CSV file?");
      return fail_with("text after a closing quote");
    } else if (c == '"' && field_begins) {
      quoted = true;
      field_was_quoted = true;
    } else {
      fields.back() += c;
    }
  }
  if (quoted) return fail_with("a quote is never closed");
  if (row_begin < text.size()) end_row(text.size());
  return parsed;
}

TEST(CsvParser, RowsAreNumberedFromTheHeaderAndFieldsKeepTheirSpaces) {
  const Parsed parsed = parse("step,rps\n0, 20 \n1,\n");
  const Parsed expected{.rows = {{1, {"step", "rps"}}, {2, {"0", " 20 "}}, {3, {"1", ""}}}, .error = ""};
  EXPECT_EQ(parsed, expected);
}

TEST(CsvParser, ByteOrderMarkCarriageReturnsAndAMissingLastLineEndAreTolerated) {
  const Parsed expected{.rows = {{1, {"a", "b"}}, {2, {"1", "2"}}}, .error = ""};
  EXPECT_EQ(parse("\xEF\xBB\xBF"
                  "a,b\r\n1,2\r\n"),
            expected);
  EXPECT_EQ(parse("a,b\n1,2"), expected);
  EXPECT_EQ(parse("a,b\r\n1,2\r"), expected);
  EXPECT_EQ(parse("\xEF\xBB\xBF"
                  "\"a\",b\n1,2"),
            expected);
}

TEST(CsvParser, ABeginningOfAByteOrderMarkAloneIsText) {
  EXPECT_EQ(parse_pieces({"\xEF", "\xBB"}).rows, (decltype(Parsed::rows){{1, {"\xEF\xBB"}}}));
  EXPECT_EQ(parse_pieces({"\xEF", "\xBB", "x\n"}).rows, (decltype(Parsed::rows){{1, {"\xEF\xBBx"}}}));
}

TEST(CsvParser, BlankLinesAreSkippedButCounted) {
  EXPECT_EQ(parse("a\n\n\r\nb\n").rows, (decltype(Parsed::rows){{1, {"a"}}, {4, {"b"}}}));
}

TEST(CsvParser, QuotedFieldsHoldCommasLineEndsAndDoubledQuotes) {
  const Parsed parsed = parse("\"a,b\",\"say \"\"yes\"\"\",\"two\r\nlines\"\r\nx,\"\",z\n");
  const Parsed expected{.rows = {{1, {"a,b", "say \"yes\"", "two\r\nlines"}}, {2, {"x", "", "z"}}}, .error = ""};
  EXPECT_EQ(parsed, expected);
}

TEST(CsvParser, AQuoteInsideAFieldIsACharacter) {
  EXPECT_EQ(parse("5\" pipe,a\"b\n").rows, (decltype(Parsed::rows){{1, {"5\" pipe", "a\"b"}}}));
}

TEST(CsvParser, ErrorsNameTheRow) {
  EXPECT_EQ(parse("a\nb\n\"c\"d\n").error, "row 3: text after a closing quote");
  EXPECT_EQ(parse("a\n\"b\n\n").error, "row 2: a quote is never closed");
  EXPECT_EQ(parse(std::string("a\n\nb\0c\n", 7)).error, "row 3: holds a NUL byte; is this a CSV file?");
  EXPECT_EQ(parse_pieces({"abc\nabcd", "e\n"}, 4).error, "row 2: longer than 4 bytes; is this a CSV file?");
}

TEST(CsvParser, ALineThatNeverEndsStopsEarlyInsteadOfFillingTheMemory) {
  CsvParser parser([](std::int64_t, std::span<const std::string_view>) { return true; });
  const std::string garbage(1 << 18, 'x');
  int pieces = 0;
  while (pieces < 100 && parser.feed(garbage).has_value()) ++pieces;
  EXPECT_EQ(pieces, 4);  // 4 * 256 KiB are the allowed 1 MiB; the fifth piece passes it
}

TEST(CsvParser, AReaderThatHasEnoughGetsNoFurtherRows) {
  int rows = 0;
  CsvParser parser([&](std::int64_t, std::span<const std::string_view>) { return ++rows < 2; });
  EXPECT_TRUE(parser.feed("a\nb\nc\n\"d\"e\n").has_value());
  EXPECT_TRUE(parser.finish().has_value());
  EXPECT_EQ(rows, 2);
}

TEST(CsvParser, AFieldWrittenByCsvFieldReadsBack) {
  for (const std::string text : {"plain", "a,b", "say \"yes\"", "two\nlines", "cr\rin"}) {
    const Parsed parsed = parse(csv_field(text) + ",x\n");
    ASSERT_EQ(parsed.rows.size(), 1u);
    EXPECT_EQ(parsed.rows[0].second[0], text);
  }
}

TEST(CsvParser, AgreesWithTheSlowReaderOnRandomTextHoweverItIsSplit) {
  std::mt19937_64 random(7);
  const std::string alphabet = "ab1,,,\"\"\"\n\n\r\xEF\xBB\xBF";
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    if (random() % 4 == 0) text = "\xEF\xBB\xBF";
    const std::size_t length = random() % 40;
    while (text.size() < length) {
      text += random() % 60 == 0 ? '\0' : alphabet[random() % alphabet.size()];
      if (random() % 3 == 0) text += ",\"x\"\n";
    }
    std::vector<std::string> pieces;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t size = random() % 8;
      pieces.push_back(text.substr(begin, size));
      begin += size;
    }
    const std::size_t max_row_bytes = random() % 3 == 0 ? 3 + random() % 10 : 1 << 20;
    const Parsed slow = parse_slowly(text, max_row_bytes);
    ASSERT_EQ(parse_pieces(pieces, max_row_bytes), slow) << "round " << round << ": " << testing::PrintToString(text);
    ASSERT_EQ(parse_pieces({text}, max_row_bytes), slow) << "round " << round << ": " << testing::PrintToString(text);
  }
}

}  // namespace
}  // namespace mpca
