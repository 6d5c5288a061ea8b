#include "core/os/command.h"

#include <gtest/gtest.h>

namespace mpca::os {
namespace {

using namespace std::chrono_literals;

Command shell(const std::string& script) { return {.program = "sh", .arguments = {"-c", script}}; }

TEST(Command, GivesBothOutputsAndTheExitCode) {
  Command command = shell("echo \"$GREETING $1\"; echo trouble >&2; exit 3");
  command.arguments.insert(command.arguments.end(), {"sh", "you there"});
  command.environment = {{"GREETING", "hello"}};
  const auto output = run_command(command);
  ASSERT_TRUE(output.has_value()) << output.error().message;
  EXPECT_EQ(output->exit_code, 3);
  EXPECT_EQ(output->out, "hello you there\n");
  EXPECT_EQ(output->err, "trouble\n");
}

TEST(Command, HasNoInputAndTellsASignal) { EXPECT_EQ(run_command(shell("cat; kill -9 $$"))->exit_code, 128 + 9); }

TEST(Command, TakesMoreThanAPipeHolds) {
  const auto output = run_command(shell("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2"));
  EXPECT_EQ(output->out.size(), 300000u);
  EXPECT_EQ(output->err.size(), 300000u);
}

TEST(Command, ThatDoesNotEndIsKilledWithItsChildren) {
  Command command = shell("sleep 1000 & wait");
  command.time_limit = 50ms;
  EXPECT_EQ(run_command(command).error().message, "sh did not end within 50ms");
}

TEST(Command, ThatLeavesSomethingRunningIsOverWhenItHasEnded) {
  EXPECT_EQ(run_command(shell("(read x < /dev/tty || sleep 5) 2>/dev/null & echo done"))->out, "done\n");
}

TEST(Command, ThatPrintsTooMuchIsRefused) {
  Command command = shell("yes");
  command.max_output_bytes = 10000;
  EXPECT_EQ(run_command(command).error().message, "sh printed more than 10000 bytes");
}

TEST(Command, ThatIsNotThereIsNotFound) {
  const auto output = run_command({.program = "no-such-program-of-ours"});
  EXPECT_EQ(output.error().code, ErrorCode::not_found);
  EXPECT_EQ(output.error().message, "program not found: no-such-program-of-ours");
}

}  // namespace
}  // namespace mpca::os
