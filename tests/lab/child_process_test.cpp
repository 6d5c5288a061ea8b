#include "lab/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "core/os/file.h"
#include "core/os/real_clock.h"
#include "support/temporary_directory.h"

namespace mpca::lab {
namespace {

using namespace std::chrono_literals;

constexpr Duration kPatience = 10s;

void nap() {
  os::RealClock clock;
  clock.sleep_until(clock.now() + 2ms);
}

int wait_for_end(ChildProcess& child) {
  const Duration deadline = os::monotonic_now() + kPatience;
  while (os::monotonic_now() < deadline) {
    if (const auto code = child.exit_code()) return *code;
    nap();
  }
  return -1;
}

ChildSettings shell(const std::string& script) {
  return {.program = "sh", .arguments = {"-c", script}, .environment = {}, .inherited_listener = -1, .output_file = {}};
}

TEST(ChildProcess, ItsExitCodeIsKnownAndStays) {
  auto child = ChildProcess::start(shell("exit 7"));
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ(wait_for_end(*child), 7);
  EXPECT_EQ(child->exit_code(), 7);
  child->signal(SIGTERM);  // somebody else may have its number by now
}

TEST(ChildProcess, ASignalThatEndedItIsTold) {
  auto child = ChildProcess::start(shell("exec sleep 60"));
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ(child->exit_code(), std::nullopt);
  child->signal(SIGKILL);
  EXPECT_EQ(wait_for_end(*child), 128 + SIGKILL);
}

TEST(ChildProcess, AMissingProgramIsAnErrorAndNotAChild) {
  const auto child = ChildProcess::start({.program = "no-such-program-here"});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code, ErrorCode::not_found);
  EXPECT_EQ(child.error().message, "program not found: no-such-program-here");
}

TEST(ChildProcess, BlockedSignalsOfOursAreNotBlockedInIt) {
  sigset_t term, before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, &before);
  auto child = ChildProcess::start(shell("exec sleep 60"));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ASSERT_TRUE(child) << child.error().message;
  child->signal(SIGTERM);
  EXPECT_EQ(wait_for_end(*child), 128 + SIGTERM);
}

TEST(ChildProcess, AListenerIsHandedOverAsSystemdDoes) {
  test::TemporaryDirectory directory;
  const std::string output = directory.path() + "/out";
  auto listener = Listener::open();
  ASSERT_TRUE(listener) << listener.error().message;
  ChildSettings settings =
      shell("test \"$LISTEN_PID\" = $$ && echo fds=$LISTEN_FDS extra=$EXTRA; readlink /proc/$$/fd/3");
  settings.inherited_listener = listener->fd();
  settings.environment = {{"EXTRA", "a b"}};
  settings.output_file = output;
  auto child = ChildProcess::start(settings);
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ(wait_for_end(*child), 0);
  const std::string text = os::read_file(output).value();
  EXPECT_TRUE(text.starts_with("fds=1 extra=a b\nsocket:")) << text;
}

// A descriptor that some library made without the flag would stay open in the child, and a connection closed by us
// open.
TEST(ChildProcess, ItHasNoDescriptorOfOurs) {
  test::TemporaryDirectory directory;
  const std::string output = directory.path() + "/out";
  const int leaky = dup(STDERR_FILENO);
  ChildSettings settings = shell("test -e /proc/$$/fd/$LEAKY && echo open || echo closed");
  settings.environment = {{"LEAKY", std::to_string(leaky)}};
  settings.output_file = output;
  auto child = ChildProcess::start(settings);
  ASSERT_TRUE(child) << child.error().message;
  wait_for_end(*child);
  close(leaky);
  EXPECT_EQ(os::read_file(output).value(), "closed\n");
}

TEST(Listener, TwoHaveTwoPorts) {
  const auto one = Listener::open(), two = Listener::open();
  ASSERT_TRUE(one && two);
  EXPECT_GT(one->port(), 0);
  EXPECT_NE(one->port(), two->port());
}

// A lab that is killed with -9 cannot clean up: the kernel has to. The parent here is a process of its own that starts
// a child and is killed; the child's number comes back through a pipe.
TEST(ChildProcess, DiesWithItsParentHoweverThatDies) {
  int numbers[2];
  ASSERT_EQ(pipe(numbers), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    auto child = ChildProcess::start(shell("exec sleep 600"));
    const pid_t pid = child ? child->pid() : -1;
    if (write(numbers[1], &pid, sizeof pid) != sizeof pid) _exit(1);
    pause();
    _exit(0);
  }
  close(numbers[1]);
  pid_t child = -1;
  ASSERT_EQ(read(numbers[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
  close(numbers[0]);
  ASSERT_GT(child, 0);
  EXPECT_EQ(kill(child, 0), 0) << "it runs";
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);

  const auto is_gone = [&] {
    // Nobody may have waited for it yet: a zombie is gone enough.
    std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
    std::string number, name, state;
    stat >> number >> name >> state;
    return !stat || state == "Z";
  };
  const Duration deadline = os::monotonic_now() + kPatience;
  while (!is_gone() && os::monotonic_now() < deadline) nap();
  EXPECT_TRUE(is_gone());
}

}  // namespace
}  // namespace mpca::lab
