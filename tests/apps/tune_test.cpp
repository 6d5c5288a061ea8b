// `tune`, called as main calls it.
#include <gtest/gtest.h>

#include <filesystem>
#include <tuple>
#include <utility>

#include "apps/call_command.h"
#include "core/os/file.h"
#include "core/text.h"
#include "support/temporary_directory.h"

namespace mpca::app {
namespace {

Answer tune(const Flags& flags, std::stop_token stop = {}) {
  return call(tune_command(), flags, {.stop = std::move(stop)});
}

std::string trace_file(const test::TemporaryDirectory& directory, int steps, double rate_rps = 50.0) {
  std::string csv = "step,timestamp_s,rps\n";
  for (int i = 0; i < steps; ++i) csv += cat(i, ",", 60 * i, ",", rate_rps, "\n");
  const std::string path = directory.file("web.csv");
  EXPECT_TRUE(os::write_file(path, csv));
  return path;
}

TEST(TuneCommand, AShortHistoryIsAnAnswerAndJsonSaysItToo) {
  const test::TemporaryDirectory directory;
  const std::string json = directory.file("new/tune.json");
  const Answer answer = tune({{"trace", trace_file(directory, 30)}, {"json", json}});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_TRUE(answer.out.starts_with("Too short to tell: 30 min of history")) << answer.out;
  EXPECT_NE(os::read_file(json).value().find("\"verdict\": \"too-short\""), std::string::npos);
}

TEST(TuneCommand, BadInputNamesItsFlagAndWhatIsAccepted) {
  const test::TemporaryDirectory directory;
  const std::string trace = trace_file(directory, 200);
  for (const auto& [name, value, words] : std::initializer_list<std::tuple<const char*, const char*, const char*>>{
           {"folds", "2", "folds is \"2\"; must be a whole number >= 3 and <= 24"},
           {"late-share", "1", "late-share is \"1\"; must be >= 0 and <= 0.5"},
           {"late-price", "0", "late-price is \"0\"; must be >= 0.1"},
           {"present", "hpa:taget=60", "--present hpa"},
           {"present", "hpa:@no-such.yaml", "--present: file not found: no-such.yaml"},
           {"preset", "standart", "--preset: \"standart\" is neither a preset (did you mean \"standard\"?)"},
           {"set", "readines-lag=3s", "unknown key readines-lag (did you mean \"readiness-lag\"?)"},
           {"capacity", "2", "--capacity is 2; with 1 at a time a request then takes 500ms"},
           {"capacity", "4.1",
            "--capacity is 4.1; the trace's peak of 50 rps takes 13 replicas, more than max-replicas, 12"},
       }) {
    const Answer answer = tune({{"trace", trace}, {"set", "max-replicas=12"}, {name, value}});
    EXPECT_EQ(answer.code, 2) << words;
    EXPECT_NE(answer.err.find(words), std::string::npos) << words << "\nin\n" << answer.err;
  }
}

TEST(TuneCommand, InterruptedItWritesNothing) {
  const test::TemporaryDirectory directory;
  std::stop_source stop;
  stop.request_stop();
  const std::string json = directory.file("tune.json");
  const Answer answer = tune({{"trace", trace_file(directory, 200)}, {"json", json}, {"seeds", "1"}}, stop.get_token());
  EXPECT_EQ(answer.code, 2);  // main makes 130 of it
  EXPECT_EQ(answer.out, "");
  EXPECT_FALSE(std::filesystem::exists(json));
}

}  // namespace
}  // namespace mpca::app
