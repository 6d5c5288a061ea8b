#include "workload/json_log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cmath>

#include "core/text.h"

namespace mpca::workload {
namespace {

/// Length of the UTF-8 sequence at the start of `text` (RFC 3629); 0 when there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, beyond U+10FFFF.
  if (length == 3 && ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) >= 0xa0))) return 0;
  if (length == 4 && ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) >= 0x90))) return 0;
  return length;
}

}  // namespace

std::string json_text(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string json = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const char letter = text[0];
    if (length == 0) {
      json += "\\ufffd";
    } else if (letter == '"' || letter == '\\') {
      json += '\\';
      json += letter;
    } else if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) {
      json += "\\u00";
      json += kDigits[letter / 16];
      json += kDigits[letter % 16];
    } else {
      json += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return json + '"';
}

LogField::LogField(std::string_view the_name, std::string_view text) : name(the_name), json(json_text(text)) {}
LogField::LogField(std::string_view the_name, double number)
    : name(the_name), json(std::isfinite(number) ? shortest(number) : "null") {}

struct JsonLog::Impl {
  explicit Impl(std::string_view the_app)
      : app(json_text(the_app)), logger("toy-load", std::make_shared<spdlog::sinks::stdout_sink_mt>()) {}

  void write(spdlog::level::level_enum level, std::string_view message, std::initializer_list<LogField> fields) {
    if (!logger.should_log(level)) return;
    std::string line = cat("\"msg\":", json_text(message), ",\"app\":", app);
    for (const LogField& field : fields) line += cat(",", json_text(field.name), ":", field.json);
    logger.log(level, spdlog::string_view_t(line.data(), line.size()));
  }

  std::string app;  // as JSON
  spdlog::logger logger;
};

JsonLog::JsonLog(std::string_view app, std::string_view level) : impl_(std::make_unique<Impl>(app)) {
  // %v is the line without its head, made above.
  impl_->logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(
      "{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",\"level\":\"%l\",%v}", spdlog::pattern_time_type::utc));
  impl_->logger.set_level(level == "debug"   ? spdlog::level::debug
                          : level == "info"  ? spdlog::level::info
                          : level == "error" ? spdlog::level::err
                                             : spdlog::level::warn);
  impl_->logger.flush_on(spdlog::level::debug);
}

JsonLog::~JsonLog() = default;

bool JsonLog::logs_debug() const { return impl_->logger.should_log(spdlog::level::debug); }
void JsonLog::debug(std::string_view message, std::initializer_list<LogField> fields) {
  impl_->write(spdlog::level::debug, message, fields);
}
void JsonLog::info(std::string_view message, std::initializer_list<LogField> fields) {
  impl_->write(spdlog::level::info, message, fields);
}
void JsonLog::warn(std::string_view message, std::initializer_list<LogField> fields) {
  impl_->write(spdlog::level::warn, message, fields);
}
void JsonLog::error(std::string_view message, std::initializer_list<LogField> fields) {
  impl_->write(spdlog::level::err, message, fields);
}

}  // namespace mpca::workload
