#include "experiment/guardian.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/text.h"

extern char** environ;

namespace mpca::experiment {
namespace {

constexpr std::string_view kDismissal = "dismissed\n";

/// The settings of a child; freed whatever happens.
struct SpawnSettings {
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

}  // namespace

Result<Guardian> Guardian::start(const std::string& program, const std::vector<std::string>& arguments) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(ErrorCode::io, cat("cannot make a pipe: ", std::strerror(errno)));
  std::vector<std::string> texts = {program};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> words;
  for (std::string& text : texts) words.push_back(text.data());
  words.push_back(nullptr);

  SpawnSettings settings;
  posix_spawn_file_actions_adddup2(&settings.actions, ends[0], STDIN_FILENO);
  posix_spawn_file_actions_addopen(&settings.actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&settings.actions, STDERR_FILENO + 1);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&settings.attributes, &none);
  posix_spawnattr_setflags(&settings.attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  pid_t pid = -1;
  const int failure =
      posix_spawn(&pid, program.c_str(), &settings.actions, &settings.attributes, words.data(), environ);
  close(ends[0]);
  if (failure != 0) {
    close(ends[1]);
    return fail(ErrorCode::io, cat("cannot start ", program, ": ", std::strerror(failure)));
  }
  return Guardian(ends[1], pid);
}

Guardian::~Guardian() {
  if (pipe_ >= 0) close(pipe_);
}

void Guardian::dismiss() {
  if (pipe_ < 0) return;
  // If it died before us there is nobody to tell, and nothing that it would do.
  struct sigaction ignore{}, before{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &before);
  [[maybe_unused]] const auto written = write(pipe_, kDismissal.data(), kDismissal.size());
  sigaction(SIGPIPE, &before, nullptr);
  close(std::exchange(pipe_, -1));
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool await_abandonment() {
  std::string heard;
  while (true) {
    char piece[64];
    const ssize_t count = read(STDIN_FILENO, piece, sizeof piece);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return heard != kDismissal;
    heard.append(piece, static_cast<std::size_t>(count));
    if (heard.size() > kDismissal.size()) heard.resize(kDismissal.size());
  }
}

}  // namespace mpca::experiment
