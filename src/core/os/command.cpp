#include "core/os/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/os/real_clock.h"
#include "core/text.h"

extern char** environ;

namespace mpca::os {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  void reset(int fd = -1) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

struct Pipe {
  Descriptor read_end, write_end;
  bool open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
    return true;
  }
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    if (std::ranges::none_of(added, [&](const auto& one) { return one.first == name; })) all.emplace_back(text);
  }
  for (const auto& [name, value] : added) all.push_back(cat(name, "=", value));
  return all;
}

int spawn(const Command& command, int out, int err, pid_t& pid) {
  std::vector<std::string> argument_texts = {command.program};
  argument_texts.insert(argument_texts.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> environment_texts = environment_with(command.environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  // Signals that we block or ignore are its own business again; Ctrl-C is for us.
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  const int problem = posix_spawnp(&pid, command.program.c_str(), &actions, &attributes,
                                   pointers(argument_texts).data(), pointers(environment_texts).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return problem;
}

/// False at its end.
bool read_some(int fd, std::string& text) {
  std::array<char, 4096> piece{};
  const ssize_t count = read(fd, piece.data(), piece.size());
  if (count < 0) return errno == EINTR;
  text.append(piece.data(), static_cast<std::size_t>(count));
  return count > 0;
}

/// Until it has ended and said all; the reason when it was not allowed to.
std::string follow(const Command& command, pid_t pid, Pipe& out, Pipe& err, CommandOutput& output) {
  // The declaration in glibc 2.36 is not for C++.
  const Descriptor child(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  const Duration deadline = monotonic_now() + command.time_limit;
  bool has_ended = false;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - monotonic_now()).count();
    if (left <= 0) return cat("did not end within ", format_duration(command.time_limit));
    std::array<pollfd, 3> watched = {pollfd{out.read_end.get(), POLLIN, 0}, pollfd{err.read_end.get(), POLLIN, 0},
                                     pollfd{has_ended ? -1 : child.get(), POLLIN, 0}};
    const int timeout_ms = has_ended ? 0 : static_cast<int>(std::min<std::int64_t>(left, 1000));
    const int ready = poll(watched.data(), watched.size(), timeout_ms);
    if (ready < 0 && errno != EINTR) return cat("cannot be waited for: ", std::strerror(errno));
    if (watched[0].revents != 0 && !read_some(out.read_end.get(), output.out)) out.read_end.reset();
    if (watched[1].revents != 0 && !read_some(err.read_end.get(), output.err)) err.read_end.reset();
    if (output.out.size() > command.max_output_bytes || output.err.size() > command.max_output_bytes)
      return cat("printed more than ", command.max_output_bytes, " bytes");
    if (watched[2].revents != 0) has_ended = true;
    // What it has left running may keep the pipes open; nobody waits for that.
    if (has_ended && ready == 0) return {};
  }
}

}  // namespace

Result<CommandOutput> run_command(const Command& command) {
  Pipe out, err;
  if (!out.open() || !err.open()) return fail(ErrorCode::io, cat("cannot make a pipe: ", std::strerror(errno)));
  pid_t pid = -1;
  const int problem = spawn(command, out.write_end.get(), err.write_end.get(), pid);
  if (problem == ENOENT) return fail(ErrorCode::not_found, cat("program not found: ", command.program));
  if (problem != 0) return fail(ErrorCode::io, cat("cannot start ", command.program, ": ", std::strerror(problem)));
  out.write_end.reset();
  err.write_end.reset();
  CommandOutput output;
  const std::string reason = follow(command, pid, out, err, output);
  if (!reason.empty()) kill(-pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!reason.empty()) return fail(ErrorCode::io, cat(command.program, " ", reason));
  output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return output;
}

}  // namespace mpca::os
