#include "kube/internal/credentials.h"

#include "core/os/file.h"
#include "core/text.h"

namespace mpca::kube::internal {
namespace {

constexpr Duration kTokenAge = std::chrono::minutes(1);
constexpr Duration kLeeway = std::chrono::seconds(10);  // client-go's
constexpr std::size_t kLargestToken = 1u << 20;

}  // namespace

Result<void> Credentials::refresh(TimePoint now) {
  if (connection_.exec) return ask_plugin(now);
  if (!connection_.token_file.empty()) return read_token_file(now);
  token_ = connection_.token;
  return {};
}

Result<void> Credentials::read_token_file(TimePoint now) {
  const bool is_fresh = read_at_ && now >= *read_at_ && now - *read_at_ < kTokenAge;
  if (is_fresh) return {};
  const auto content = os::read_file(connection_.token_file, kLargestToken);
  const bool is_good = content && !trim(*content).empty();
  if (is_good) token_ = trim(*content);
  if (token_.empty()) {
    return fail(ErrorCode::not_found,
                content ? cat(connection_.token_file, ": the token is empty") : content.error().message);
  }
  read_at_ = now;
  return {};
}

Result<void> Credentials::ask_plugin(TimePoint now) {
  const bool is_fresh = read_at_ && (!expires_ || now + kLeeway < *expires_);
  if (is_fresh) return {};
  auto given = connection_.exec();
  if (!given) {
    const bool is_still_good = read_at_ && expires_ && now < *expires_;
    return is_still_good ? Result<void>{} : std::unexpected(std::move(given).error());
  }
  if (given->certificate.text != certificate_.text || given->key.text != key_.text) ++certificate_version_;
  token_ = std::move(given->token);
  certificate_ = std::move(given->certificate);
  key_ = std::move(given->key);
  expires_ = given->expires;
  read_at_ = now;
  return {};
}

bool Credentials::renew() {
  read_at_.reset();
  return connection_.exec || !connection_.token_file.empty();
}

net::TlsSettings Credentials::tls() const {
  net::TlsSettings tls = connection_.tls;
  if (!certificate_.text.empty()) {
    tls.certificate = certificate_;
    tls.key = key_;
  }
  return tls;
}

}  // namespace mpca::kube::internal
