#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <optional>

#include "core/text.h"
#include "load/internal/asio_parts.h"

namespace mpca::load {

using boost::system::error_code;

struct TlsContext::Impl {
  asio::ssl::context context{asio::ssl::context::tls_client};
  bool verifies = true;
};

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

Result<std::unique_ptr<TlsContext>> TlsContext::create(bool verify_certificates,
                                                       const std::string& certificate_authority_file) {
  auto impl = std::make_unique<Impl>();
  impl->verifies = verify_certificates;
  SSL_CTX_set_min_proto_version(impl->context.native_handle(), TLS1_2_VERSION);
  // The engine speaks HTTP/1.1 only; a server that could do more is told so.
  constexpr unsigned char kProtocols[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(impl->context.native_handle(), kProtocols, sizeof kProtocols);
  error_code error;
  if (!certificate_authority_file.empty()) {
    impl->context.load_verify_file(certificate_authority_file, error);
    if (error) {
      return invalid(cat("certificate authority file ", certificate_authority_file, ": ", error.message(),
                         "; must hold certificates in PEM form"));
    }
  } else {
    impl->context.set_default_verify_paths(error);
  }
  return std::unique_ptr<TlsContext>(new TlsContext(std::move(impl)));
}

namespace {

constexpr std::size_t kBufferBytes = 4096;

class TlsStream final : public Stream {
 public:
  TlsStream(EventLoop& loop, StreamUser& user, TlsContext::Impl& context, std::string host)
      : loop_(loop.impl()), user_(user), context_(context), host_(std::move(host)) {}

  void connect(const Address& address) override;
  void write(std::string_view bytes) override;
  bool is_writing() const override { return is_writing_; }
  void close() override;

 private:
  void shake_hands();
  void read();
  void break_later(Failure why);
  void settle() {
    if (!is_open_ && under_way_ == 0) user_.on_quiet();
  }

  EventLoop::Impl& loop_;
  StreamUser& user_;
  TlsContext::Impl& context_;
  std::string host_;
  std::optional<asio::ssl::stream<Socket>> stream_;  // a new one per connection
  bool is_open_ = false;
  bool is_writing_ = false;
  int under_way_ = 0;
  std::array<char, kBufferBytes> buffer_;
};

Failure failure_after_handshake(const error_code& error) {
  // Many servers close without the closing message of TLS.
  if (error == asio::ssl::error::stream_truncated) return Failure::connection_closed;
  return error.category() == asio::error::get_ssl_category() ? Failure::tls_failed : failure_of(error);
}

void TlsStream::connect(const Address& address) {
  is_open_ = true;
  is_writing_ = false;
  stream_.emplace(loop_.context, context_.context);
  if (const error_code error = open_socket(stream_->next_layer(), address); error) {
    return break_later(failure_of(error));
  }
  ++under_way_;
  stream_->lowest_layer().async_connect(endpoint_of(address), [this](const error_code& error) {
    --under_way_;
    if (!is_open_) return settle();
    if (error) return user_.on_broken(failure_of(error));
    shake_hands();
  });
}

void TlsStream::shake_hands() {
  error_code is_no_address;
  asio::ip::make_address(host_, is_no_address);
  // RFC 6066 allows names only, no addresses.
  if (is_no_address) SSL_set_tlsext_host_name(stream_->native_handle(), host_.c_str());
  error_code ignored;
  stream_->set_verify_mode(context_.verifies ? asio::ssl::verify_peer : asio::ssl::verify_none, ignored);
  if (context_.verifies) stream_->set_verify_callback(asio::ssl::host_name_verification(host_), ignored);
  ++under_way_;
  stream_->async_handshake(asio::ssl::stream_base::client, [this](const error_code& error) {
    --under_way_;
    if (!is_open_) return settle();
    if (error) {
      const bool is_tls = error.category() == asio::error::get_ssl_category();
      const bool is_refused =
          is_tls && ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_CERTIFICATE_VERIFY_FAILED;
      return user_.on_broken(is_refused                                              ? Failure::certificate_refused
                             : is_tls || error == asio::ssl::error::stream_truncated ? Failure::tls_failed
                                                                                     : failure_of(error));
    }
    user_.on_connected();
    if (is_open_) read();
  });
}

void TlsStream::read() {
  ++under_way_;
  stream_->async_read_some(asio::buffer(buffer_), [this](const error_code& error, std::size_t size) {
    --under_way_;
    if (!is_open_) return settle();
    if (error) return user_.on_broken(failure_after_handshake(error));
    user_.on_bytes({buffer_.data(), size});
    if (is_open_) read();
  });
}

void TlsStream::write(std::string_view bytes) {
  is_writing_ = true;
  ++under_way_;
  asio::async_write(*stream_, asio::buffer(bytes), [this](const error_code& error, std::size_t) {
    --under_way_;
    is_writing_ = false;
    if (!is_open_) return settle();
    // A closed connection says so to the reader as well, after whatever the server had sent before.
    if (error && error.category() == asio::error::get_ssl_category()) user_.on_broken(Failure::tls_failed);
  });
}

void TlsStream::break_later(Failure why) {
  ++under_way_;
  asio::post(loop_.context, [this, why] {
    --under_way_;
    if (!is_open_) return settle();
    user_.on_broken(why);
  });
}

void TlsStream::close() {
  is_open_ = false;
  error_code ignored;
  stream_->lowest_layer().close(ignored);
  ++under_way_;
  asio::post(loop_.context, [this] {
    --under_way_;
    settle();
  });
}

}  // namespace

std::unique_ptr<Stream> make_tls_stream(EventLoop& loop, StreamUser& user, TlsContext& context, std::string host) {
  return std::make_unique<TlsStream>(loop, user, context.impl(), std::move(host));
}

}  // namespace mpca::load
