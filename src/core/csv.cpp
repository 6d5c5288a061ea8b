#include "core/csv.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace mpca {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool contains_byte(std::string_view text, char byte) {
  return !text.empty() && std::memchr(text.data(), byte, text.size()) != nullptr;
}

std::string_view without_carriage_return(std::string_view row) {
  if (row.ends_with('\r')) row.remove_suffix(1);
  return row;
}

}  // namespace

CsvParser::CsvParser(OnRow on_row, std::size_t max_row_bytes)
    : on_row_(std::move(on_row)), max_row_bytes_(max_row_bytes) {}

Result<void> CsvParser::feed(std::string_view piece) {
  if (stopped_) return {};
  if (at_start_) piece = skip_byte_order_mark(piece);
  const bool between_quotes = state_ != State::field_start && state_ != State::plain;
  if (between_quotes || contains_byte(piece, '"') || contains_byte(piece, '\0')) return feed_bytewise(piece);
  return feed_without_quotes(piece);
}

Result<void> CsvParser::finish() {
  if (stopped_) return {};
  if (at_start_) skip_byte_order_mark("\n");  // the beginning of a mark alone is text
  if (state_ == State::quoted) return stop_with("a quote is never closed");
  if (!pending_.empty()) end_row({});
  stopped_ = true;
  return {};
}

std::string_view CsvParser::skip_byte_order_mark(std::string_view piece) {
  while (!piece.empty() && mark_bytes_ < kByteOrderMark.size()) {
    if (piece.front() != kByteOrderMark[mark_bytes_]) {
      pending_ = kByteOrderMark.substr(0, mark_bytes_);
      if (!pending_.empty()) state_ = State::plain;
      break;
    }
    ++mark_bytes_;
    piece.remove_prefix(1);
  }
  if (!piece.empty() || mark_bytes_ == kByteOrderMark.size()) at_start_ = false;
  return piece;
}

Result<void> CsvParser::feed_without_quotes(std::string_view piece) {
  while (!piece.empty()) {
    const void* found = std::memchr(piece.data(), '\n', piece.size());
    const std::size_t length =
        found == nullptr ? piece.size() : static_cast<std::size_t>(static_cast<const char*>(found) - piece.data());
    if (pending_.size() + length > max_row_bytes_) return stop_with_long_row();
    if (found == nullptr) {
      pending_.append(piece);
      state_ = pending_.ends_with(',') ? State::field_start : State::plain;
      break;
    }
    end_row(piece.substr(0, length));
    if (stopped_) break;
    piece.remove_prefix(length + 1);
  }
  return {};
}

Result<void> CsvParser::feed_bytewise(std::string_view piece) {
  std::size_t row_begin = 0;
  for (std::size_t i = 0; i < piece.size(); ++i) {
    const char byte = piece[i];
    const bool ends_row = byte == '\n' && state_ != State::quoted;
    if (!ends_row && pending_.size() + (i - row_begin) >= max_row_bytes_) return stop_with_long_row();
    if (byte == '\0') return stop_with("holds a NUL byte; is this a CSV file?");
    if (ends_row) {
      end_row(piece.substr(row_begin, i - row_begin));
      if (stopped_) return {};
      row_begin = i + 1;
      continue;
    }
    switch (state_) {
      case State::field_start:
        row_has_quotes_ = row_has_quotes_ || byte == '"';
        state_ = byte == '"' ? State::quoted : byte == ',' ? State::field_start : State::plain;
        break;
      case State::plain:
        if (byte == ',') state_ = State::field_start;
        break;
      case State::quoted:
        if (byte == '"') state_ = State::quote_in_quoted;
        break;
      case State::quote_in_quoted:
        if (byte == '"') {
          state_ = State::quoted;
        } else if (byte == ',') {
          state_ = State::field_start;
        } else if (byte == '\r') {
          state_ = State::carriage_return_after_quote;
        } else {
          return stop_with("text after a closing quote");
        }
        break;
      case State::carriage_return_after_quote:
        return stop_with("text after a closing quote");
    }
  }
  pending_.append(piece.substr(row_begin));
  return {};
}

void CsvParser::end_row(std::string_view rest_of_row) {
  std::string_view row = rest_of_row;
  if (!pending_.empty()) {
    pending_.append(rest_of_row);
    row = pending_;
  }
  row = without_carriage_return(row);
  if (!row.empty()) {
    fields_.clear();
    if (row_has_quotes_) {
      split_quoted(row);
    } else {
      split_plain(row);
    }
    if (!on_row_(row_, fields_)) stopped_ = true;
  }
  pending_.clear();
  state_ = State::field_start;
  row_has_quotes_ = false;
  ++row_;
}

void CsvParser::split_plain(std::string_view row) {
  const char* const end = row.data() + row.size();
  const char* field = row.data();
  // Fields of a trace are a few bytes long: a loop beats a memchr call per field.
  for (const char* byte = field; byte != end; ++byte) {
    if (*byte == ',') {
      fields_.emplace_back(field, byte);
      field = byte + 1;
    }
  }
  fields_.emplace_back(field, end);
}

void CsvParser::split_quoted(std::string_view row) {
  unquoted_.clear();
  unquoted_.reserve(row.size());  // never moves while views point into it
  std::size_t i = 0;
  while (true) {
    if (i < row.size() && row[i] == '"') {
      const std::size_t begin = unquoted_.size();
      for (++i; i < row.size(); ++i) {
        if (row[i] == '"' && (++i == row.size() || row[i] != '"')) break;
        unquoted_ += row[i];
      }
      fields_.push_back(std::string_view(unquoted_).substr(begin));
    } else {
      const std::size_t end = std::min(row.find(',', i), row.size());
      fields_.push_back(row.substr(i, end - i));
      i = end;
    }
    if (i >= row.size()) return;
    ++i;  // the comma
  }
}

std::unexpected<Error> CsvParser::stop_with(std::string_view what) {
  stopped_ = true;
  return invalid("row " + std::to_string(row_) + ": " + std::string(what));
}

std::unexpected<Error> CsvParser::stop_with_long_row() {
  return stop_with("longer than " + std::to_string(max_row_bytes_) + " bytes; is this a CSV file?");
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char byte : text) {
    if (byte == '"') quoted += '"';
    quoted += byte;
  }
  quoted += '"';
  return quoted;
}

}  // namespace mpca
