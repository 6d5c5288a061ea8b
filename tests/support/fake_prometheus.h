// A Prometheus whose answers and faults a test scripts, over real HTTP on loopback: a script for every query, or for
// the next ones, each spent by one request. On ScriptedServer and not on net/http_server, which reads bodies past and
// cannot break an answer off.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/scripted_server.h"

namespace mpca::test {

class FakePrometheus {
 public:
  /// What one request asked.
  struct Asked {
    std::string method;
    std::string path;                           // before `?`
    std::map<std::string, std::string> fields;  // of the path's query or of the body, decoded
    std::string authorization;                  // empty: none
  };
  /// Bytes of a reply, and what happens to the connection.
  struct Script {
    std::string bytes;
    enum class Then { keep, close, hang } then = Then::keep;
  };

  FakePrometheus() { start(0); }
  std::string url(std::string_view path = "") const { return server_->url(path); }
  /// As if the process had ended: connections break, new ones are refused.
  void go_away() {
    port_ = server_->port();
    server_.reset();
  }
  void come_back() { start(port_); }

  /// Queries of exactly `promql` are answered so; all others find no series.
  void set(const std::string& promql, Script script) {
    const std::scoped_lock lock(mutex_);
    scripts_[promql] = std::move(script);
  }
  /// The next requests meet these first, whatever they ask.
  void next(const std::vector<Script>& scripts) {
    const std::scoped_lock lock(mutex_);
    next_.insert(next_.end(), scripts.begin(), scripts.end());
  }
  /// Whatever is asked is answered so, until nullopt.
  void always(std::optional<Script> script) {
    const std::scoped_lock lock(mutex_);
    always_ = std::move(script);
  }
  std::vector<Asked> asked() const {
    const std::scoped_lock lock(mutex_);
    return asked_;
  }

  // Answers. `results` is JSON: series of vector or matrix, comma separated.
  static Script json(int status, std::string_view body) { return {http_answer(status, body)}; }
  static Script vector(std::string_view results, std::string_view further_fields = "") {
    return success("vector", results, further_fields);
  }
  static Script matrix(std::string_view results, std::string_view further_fields = "") {
    return success("matrix", results, further_fields);
  }
  /// One series without labels; any text a value may be: `12.5`, `NaN`, `+Inf`.
  static Script number(std::string_view value) {
    return vector("{\"metric\":{},\"value\":[1700000000.5,\"" + std::string(value) + "\"]}");
  }
  static Script empty() { return vector(""); }
  static Script with_warning(std::string_view results, std::string_view warning) {
    return vector(results, ",\"warnings\":[\"" + std::string(warning) + "\"]");
  }
  /// As Prometheus refuses: `bad_data` with 400, `timeout` with 503.
  static Script error(int status, std::string_view type, std::string_view words) {
    return json(status, "{\"status\":\"error\",\"errorType\":\"" + std::string(type) + "\",\"error\":\"" +
                            std::string(words) + "\"}");
  }

  // Faults.
  static Script not_json(int status = 200) { return json(status, "<html>Bad Gateway</html>"); }
  static Script truncated() {
    return {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"status\":\"succ", Script::Then::close};
  }
  static Script closed() { return {"", Script::Then::close}; }
  static Script hang() { return {"", Script::Then::hang}; }

 private:
  static Script success(std::string_view type, std::string_view results, std::string_view further_fields) {
    return json(200, "{\"status\":\"success\",\"data\":{\"resultType\":\"" + std::string(type) + "\",\"result\":[" +
                         std::string(results) + "]}" + std::string(further_fields) + "}");
  }

  void start(std::uint16_t port) {
    server_.emplace([this](ScriptedServer::Client& client) { serve(client); }, port);
  }

  void serve(ScriptedServer::Client& client) {
    for (std::string text = client.read_request(); !text.empty(); text = client.read_request()) {
      const Script script = script_for(parsed(text));
      client.write(script.bytes);
      if (script.then == Script::Then::hang) client.wait_for_end();
      if (script.then != Script::Then::keep) return;
    }
  }

  Script script_for(const Asked& asked) {
    const std::scoped_lock lock(mutex_);
    asked_.push_back(asked);
    if (!next_.empty()) {
      Script script = std::move(next_.front());
      next_.pop_front();
      return script;
    }
    if (always_) return *always_;
    const auto field = asked.fields.find("query");
    const auto found = field == asked.fields.end() ? scripts_.end() : scripts_.find(field->second);
    return found == scripts_.end() ? empty() : found->second;
  }

  static Asked parsed(const std::string& request) {
    const std::size_t head_end = request.find("\r\n\r\n");
    const std::size_t target = request.find(' ') + 1;
    const std::string full = request.substr(target, request.find(' ', target) - target);
    const std::size_t mark = full.find('?');
    Asked asked{request.substr(0, target - 1), full.substr(0, mark), {}, ""};
    add_fields(mark == std::string::npos ? "" : full.substr(mark + 1), asked.fields);
    add_fields(request.substr(head_end + 4), asked.fields);
    constexpr std::string_view kName = "\r\nAuthorization: ";
    if (const std::size_t at = request.find(kName); at < head_end) {
      const std::size_t value = at + kName.size();
      asked.authorization = request.substr(value, request.find("\r\n", value) - value);
    }
    return asked;
  }

  static void add_fields(const std::string& form, std::map<std::string, std::string>& fields) {
    for (std::size_t at = 0; at < form.size();) {
      const std::size_t end = std::min(form.find('&', at), form.size());
      const std::string field = form.substr(at, end - at);
      const std::size_t equals = std::min(field.find('='), field.size());
      fields[field.substr(0, equals)] = decoded(std::string_view(field).substr(std::min(equals + 1, field.size())));
      at = end + 1;
    }
  }

  static std::string decoded(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%' && i + 2 < text.size()) {
        bytes += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
      } else {
        bytes += text[i];
      }
    }
    return bytes;
  }

  mutable std::mutex mutex_;  // of the four below
  std::map<std::string, Script> scripts_;
  std::deque<Script> next_;
  std::optional<Script> always_;
  std::vector<Asked> asked_;
  std::uint16_t port_ = 0;
  std::optional<ScriptedServer> server_;  // the last, so that its threads end first
};

}  // namespace mpca::test
