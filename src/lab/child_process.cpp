#include "lab/child_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/os/file.h"
#include "core/os/real_clock.h"
#include "core/text.h"

extern char** environ;

namespace mpca::lab {
namespace {

constexpr int kListenerFd = 3;
constexpr int kBacklog = 1024;
constexpr Duration kStartLimit = std::chrono::seconds(20);
constexpr Duration kPoll = std::chrono::milliseconds(10);
constexpr std::size_t kLogTailBytes = 2000;

std::string system_reason() { return std::strerror(errno); }

/// The decimal text of `value` at the end of `buffer`. Between fork and exec nothing may allocate.
void write_decimal(long value, char* buffer) {
  char digits[24];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0);
  while (count > 0) *buffer++ = digits[--count];
  *buffer = '\0';
}

/// `program` as a path: itself when it holds a slash, else the first of PATH that can be executed; then the same beside
/// it in sbin, where Debian puts daemons and a user's PATH does not look.
std::optional<std::string> find_program(const std::string& program) {
  const auto can_run = [](const std::string& path) { return access(path.c_str(), X_OK) == 0; };
  if (program.find('/') != std::string::npos) return can_run(program) ? std::optional(program) : std::nullopt;
  const char* path = getenv("PATH");
  if (path == nullptr) return std::nullopt;
  for (const char* middle : {"/", "/../sbin/"}) {
    for (const std::string_view folder : split(path, ':')) {
      if (std::string candidate = cat(folder, middle, program); can_run(candidate)) return candidate;
    }
  }
  return std::nullopt;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

/// What the child does before it becomes the program: only what is safe after fork() in a process with threads.
[[noreturn]] void become(const char* path, char** arguments, char** environment, char* listen_pid, int listener,
                         int output, pid_t parent, int failure_pipe) {
  // Signals that we block or ignore are the child's business again.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it died before the line above
  setpgid(0, 0);                        // Ctrl-C is for us; we end our children in order
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  if (listener >= 0) {
    if (listener == kListenerFd) {
      fcntl(kListenerFd, F_SETFD, 0);
    } else {
      dup2(listener, kListenerFd);
    }
    if (listen_pid != nullptr) write_decimal(getpid(), listen_pid);
  }
  // Libraries of ours open sockets that a child would keep open behind our back.
  close_range(listener >= 0 ? kListenerFd + 1 : kListenerFd, ~0U, CLOSE_RANGE_CLOEXEC);
  execve(path, arguments, environment);
  const int reason = errno;
  [[maybe_unused]] const auto written = write(failure_pipe, &reason, sizeof reason);
  _exit(127);
}

}  // namespace

Result<Listener> Listener::open() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(ErrorCode::io, cat("cannot make a socket: ", system_reason()));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  Listener listener(fd, 0);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(fd, kBacklog) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return fail(ErrorCode::io, cat("cannot listen on 127.0.0.1: ", system_reason()));
  }
  listener.port_ = ntohs(address.sin_port);
  return listener;
}

Listener& Listener::operator=(Listener&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(port_, other.port_);
  return *this;
}

Listener::~Listener() {
  if (fd_ >= 0) close(fd_);
}

Result<ChildProcess> ChildProcess::start(const ChildSettings& settings) {
  const auto path = find_program(settings.program);
  if (!path) return fail(ErrorCode::not_found, cat("program not found: ", settings.program));
  std::vector<std::string> argument_texts = {settings.program};
  argument_texts.insert(argument_texts.end(), settings.arguments.begin(), settings.arguments.end());
  std::vector<std::string> environment_texts;
  const auto is_set_by_us = [&](std::string_view entry) {
    const std::string_view name = entry.substr(0, entry.find('='));
    if (name == "LISTEN_FDS" || name == "LISTEN_PID" || name == "LISTEN_FDNAMES") return true;
    for (const auto& [key, value] : settings.environment)
      if (key == name) return true;
    return false;
  };
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!is_set_by_us(*entry)) environment_texts.emplace_back(*entry);
  for (const auto& [key, value] : settings.environment) environment_texts.push_back(cat(key, "=", value));
  constexpr std::string_view kListenPid = "LISTEN_PID=";
  if (settings.inherited_listener >= 0) {
    environment_texts.emplace_back("LISTEN_FDS=1");
    environment_texts.push_back(cat(kListenPid, std::string(24, '\0')));
  }
  const std::vector<char*> arguments = pointers(argument_texts);
  const std::vector<char*> environment = pointers(environment_texts);
  char* listen_pid = settings.inherited_listener >= 0 ? environment_texts.back().data() + kListenPid.size() : nullptr;

  const char* output_name = settings.output_file.empty() ? "/dev/null" : settings.output_file.c_str();
  const int output = open(output_name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (output < 0) return fail(ErrorCode::io, cat("cannot write ", output_name, ": ", system_reason()));
  int failure[2];
  if (pipe2(failure, O_CLOEXEC) != 0) {
    close(output);
    return fail(ErrorCode::io, cat("cannot make a pipe: ", system_reason()));
  }
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    become(path->c_str(), const_cast<char**>(arguments.data()), const_cast<char**>(environment.data()), listen_pid,
           settings.inherited_listener, output, parent, failure[1]);
  }
  const std::string reason = system_reason();
  close(output);
  close(failure[1]);
  if (pid < 0) {
    close(failure[0]);
    return fail(ErrorCode::io, cat("cannot start ", *path, ": ", reason));
  }
  int exec_failure = 0;
  const bool failed = read(failure[0], &exec_failure, sizeof exec_failure) == sizeof exec_failure;
  close(failure[0]);
  ChildProcess child(pid);
  if (failed) return fail(ErrorCode::io, cat("cannot start ", *path, ": ", std::strerror(exec_failure)));
  return child;
}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    end();
    pid_ = std::exchange(other.pid_, -1);
    ended_ = other.ended_;
  }
  return *this;
}

ChildProcess::~ChildProcess() { end(); }

void ChildProcess::end() {
  if (pid_ < 0 || ended_) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

void ChildProcess::signal(int number) {
  if (pid_ > 0 && !exit_code()) kill(pid_, number);
}

std::optional<int> ChildProcess::exit_code() {
  if (ended_ || pid_ < 0) return ended_;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ended_;
}

Result<void> wait_until_up(ChildProcess& child, const std::string& name, const std::string& output,
                           const std::function<bool()>& is_up) {
  os::RealClock clock;
  const Duration deadline = os::monotonic_now() + kStartLimit;
  while (!is_up()) {
    if (child.exit_code() || os::monotonic_now() > deadline) {
      const std::string text = os::read_file(output).value_or("");
      return fail(ErrorCode::io,
                  cat(name, " did not start: ", text.substr(text.size() - std::min(text.size(), kLogTailBytes))));
    }
    clock.sleep_until(clock.now() + kPoll);
  }
  return {};
}

}  // namespace mpca::lab
