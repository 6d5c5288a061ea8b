// A program of ours as a child that cannot outlive us: the kernel kills it when we die, however we die
// (PR_SET_PDEATHSIG), and the destructor does it otherwise. Its listening socket can be made here before it starts, so
// a port is never guessed, lost to somebody else or needed to be asked for.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"

namespace mpca::lab {

/// A TCP socket that listens on 127.0.0.1, on a port that the system chose. Move only.
class Listener {
 public:
  ///   errors   io  with the system's reason
  static Result<Listener> open();
  Listener(Listener&& other) noexcept : fd_(std::exchange(other.fd_, -1)), port_(other.port_) {}
  Listener& operator=(Listener&& other) noexcept;
  ~Listener();

  int fd() const { return fd_; }
  int port() const { return port_; }
  /// The caller closes it from now on.
  int release() { return std::exchange(fd_, -1); }

 private:
  Listener(int fd, int port) : fd_(fd), port_(port) {}
  int fd_ = -1;
  int port_ = 0;
};

struct ChildSettings {
  std::string program;                                             // a path, or a name on PATH
  std::vector<std::string> arguments{};                            // after the program's name
  std::vector<std::pair<std::string, std::string>> environment{};  // added to ours
  int inherited_listener = -1;  // as fd 3 with LISTEN_FDS (systemd's protocol); -1: none
  std::string output_file{};    // stdout and stderr are appended; empty: /dev/null
};

/// Make it on a thread that lives as long as the child should: the kernel takes the death of that thread for ours.
class ChildProcess {
 public:
  ///   errors   not_found  no such program; io  with the system's reason
  static Result<ChildProcess> start(const ChildSettings& settings);
  ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)), ended_(other.ended_) {}
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  /// Kills and waits.
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  /// Does nothing to a child that has ended.
  void signal(int number);
  /// The exit code, 128 + the signal that ended it, or nullopt while it runs. Does not wait.
  std::optional<int> exit_code();

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  void end();
  pid_t pid_ = -1;
  std::optional<int> ended_;
};

/// Waits until `is_up()`.
///
///   output   the child's output file: its end is in the message
///   errors   io  `NAME did not start: …` when the child ended before, or was not up within 20 s
Result<void> wait_until_up(ChildProcess& child, const std::string& name, const std::string& output,
                           const std::function<bool()>& is_up);

}  // namespace mpca::lab
