// A connection over a socket: plain TCP or a Unix socket as it stands, TLS by what tls_stream.cpp puts over sending and
// receiving. Registered once with epoll, edge-triggered for both directions, so that a request costs a send and a
// receive and no other system call of its own.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "load/internal/stream.h"

namespace mpca::load {

class SocketStream : public Stream {
 public:
  SocketStream(EventLoop& loop, StreamUser& user) : loop_(loop.impl()), user_(user) {}
  ~SocketStream() override;
  void connect(const Address& address) final;
  void write(std::string_view bytes) final;
  bool is_writing() const final { return !unsent_.empty(); }
  void close() final;

  /// Events of epoll for this stream.
  void on_ready(std::uint32_t events);
  /// What was put off until no handler of the stream is running.
  enum class Later { be_broken, read_on, be_quiet };
  void on_later(Later what, Failure why);

 protected:
  enum class Step { done, later, broken };
  struct Transfer {
    Step step = Step::done;
    std::size_t bytes = 0;
    Failure why = Failure::connection_failed;
  };

  int socket() const { return socket_; }
  /// Once after the socket is connected, and at each event until it is done.
  virtual Transfer shake_hands() { return {}; }
  /// done: some bytes; later: none now; broken: also at the end of the stream.
  virtual Transfer receive(char* buffer, std::size_t size);
  virtual Transfer send(std::string_view bytes);
  /// Receiving less than there is room for means that there is no more. Not so with TLS, which holds records back.
  virtual bool is_empty_after_short_receive() const { return true; }
  virtual void forget_connection() {}

 private:
  enum class State { closed, connecting, shaking_hands, open };

  void go_on_connecting(std::uint32_t events);
  void flush();
  void read(bool is_ending);

  EventLoop::Impl& loop_;
  StreamUser& user_;
  State state_ = State::closed;
  int socket_ = -1;
  std::string_view unsent_;
};

struct EventLoop::Impl {
  struct Task {
    SocketStream* stream = nullptr;
    SocketStream::Later what{};
    Failure why{};
  };
  int epoll = -1;
  std::vector<Task> later;  // in order; a stream is connected again only after the last of its own
  std::vector<char> buffer = std::vector<char>(1 << 16);
  bool has_precise_wait = true;

  Impl();
  ~Impl();
};

/// What a system error means for a request.
Failure failure_of(int system_error);

}  // namespace mpca::load
