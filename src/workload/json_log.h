// The log of a server in a container: one JSON object a line, with `time`, `level`, `msg`, `app` and further fields.
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace mpca::workload {

/// One further field of a line.
struct LogField {
  std::string_view name;
  std::string json;  // the value as JSON

  LogField(std::string_view the_name, std::string_view text);
  LogField(std::string_view the_name, const char* text) : LogField(the_name, std::string_view(text)) {}
  LogField(std::string_view the_name, double number);
  LogField(std::string_view the_name, std::integral auto number) : name(the_name), json(std::to_string(number)) {}
};

class JsonLog {
 public:
  /// Writes to stdout, each line at once. `level`: debug, info, warn or warning, error.
  JsonLog(std::string_view app, std::string_view level);
  ~JsonLog();
  JsonLog(const JsonLog&) = delete;
  JsonLog& operator=(const JsonLog&) = delete;

  /// Whether a line of debug() would be written; ask before making its fields.
  bool logs_debug() const;
  void debug(std::string_view message, std::initializer_list<LogField> fields = {});
  void info(std::string_view message, std::initializer_list<LogField> fields = {});
  void warn(std::string_view message, std::initializer_list<LogField> fields = {});
  void error(std::string_view message, std::initializer_list<LogField> fields = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// `text` as a JSON string, quotes included; bytes that are no UTF-8 become U+FFFD.
std::string json_text(std::string_view text);

}  // namespace mpca::workload
