#include "net/http_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "core/os/real_clock.h"
#include "core/text.h"

namespace mpca::net {
namespace {

/// The library's global state: made once, before any thread of ours uses it, and never torn down.
bool curl_is_ready() {
  static const bool kReady = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return kReady;
}

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct FreeLines {
  void operator()(curl_slist* lines) const { curl_slist_free_all(lines); }
};
using Easy = std::unique_ptr<CURL, FreeEasy>;
using Lines = std::unique_ptr<curl_slist, FreeLines>;

constexpr int kLongestWaitMs = 1000;
constexpr long kKeepAliveIdleS = 30, kKeepAliveIntervalS = 5;  // nine without an answer end a connection

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

/// Not of a name that only looks like one: `127.example.com`.
bool is_loopback_address(const std::string& host) {
  in_addr address{};
  if (inet_pton(AF_INET, host.c_str(), &address) == 1) return ntohl(address.s_addr) >> 24 == 127;
  return host == "[::1]";
}

struct Target {
  std::string shown{};  // without user and password
  std::string url{};    // what libcurl is asked for
  bool is_loopback = false;
  bool is_tls = false;
  std::string connect_to{};   // with another server name: where to go
  std::string host_header{};  // and whom to ask for there
};

std::optional<Target> parse_url(const std::string& text, const TlsSettings& tls) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return std::nullopt;
  const std::string scheme = part_of(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return std::nullopt;
  const std::string host = part_of(url.get(), CURLUPART_HOST);
  Target target{.shown = text, .url = text};
  target.is_loopback = host == "localhost" || host.ends_with(".localhost") || is_loopback_address(host);
  target.is_tls = scheme == "https";
  if (target.is_tls && !tls.server_name.empty() && tls.server_name != host) {
    // libcurl checks the host of the URL, so that is the name, and the way to it leads to the real host.
    const std::string port = part_of(url.get(), CURLUPART_PORT);
    target.connect_to = cat("::", host, ":", port);
    target.host_header = port.empty() ? host : cat(host, ":", port);
    if (curl_url_set(url.get(), CURLUPART_HOST, tls.server_name.c_str(), 0) != CURLUE_OK) return std::nullopt;
    target.url = part_of(url.get(), CURLUPART_URL);
  }
  if (const std::size_t at = text.substr(0, text.find_first_of("/?#", text.find("//") + 2)).rfind('@');
      at != std::string::npos) {
    target.shown.erase(text.find("//") + 2, at + 1 - text.find("//") - 2);
  }
  return target;
}

bool has_line_break(std::string_view text) { return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos; }

/// One request on its way.
struct Transfer {
  const HttpCall* call = nullptr;
  Easy easy;
  Target target;
  Lines headers, connect_to;
  std::size_t sent_bytes = 0;
  std::string body;
  std::size_t max_body_bytes = 0;
  Duration timeout{};
  bool is_too_large = false;
  std::array<char, CURL_ERROR_SIZE> reason{};
  std::optional<CURLcode> result;

  const HttpClient::OnLine* on_line = nullptr;
  const std::function<void()>* on_open = nullptr;  // until it was called
  bool is_enough = false;
  Duration heard{};

  bool add_header(const std::string& line) { return add(headers, line); }
  static bool add(Lines& lines, const std::string& line) {
    curl_slist* longer = curl_slist_append(lines.get(), line.c_str());
    if (longer == nullptr) return false;
    [[maybe_unused]] curl_slist* const kept = lines.release();
    lines.reset(longer);
    return true;
  }
};

bool keep(Transfer& transfer, std::string_view bytes) {
  if (bytes.size() > transfer.max_body_bytes - transfer.body.size()) {
    transfer.is_too_large = true;
    return false;
  }
  transfer.body.append(bytes);
  return true;
}

bool take_lines(Transfer& transfer, std::string_view bytes) {
  for (std::size_t end; (end = bytes.find('\n')) != std::string_view::npos; bytes.remove_prefix(end + 1)) {
    if (!keep(transfer, bytes.substr(0, end))) return false;
    if (transfer.body.ends_with('\r')) transfer.body.pop_back();
    transfer.is_enough = !(*transfer.on_line)(transfer.body);
    transfer.body.clear();
    if (transfer.is_enough) return false;
  }
  return keep(transfer, bytes);
}

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* transfer_pointer) {
  auto& transfer = *static_cast<Transfer*>(transfer_pointer);
  const std::string_view piece(bytes, size * count);
  bool goes_on = false;
  long status = 0;
  if (transfer.on_line != nullptr) curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status / 100 == 2) {
    transfer.heard = os::monotonic_now();
    goes_on = take_lines(transfer, piece);
  } else {
    goes_on = keep(transfer, piece);
  }
  return goes_on ? piece.size() : CURL_WRITEFUNC_ERROR;
}

/// Without a function to seek: when a kept connection turns out to be dead, libcurl would send the request again on a
/// new one, whether or not the server has got it. It cannot do that with a body that it cannot rewind.
std::size_t give_body(char* place, std::size_t size, std::size_t count, void* transfer_pointer) {
  auto& transfer = *static_cast<Transfer*>(transfer_pointer);
  const std::size_t taken = transfer.call->body.copy(place, size * count, transfer.sent_bytes);
  transfer.sent_bytes += taken;
  return taken;
}

std::string why_no_answer(const Transfer& transfer) {
  long system_error = 0;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_OS_ERRNO, &system_error);
  switch (*transfer.result) {
    case CURLE_OPERATION_TIMEDOUT:
      return cat("timed out after ", format_duration(transfer.timeout));
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_FAIL_REWIND:
      return "the connection was closed without an answer";
    case CURLE_PARTIAL_FILE:
      return "the answer ended too early";
    case CURLE_COULDNT_CONNECT:
      if (system_error == ECONNREFUSED) return "connection refused";
      break;
    default:
      break;
  }
  if (transfer.is_too_large)
    return cat(transfer.on_line != nullptr ? "a line of the answer" : "the answer", " is larger than ",
               transfer.max_body_bytes, " bytes");
  return transfer.reason[0] != '\0' ? transfer.reason.data() : curl_easy_strerror(*transfer.result);
}

void set_pem(CURL* easy, const Pem& pem, CURLoption file_option, CURLoption text_option) {
  if (!pem.text.empty()) {
    // Copied; an older libcurl takes a pointer to what it does not change.
    curl_blob blob{const_cast<char*>(pem.text.data()), pem.text.size(), CURL_BLOB_COPY};
    curl_easy_setopt(easy, text_option, &blob);
  } else if (!pem.file.empty()) {
    curl_easy_setopt(easy, file_option, pem.file.c_str());
  }
}

void set_tls(CURL* easy, const TlsSettings& tls) {
  if (!tls.ca.file.empty() || !tls.ca.text.empty()) {
    // Else the system's authorities would be trusted, too.
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
    curl_easy_setopt(easy, CURLOPT_CAINFO, nullptr);
    set_pem(easy, tls.ca, CURLOPT_CAINFO, CURLOPT_CAINFO_BLOB);
    // libcurl would keep what it has read of a file for a day, in which an authority that was replaced is not trusted.
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
  }
  set_pem(easy, tls.certificate, CURLOPT_SSLCERT, CURLOPT_SSLCERT_BLOB);
  set_pem(easy, tls.key, CURLOPT_SSLKEY, CURLOPT_SSLKEY_BLOB);
  if (tls.insecure) {
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

HttpFailure failure(HttpFailure::Kind kind, std::string message, bool may_have_arrived = false) {
  return {kind, may_have_arrived, std::move(message)};
}

}  // namespace

std::optional<UrlPrivacy> privacy_of(const std::string& url) {
  const auto target = parse_url(url, {});
  if (!target) return std::nullopt;
  return UrlPrivacy{.is_tls = target->is_tls, .is_loopback = target->is_loopback};
}

std::string_view HttpReply::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

struct HttpClient::Impl {
  HttpClientSettings settings;
  std::unique_ptr<CURLM, FreeMulti> multi;
  std::vector<Easy> idle;

  Easy take_easy() {
    if (idle.empty()) return Easy(curl_easy_init());
    Easy easy = std::move(idle.back());
    idle.pop_back();
    return easy;
  }

  std::optional<HttpFailure> start(Transfer& transfer, const HttpCall& call) {
    using Kind = HttpFailure::Kind;
    transfer.call = &call;
    auto target = parse_url(call.url, settings.tls);
    if (!target) {
      // What cannot be read may still hold a password.
      const bool may_show = call.url.find('@') == std::string::npos;
      return failure(Kind::invalid, cat(may_show ? call.url : std::string("URL"),
                                        ": must be a URL of the form http://host or https://host"));
    }
    transfer.target = *std::move(target);
    const std::string& shown = transfer.target.shown;
    for (const auto& [name, value] : call.headers) {
      if (has_line_break(name) || has_line_break(value))
        return failure(Kind::invalid, cat(shown, ": a header's value holds a line break"));
    }
    if (has_line_break(call.method) || has_line_break(call.content_type))
      return failure(Kind::invalid, cat(shown, ": the method or content type holds a line break"));
    if (!prepare(transfer, call) || curl_multi_add_handle(multi.get(), transfer.easy.get()) != CURLM_OK)
      return failure(Kind::no_answer, cat(shown, ": the HTTP library cannot start a request"));
    return std::nullopt;
  }

  bool prepare(Transfer& transfer, const HttpCall& call) {
    transfer.easy = take_easy();
    transfer.max_body_bytes = settings.max_body_bytes;
    transfer.timeout = call.timeout.value_or(settings.timeout);
    CURL* easy = transfer.easy.get();
    if (easy == nullptr) return false;
    const long timeout_ms = std::max<long>(1, std::chrono::ceil<std::chrono::milliseconds>(transfer.timeout).count());
    curl_easy_setopt(easy, CURLOPT_URL, transfer.target.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    // A transfer that is given up would wait until the thread that looks up its host has ended, beyond its time limit.
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    // A connection that some box on the way has forgotten is found out in a minute and not when somebody misses an
    // answer: a watch may be silent for long.
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, kKeepAliveIdleS);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, kKeepAliveIntervalS);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "mpc-autoscaler");
    curl_easy_setopt(easy, transfer.on_line != nullptr ? CURLOPT_CONNECTTIMEOUT_MS : CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.reason.data());
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
    if (transfer.target.is_tls) set_tls(easy, settings.tls);
    if (!settings.proxy.empty()) {
      curl_easy_setopt(easy, CURLOPT_PROXY, settings.proxy.c_str());
      curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    } else if (!settings.proxy_from_environment || transfer.target.is_loopback) {
      // An empty proxy is none, whatever the environment says; unset, the environment's is taken.
      curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
    return add_call(transfer, call);
  }

  static bool add_call(Transfer& transfer, const HttpCall& call) {
    CURL* easy = transfer.easy.get();
    bool is_added = true;
    if (!transfer.target.connect_to.empty()) {
      is_added = Transfer::add(transfer.connect_to, transfer.target.connect_to) &&
                 transfer.add_header(cat("Host: ", transfer.target.host_header));
      curl_easy_setopt(easy, CURLOPT_CONNECT_TO, transfer.connect_to.get());
    }
    if (call.method != "GET" || !call.body.empty()) {
      curl_easy_setopt(easy, CURLOPT_POST, 1L);
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call.method.c_str());
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
      curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
      curl_easy_setopt(easy, CURLOPT_READDATA, &transfer);
      // Without a body nothing keeps libcurl from sending it again (give_body()), but that on a new connection it never
      // does.
      if (call.body.empty()) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
      is_added = is_added && transfer.add_header("Expect:") &&
                 transfer.add_header(call.content_type.empty() ? std::string("Content-Type:")
                                                               : cat("Content-Type: ", call.content_type));
    }
    for (const auto& [name, value] : call.headers)
      is_added = is_added && transfer.add_header(value.empty() ? cat(name, ";") : cat(name, ": ", value));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers.get());
    return is_added;
  }

  void collect_finished() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      void* transfer = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
      static_cast<Transfer*>(transfer)->result = message->data.result;
    }
  }

  /// Ends because each transfer has its time limit.
  void run_all() {
    int running = 1;
    while (running > 0) {
      if (curl_multi_perform(multi.get(), &running) != CURLM_OK) break;
      if (running > 0 && curl_multi_poll(multi.get(), nullptr, 0, kLongestWaitMs, nullptr) != CURLM_OK) break;
    }
    collect_finished();
  }

  static void tell_open(Transfer& transfer) {
    long status = 0;
    if (transfer.on_open != nullptr) curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status / 100 == 2) (*std::exchange(transfer.on_open, nullptr))();
  }

  /// Why it was ended before the server ended it, if it was.
  std::optional<HttpFailure> run_stream(Transfer& transfer, Duration idle_limit, const std::stop_token& stop) {
    using Kind = HttpFailure::Kind;
    const std::stop_callback wake(stop, [this] { curl_multi_wakeup(multi.get()); });
    transfer.heard = os::monotonic_now();
    int running = 1;
    while (true) {
      if (stop.stop_requested()) return failure(Kind::stopped, cat(transfer.target.shown, ": stopped"), true);
      if (curl_multi_perform(multi.get(), &running) != CURLM_OK || running == 0) break;
      tell_open(transfer);
      const Duration left = transfer.heard + idle_limit - os::monotonic_now();
      if (left <= Duration{}) {
        return failure(Kind::timed_out, cat(transfer.target.shown, ": nothing came for ", format_duration(idle_limit)),
                       true);
      }
      const auto wait_ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
      const int poll_ms = static_cast<int>(std::min<std::int64_t>(kLongestWaitMs, wait_ms));
      if (curl_multi_poll(multi.get(), nullptr, 0, poll_ms, nullptr) != CURLM_OK) break;
    }
    collect_finished();
    return std::nullopt;
  }

  /// The connection stays in the multi handle, the easy handle goes back to the idle ones.
  std::expected<HttpReply, HttpFailure> finish(Transfer& transfer) {
    using Kind = HttpFailure::Kind;
    CURL* easy = transfer.easy.get();
    curl_multi_remove_handle(multi.get(), easy);
    const std::string& shown = transfer.target.shown;
    if (!transfer.result)
      return std::unexpected(failure(Kind::no_answer, cat(shown, ": the HTTP library gave up"), true));
    if (*transfer.result != CURLE_OK && !transfer.is_enough) {
      long request_bytes = 0;
      curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
      const Kind kind = *transfer.result == CURLE_OPERATION_TIMEDOUT ? Kind::timed_out
                        : transfer.is_too_large                      ? Kind::too_large
                                                                     : Kind::no_answer;
      return std::unexpected(failure(kind, cat(shown, ": ", why_no_answer(transfer)), request_bytes > 0));
    }
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    // libcurl takes `HTTP/200 OK` for an answer without a status.
    if (status < 100) return std::unexpected(failure(Kind::no_answer, cat(shown, ": the answer has no status"), true));
    HttpReply reply{static_cast<int>(status), {}, {}};
    if (transfer.on_line == nullptr || status / 100 != 2) reply.body = std::move(transfer.body);
    for (const std::string& name : settings.reply_headers) {
      curl_header* header = nullptr;
      if (curl_easy_header(easy, name.c_str(), 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
        reply.headers.emplace_back(name, header->value);
    }
    curl_easy_reset(easy);
    if (!transfer.is_enough) idle.push_back(std::move(transfer.easy));
    return reply;
  }
};

HttpClient::HttpClient(const HttpClientSettings& settings) : impl_(std::make_unique<Impl>()) {
  MPCA_CHECK(curl_is_ready(), "libcurl cannot start");
  impl_->settings = settings;
  impl_->multi.reset(curl_multi_init());
  MPCA_CHECK(impl_->multi, "libcurl cannot start");
}

HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

std::expected<HttpReply, HttpFailure> HttpClient::send(const HttpCall& call) {
  Transfer transfer;
  if (auto problem = impl_->start(transfer, call)) return std::unexpected(*std::move(problem));
  impl_->run_all();
  return impl_->finish(transfer);
}

std::expected<HttpReply, HttpFailure> HttpClient::stream_lines(const HttpCall& call, Duration idle_limit,
                                                               const std::stop_token& stop, const OnLine& on_line,
                                                               const std::function<void()>& on_open) {
  Transfer transfer;
  transfer.on_line = &on_line;
  if (on_open) transfer.on_open = &on_open;
  if (auto problem = impl_->start(transfer, call)) return std::unexpected(*std::move(problem));
  if (auto ended = impl_->run_stream(transfer, idle_limit, stop)) {
    curl_multi_remove_handle(impl_->multi.get(), transfer.easy.get());
    return std::unexpected(*std::move(ended));
  }
  return impl_->finish(transfer);
}

Result<HttpReply> HttpClient::get(const std::string& url) { return std::move(get_all(std::span(&url, 1)).front()); }

std::vector<Result<HttpReply>> HttpClient::get_all(std::span<const std::string> urls) {
  std::vector<HttpCall> calls(urls.size());
  std::vector<Transfer> transfers(urls.size());
  std::vector<std::optional<HttpFailure>> not_started(urls.size());
  for (std::size_t i = 0; i < urls.size(); ++i) {
    calls[i].url = urls[i];
    not_started[i] = impl_->start(transfers[i], calls[i]);
  }
  impl_->run_all();
  const auto as_error = [](HttpFailure why) {
    const bool is_invalid = why.kind == HttpFailure::Kind::invalid;
    return fail(is_invalid ? ErrorCode::invalid_argument : ErrorCode::io, std::move(why.message));
  };
  std::vector<Result<HttpReply>> replies;
  replies.reserve(urls.size());
  for (std::size_t i = 0; i < urls.size(); ++i) {
    if (not_started[i]) {
      replies.emplace_back(as_error(*std::move(not_started[i])));
      continue;
    }
    auto reply = impl_->finish(transfers[i]);
    if (reply) {
      replies.emplace_back(*std::move(reply));
    } else {
      replies.emplace_back(as_error(std::move(reply).error()));
    }
  }
  return replies;
}

}  // namespace mpca::net
