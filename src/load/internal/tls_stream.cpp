#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "core/text.h"
#include "load/internal/socket_stream.h"

namespace mpca::load {

struct TlsContext::Impl {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
};

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

Result<std::unique_ptr<TlsContext>> TlsContext::create(bool verify_certificates,
                                                       const std::string& certificate_authority_file) {
  auto impl = std::make_unique<Impl>();
  SSL_CTX* context = impl->context.get();
  MPCA_CHECK(context != nullptr, "memory for a TLS context");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // Many servers close without the closing message of TLS; the answer's own framing says whether it is complete.
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context, verify_certificates ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  // The engine speaks HTTP/1.1 only; a server that could do more is told so.
  constexpr unsigned char kProtocols[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(context, kProtocols, sizeof kProtocols);
  ERR_clear_error();
  if (certificate_authority_file.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else if (SSL_CTX_load_verify_file(context, certificate_authority_file.c_str()) != 1) {
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    return invalid(cat("certificate authority file ", certificate_authority_file, ": ",
                       reason == nullptr ? "cannot be read" : reason, "; must hold certificates in PEM form"));
  }
  ERR_clear_error();
  return std::unique_ptr<TlsContext>(new TlsContext(std::move(impl)));
}

namespace {

class TlsStream final : public SocketStream {
 public:
  TlsStream(EventLoop& loop, StreamUser& user, TlsContext::Impl& context, std::string host)
      : SocketStream(loop, user), context_(context), host_(std::move(host)) {
    unsigned char ignored[sizeof(in6_addr)];
    host_is_address_ =
        inet_pton(AF_INET, host_.c_str(), ignored) == 1 || inet_pton(AF_INET6, host_.c_str(), ignored) == 1;
  }

 protected:
  Transfer shake_hands() override;
  Transfer receive(char* buffer, std::size_t size) override;
  Transfer send(std::string_view bytes) override;
  bool is_empty_after_short_receive() const override { return false; }
  void forget_connection() override { ssl_.reset(); }

 private:
  void begin();
  Transfer failed(int outcome, Failure otherwise);

  TlsContext::Impl& context_;
  std::string host_;
  bool host_is_address_ = false;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};  // a new one per connection
};

void TlsStream::begin() {
  ssl_.reset(SSL_new(context_.context.get()));
  MPCA_CHECK(ssl_ != nullptr, "memory for a TLS connection");
  SSL_set_fd(ssl_.get(), socket());
  SSL_set_connect_state(ssl_.get());
  if (host_is_address_) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), host_.c_str());
  } else {
    SSL_set1_host(ssl_.get(), host_.c_str());
    SSL_set_tlsext_host_name(ssl_.get(), host_.c_str());  // RFC 6066 allows names only, no addresses
  }
}

// What OpenSSL's `outcome` of an operation means for it.
SocketStream::Transfer TlsStream::failed(int outcome, Failure otherwise) {
  const int system_error = errno;
  switch (SSL_get_error(ssl_.get(), outcome)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return {Step::later, 0, {}};
    case SSL_ERROR_ZERO_RETURN:
      return {Step::broken, 0, Failure::connection_closed};
    case SSL_ERROR_SYSCALL:
      return {Step::broken, 0, system_error == 0 ? Failure::connection_closed : failure_of(system_error)};
    default:
      return {Step::broken, 0, otherwise};
  }
}

SocketStream::Transfer TlsStream::shake_hands() {
  if (ssl_ == nullptr) begin();
  ERR_clear_error();
  errno = 0;
  const int outcome = SSL_do_handshake(ssl_.get());
  if (outcome == 1) return {};
  const bool is_refused = SSL_get_verify_result(ssl_.get()) != X509_V_OK;
  Transfer transfer = failed(outcome, is_refused ? Failure::certificate_refused : Failure::tls_failed);
  // The server closed where it should have answered the handshake.
  if (transfer.step == Step::broken && transfer.why == Failure::connection_closed) transfer.why = Failure::tls_failed;
  return transfer;
}

SocketStream::Transfer TlsStream::receive(char* buffer, std::size_t size) {
  ERR_clear_error();
  errno = 0;
  std::size_t got = 0;
  const int outcome = SSL_read_ex(ssl_.get(), buffer, size, &got);
  return outcome == 1 ? Transfer{Step::done, got, {}} : failed(outcome, Failure::tls_failed);
}

SocketStream::Transfer TlsStream::send(std::string_view bytes) {
  ERR_clear_error();
  errno = 0;
  std::size_t sent = 0;
  const int outcome = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent);
  return outcome == 1 ? Transfer{Step::done, sent, {}} : failed(outcome, Failure::tls_failed);
}

}  // namespace

std::unique_ptr<Stream> make_tls_stream(EventLoop& loop, StreamUser& user, TlsContext& context, std::string host) {
  return std::make_unique<TlsStream>(loop, user, context.impl(), std::move(host));
}

}  // namespace mpca::load
