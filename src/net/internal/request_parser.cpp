#include "net/internal/request_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <functional>
#include <limits>
#include <optional>

namespace mpca::net::internal {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

// Chunk extensions and trailers are read past for nobody; more than this of them is an attack.
constexpr std::size_t kMaxBodyOverheadBytes = std::size_t{16} << 10;
// `0 CR LF CR LF`: no chunked body ends with less, and Beast (1.81) asserts that it is not asked with less.
constexpr std::size_t kShortestChunkedEnd = 5;
// Before a request (RFC 9112, 2.2): left over by clients that end a body with an empty line.
constexpr std::size_t kMaxEmptyLineBytes = 8;

struct Problem {
  int status = 400;
  const char* why = "";
};

/// What Beast tells while it reads one request.
class Parser final : public http::basic_parser<true> {
 public:
  explicit Parser(const HeadLimits& limits) : max_fields_(limits.max_fields) {
    body_limit(boost::none);
    header_limit(
        static_cast<std::uint32_t>(std::min<std::size_t>(limits.max_bytes, std::numeric_limits<std::uint32_t>::max())));
  }

  /// Where the bytes of the next put() are: what is found in them is kept as the distance from `begin`.
  void look_at(std::string_view bytes) { bytes_ = bytes; }

  std::string_view method(std::string_view bytes) const { return bytes.substr(method_at_, method_size_); }
  std::string_view target(std::string_view bytes) const { return bytes.substr(target_at_, target_size_); }
  int version() const { return version_; }
  bool expects_continue() const { return expects_continue_; }
  const std::optional<Problem>& problem() const { return problem_; }

 private:
  using View = beast::string_view;

  void on_request_impl(http::verb, View method, View target, int version, error_code&) override {
    method_at_ = static_cast<std::size_t>(method.data() - bytes_.data());
    method_size_ = method.size();
    target_at_ = static_cast<std::size_t>(target.data() - bytes_.data());
    target_size_ = target.size();
    version_ = version;
  }

  void on_field_impl(http::field name, View name_text, View value, error_code& error) override {
    if (++fields_ > max_fields_) return refuse(431, "too many header fields", error);
    if (is_folded(name_text, value)) return refuse(400, "folded header line", error);
    if (is_header_done()) return;  // a trailer
    switch (name) {
      case http::field::host:
        ++hosts_;
        return;
      case http::field::expect:
        if (!beast::iequals(value, "100-continue")) return refuse(417, "only Expect: 100-continue can be met", error);
        expects_continue_ = version_ == 11;
        return;
      case http::field::transfer_encoding:
        if (!beast::iequals(value, "chunked"))
          return refuse(501, "only the transfer coding chunked is known here", error);
        return;
      default:
        return;
    }
  }

  void on_header_impl(error_code& error) override {
    if (hosts_ > 1 || (hosts_ == 0 && version_ == 11)) return refuse(400, "one Host header is required", error);
    if (chunked() && version_ == 10) return refuse(400, "Transfer-Encoding in HTTP/1.0", error);
  }

  void on_chunk_header_impl(std::uint64_t, View extensions, error_code& error) override {
    extension_bytes_ += extensions.size();
    if (extension_bytes_ > kMaxBodyOverheadBytes) refuse(400, "too many chunk extensions", error);
  }

  void on_response_impl(int, View, int, error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(View body, error_code&) override { return body.size(); }
  std::size_t on_chunk_body_impl(std::uint64_t, View body, error_code&) override { return body.size(); }
  void on_finish_impl(error_code&) override {}

  /// Beast puts folded lines together elsewhere, or skips the empty ones between the colon and the value.
  bool is_folded(View name, View value) const {
    const std::less_equal<const char*> not_after;
    const char* const end = bytes_.data() + bytes_.size();
    if (!not_after(name.data(), value.data()) || !not_after(value.data() + value.size(), end)) return true;
    const char* const colon = name.data() + name.size();
    return std::find(colon, value.data(), '\n') != value.data();
  }

  void refuse(int status, const char* why, error_code& error) {
    problem_ = {status, why};
    error = http::error::bad_field;
  }

  std::string_view bytes_;
  std::size_t max_fields_;
  std::size_t method_at_ = 0, method_size_ = 0;
  std::size_t target_at_ = 0, target_size_ = 0;
  std::size_t fields_ = 0;
  std::size_t extension_bytes_ = 0;
  int version_ = 11;
  int hosts_ = 0;
  bool expects_continue_ = false;
  std::optional<Problem> problem_;
};

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

/// Whether a request line that Beast refused for its version ends like one: `… HTTP/2.0`.
bool names_another_version(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, bytes.find_first_of("\r\n"));
  if (line.size() < 9) return false;
  const std::string_view end = line.substr(line.size() - 9);
  return end.starts_with(" HTTP/") && is_digit(end[6]) && end[7] == '.' && is_digit(end[8]) && end != " HTTP/1.0" &&
         end != " HTTP/1.1";
}

Problem problem_of(const error_code& error, std::string_view bytes) {
  if (error == http::error::header_limit) return {431, "the request head is too large"};
  if (error == http::error::bad_version && names_another_version(bytes))
    return {505, "only versions 1.0 and 1.1 are spoken here"};
  if (error == http::error::bad_method || error == http::error::bad_version) return {400, "malformed request line"};
  if (error == http::error::bad_target) return {400, "malformed request target"};
  if (error == http::error::bad_content_length) return {400, "malformed Content-Length, or beside Transfer-Encoding"};
  if (error == http::error::multiple_content_length) return {400, "two different Content-Lengths"};
  if (error == http::error::bad_transfer_encoding) return {400, "Transfer-Encoding twice, or beside Content-Length"};
  if (error == http::error::bad_field || error == http::error::bad_value) return {400, "malformed header line"};
  return {400, "malformed request"};
}

/// False when the target is none of the forms of RFC 9112, 3.2.
bool read_target(std::string_view target, RequestHead& head) {
  if (target[0] != '/' && head.method != "CONNECT" && target != "*") {
    const std::size_t scheme = target.find("://");
    if (scheme == std::string_view::npos || target.find('/') != scheme + 1) return false;
    // As a client speaks to a proxy: what follows the authority is ours.
    const std::size_t path = target.find_first_of("/?", scheme + 3);
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  const std::size_t question = target.find('?');
  head.path = question == 0 ? std::string_view("/") : target.substr(0, question);
  head.query = question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
  return true;
}

}  // namespace

struct RequestParser::Impl {
  explicit Impl(const HeadLimits& the_limits) : limits(the_limits) { parser.emplace(limits); }

  State fail(Problem the_problem) {
    problem = the_problem;
    return state = State::bad;
  }

  HeadLimits limits;
  std::optional<Parser> parser;  // one per request: Beast's cannot be used again
  State state = State::head;
  std::size_t parsed = 0;  // bytes of the head that Beast has taken, or empty lines before it
  bool has_begun = false;
  RequestHead head;
  Problem problem;
};

RequestParser::RequestParser(const HeadLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;
RequestParser::~RequestParser() = default;

RequestParser::State RequestParser::read_head(std::string_view bytes) {
  Impl& impl = *impl_;
  if (!impl.has_begun) {
    while (bytes.substr(impl.parsed).starts_with("\r\n")) impl.parsed += 2;
    if (impl.parsed > kMaxEmptyLineBytes) return impl.fail({400, "empty lines instead of a request"});
    if (bytes.size() == impl.parsed || bytes.substr(impl.parsed) == "\r") return impl.state;
    impl.has_begun = true;
  }
  Parser& parser = *impl.parser;
  parser.look_at(bytes);
  error_code error;
  const std::string_view rest = bytes.substr(impl.parsed);
  impl.parsed += parser.put(boost::asio::const_buffer(rest.data(), rest.size()), error);
  // Beast's own limit holds for the line and for the fields, each by itself.
  const std::size_t known_bytes = error == http::error::need_more ? bytes.size() : impl.parsed;
  if (error && error != http::error::need_more)
    return impl.fail(parser.problem() ? *parser.problem() : problem_of(error, rest));
  if (known_bytes > impl.limits.max_bytes) return impl.fail({431, "the request head is too large"});
  if (!parser.is_header_done()) return impl.state;

  impl.head.method = parser.method(bytes);
  impl.head.minor_version = parser.version() - 10;
  impl.head.keep_alive = parser.keep_alive();
  impl.head.expects_continue = parser.expects_continue();
  if (!read_target(parser.target(bytes), impl.head)) return impl.fail({400, "malformed request target"});
  return impl.state = parser.is_done() ? State::done : State::body;
}

std::size_t RequestParser::read_body(std::string_view bytes) {
  Impl& impl = *impl_;
  Parser& parser = *impl.parser;
  parser.look_at(bytes);
  std::size_t at = 0;
  while (impl.state == State::body && at < bytes.size()) {
    const std::string_view rest = bytes.substr(at);
    if (parser.chunked() && rest.size() < kShortestChunkedEnd) break;
    error_code error;
    at += parser.put(boost::asio::const_buffer(rest.data(), rest.size()), error);
    if (error == http::error::need_more) {
      if (bytes.size() - at > kMaxBodyOverheadBytes) impl.fail({400, "too many chunk extensions or trailers"});
      break;
    }
    if (error)
      impl.fail({400, "malformed chunk"});
    else if (parser.is_done())
      impl.state = State::done;
  }
  return at;
}

void RequestParser::restart() {
  Impl& impl = *impl_;
  impl.parser.emplace(impl.limits);
  impl.state = State::head;
  impl.parsed = 0;
  impl.has_begun = false;
}

const RequestHead& RequestParser::head() const { return impl_->head; }
std::size_t RequestParser::head_bytes() const { return impl_->parsed; }
RequestParser::State RequestParser::state() const { return impl_->state; }
int RequestParser::status() const { return impl_->problem.status; }
const char* RequestParser::why() const { return impl_->problem.why; }

}  // namespace mpca::net::internal
