#include "net/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

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
using Easy = std::unique_ptr<CURL, FreeEasy>;

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

struct Target {
  bool is_loopback = false;
};

std::optional<Target> parse_url(const std::string& text) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return std::nullopt;
  const std::string scheme = part_of(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return std::nullopt;
  const std::string host = part_of(url.get(), CURLUPART_HOST);
  return Target{host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") || host == "[::1]"};
}

/// One request on its way.
struct Transfer {
  Easy easy;
  std::string body;
  std::size_t max_body_bytes = 0;
  bool is_too_large = false;
  std::array<char, CURL_ERROR_SIZE> reason{};
  std::optional<CURLcode> result;
};

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* transfer_pointer) {
  auto& transfer = *static_cast<Transfer*>(transfer_pointer);
  if (size * count > transfer.max_body_bytes - transfer.body.size()) {
    transfer.is_too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  transfer.body.append(bytes, size * count);
  return size * count;
}

std::string why_no_answer(const Transfer& transfer, const HttpClientSettings& settings) {
  long system_error = 0;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_OS_ERRNO, &system_error);
  switch (*transfer.result) {
    case CURLE_OPERATION_TIMEDOUT:
      return cat("timed out after ", format_duration(settings.timeout));
    case CURLE_GOT_NOTHING:
      return "the connection was closed without an answer";
    case CURLE_PARTIAL_FILE:
      return "the answer ended too early";
    case CURLE_COULDNT_CONNECT:
      if (system_error == ECONNREFUSED) return "connection refused";
      break;
    default:
      break;
  }
  if (transfer.is_too_large) return cat("the answer is larger than ", settings.max_body_bytes, " bytes");
  return transfer.reason[0] != '\0' ? transfer.reason.data() : curl_easy_strerror(*transfer.result);
}

}  // namespace

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

  bool start(Transfer& transfer, const std::string& url, const Target& target) {
    transfer.easy = take_easy();
    transfer.max_body_bytes = settings.max_body_bytes;
    CURL* easy = transfer.easy.get();
    if (easy == nullptr) return false;
    const long timeout_ms = std::max<long>(1, std::chrono::ceil<std::chrono::milliseconds>(settings.timeout).count());
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "mpc-autoscaler");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.reason.data());
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
    // An empty proxy is none, whatever the environment says; unset, the environment's is taken.
    if (!settings.proxy_from_environment || target.is_loopback) curl_easy_setopt(easy, CURLOPT_PROXY, "");
    return curl_multi_add_handle(multi.get(), easy) == CURLM_OK;
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
    constexpr int kLongestWaitMs = 1000;
    int running = 1;
    while (running > 0) {
      if (curl_multi_perform(multi.get(), &running) != CURLM_OK) break;
      if (running > 0 && curl_multi_poll(multi.get(), nullptr, 0, kLongestWaitMs, nullptr) != CURLM_OK) break;
    }
    collect_finished();
  }

  /// The connection stays in the multi handle, the easy handle goes back to the idle ones.
  Result<HttpReply> finish(Transfer& transfer, const std::string& url) {
    curl_multi_remove_handle(multi.get(), transfer.easy.get());
    if (!transfer.result) return fail(ErrorCode::io, cat(url, ": the HTTP library gave up"));
    if (*transfer.result != CURLE_OK) return fail(ErrorCode::io, cat(url, ": ", why_no_answer(transfer, settings)));
    long status = 0;
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_reset(transfer.easy.get());
    idle.push_back(std::move(transfer.easy));
    return HttpReply{static_cast<int>(status), std::move(transfer.body)};
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

Result<HttpReply> HttpClient::get(const std::string& url) { return std::move(get_all(std::span(&url, 1)).front()); }

std::vector<Result<HttpReply>> HttpClient::get_all(std::span<const std::string> urls) {
  std::vector<Transfer> transfers(urls.size());
  std::vector<Result<HttpReply>> replies;
  std::vector<bool> started(urls.size());
  replies.reserve(urls.size());
  for (std::size_t i = 0; i < urls.size(); ++i) {
    const auto target = parse_url(urls[i]);
    started[i] = target && impl_->start(transfers[i], urls[i], *target);
    if (!target) replies.push_back(invalid(cat(urls[i], ": must be a URL of the form http://host or https://host")));
    if (target) replies.push_back(fail(ErrorCode::io, cat(urls[i], ": the HTTP library cannot start a request")));
  }
  impl_->run_all();
  for (std::size_t i = 0; i < urls.size(); ++i) {
    if (started[i]) replies[i] = impl_->finish(transfers[i], urls[i]);
  }
  return replies;
}

}  // namespace mpca::net
