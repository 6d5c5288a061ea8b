// A connection as the engine sees it, and the event loop of a thread. Plain TCP and Unix sockets are in event_loop.cpp,
// TLS over OpenSSL in tls_stream.cpp.
//
// Directly on epoll and not on a library: Asio asks an idle socket for bytes before it waits for them and sets a timer
// anew at each wake-up, which is a fifth of what a request costs (docs/explanation/load-generator.md).
#pragma once

#include <sys/socket.h>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time.h"
#include "load/internal/failure.h"

namespace mpca::load {

/// An address as the system takes it: IPv4, IPv6 or a Unix socket's path.
struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  bool operator==(const Address& other) const {
    return size == other.size && std::memcmp(&storage, &other.storage, size) == 0;
  }
};

/// Hears from a stream, always from within EventLoop::run_until(). May call the stream back, close() included.
class StreamUser {
 public:
  virtual ~StreamUser() = default;
  virtual void on_connected() = 0;  // with TLS: after the handshake
  virtual void on_bytes(std::string_view bytes) = 0;
  /// The connection failed or was closed by the server; the user still has to close().
  virtual void on_broken(Failure why) = 0;
  /// After close(): nothing of the stream is under way any more; it may be connected again or destroyed.
  virtual void on_quiet() = 0;
};

/// One connection at a time, again and again. From connect() to close() it reads whatever comes.
class Stream {
 public:
  virtual ~Stream() = default;
  /// A failure comes through on_broken(), from within run_until(), never from within connect().
  virtual void connect(const Address& address) = 0;
  /// `bytes` must live until they are sent or on_quiet(). Not while one is_writing().
  virtual void write(std::string_view bytes) = 0;
  virtual bool is_writing() const = 0;
  /// Once after each connect().
  virtual void close() = 0;
};

/// The events of one thread.
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Handles events until `until` of the monotonic clock, or until some have been handled: sleeps only when there are
  /// none. A time in the past only handles what is ready.
  void run_until(Duration until);

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// `user` and `loop` must outlive the stream.
std::unique_ptr<Stream> make_plain_stream(EventLoop& loop, StreamUser& user);

/// What all TLS connections of a run share. Thread safe once made.
class TlsContext {
 public:
  /// `certificate_authority_file` empty: the system's.
  ///   errors   invalid_argument  the file cannot be read or holds no certificate
  static Result<std::unique_ptr<TlsContext>> create(bool verify_certificates,
                                                    const std::string& certificate_authority_file);
  ~TlsContext();
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  explicit TlsContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// `host` is the name that the certificate has to have, sent as SNI unless it is an address.
std::unique_ptr<Stream> make_tls_stream(EventLoop& loop, StreamUser& user, TlsContext& context, std::string host);

}  // namespace mpca::load
