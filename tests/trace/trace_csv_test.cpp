#include "trace/trace_csv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "core/os/file.h"
#include "core/text.h"

namespace mpca::trace {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string file_text(const std::filesystem::path& path) { return os::read_file(path.string()).value(); }

std::vector<std::filesystem::path> files_in(const std::string& directory, std::string_view ending) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().string().ends_with(ending)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string errors_of(std::string_view text) {
  const auto trace = parse_trace_csv(text, "t");
  return trace ? "" : trace.error().message;
}

struct Problem {
  TraceCsvReader::Severity severity;
  std::string message;
  bool operator==(const Problem&) const = default;
};

std::vector<Problem> problems_in_the_labs_manners(std::string_view text) {
  std::vector<Problem> problems;
  TraceCsvReader reader(
      {.manners = Manners::lab}, [](const TracePoint&) {},
      [&](TraceCsvReader::Severity severity, std::string message) {
        problems.push_back({severity, std::move(message)});
      });
  reader.feed(text);
  reader.finish();
  return problems;
}

TEST(TraceCsv, TheStepComesFromTheTimes) {
  const auto trace = parse_trace_csv("step,timestamp_s,rps\n0,30,20\n1,37.5,0.25\n2,45,1e3\n", "three").value();
  EXPECT_EQ(trace.name, "three");
  EXPECT_EQ(trace.start, seconds(30));
  EXPECT_EQ(trace.step, milliseconds(7500));
  EXPECT_EQ(trace.demand_rps, (std::vector<double>{20, 0.25, 1000}));
  EXPECT_TRUE(trace.phase_idx.empty());
}

TEST(TraceCsv, ColumnsStandInAnyOrderAndFurtherOnesAreIgnored) {
  const auto trace =
      parse_trace_csv("note,rps,phase_idx, timestamp_s ,step\n\"a,b\",20,1,0,0\nc,40,2,15,1\n", "t").value();
  EXPECT_EQ(trace.demand_rps, (std::vector<double>{20, 40}));
  EXPECT_EQ(trace.phase_idx, (std::vector<int>{1, 2}));
}

TEST(TraceCsv, ATraceOfOneRowHasTheStepOfTheCaller) {
  EXPECT_EQ(parse_trace_csv("step,timestamp_s,rps\n0,0,20\n", "t", {.fallback_step = seconds(5)}).value().step,
            seconds(5));
}

TEST(TraceCsv, RoundedTimesMayBeOnePerCentOff) {
  // A third of a second, written with milliseconds.
  const auto trace = parse_trace_csv("step,timestamp_s,rps\n0,0,1\n1,0.333,1\n2,0.667,1\n3,1,1\n", "t").value();
  EXPECT_EQ(trace.step, Duration(333'333'333));
}

TEST(TraceCsv, ManyStepsDoNotDriftAwayFromTheStep) {
  // The first distance is 0.1 s in binary; its multiples are not those of the decimal times.
  std::string text = "step,timestamp_s,rps\n";
  for (int i = 0; i < 10000; ++i) {
    append_trace_csv_row({.step = i, .timestamp_s = 1e6 + i / 10.0, .demand_rps = 1, .phase_idx = {}}, text);
  }
  EXPECT_EQ(parse_trace_csv(text, "t").value().step, milliseconds(100));
}

TEST(TraceCsv, EveryFileOfTheBadCorpusGivesItsExactMessage) {
  const auto files = files_in(MPCA_TEST_DATA "/traces", ".bad.csv");
  EXPECT_GE(files.size(), 18u);
  for (const auto& file : files) {
    std::filesystem::path expected = file;
    expected.replace_extension(".txt");
    EXPECT_EQ(errors_of(file_text(file)) + "\n", file_text(expected)) << file;
  }
}

TEST(TraceCsv, TheLabAcceptsGapsAndTimeThatGoesBackWithAWarning) {
  using enum TraceCsvReader::Severity;
  EXPECT_EQ(problems_in_the_labs_manners("step,timestamp_s,rps\n0,0,20\n1,15,20\n5,75,20\n6,60,20\n"),
            (std::vector<Problem>{{warning, "row 4: timestamp_s is 75 after 15; a gap: the step is 15 s"},
                                  {warning, "row 5: timestamp_s is 60 after 75; time must go forward"}}));
  EXPECT_EQ(problems_in_the_labs_manners("step,timestamp_s,rps\n0,0,nan\n1,1e20,3,4\n"),
            (std::vector<Problem>{{error, "row 2: rps must be a number"}}));
}

TEST(TraceCsv, TheLabsSimulatorNeedsOnlyTheDemand) {
  TraceCsvCollector collector({.manners = Manners::lab,
                               .fallback_step = seconds(5),
                               .rps_column = "users",
                               .time_column = "when",
                               .needs_step_and_time = false});
  collector.feed("users,rps\n1,9\n2,9\n3,9\n");
  const auto content = collector.finish("t").value();
  EXPECT_EQ(content.trace.demand_rps, (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(content.trace.step, seconds(5));
  EXPECT_EQ(content.timestamp_s, (std::vector<double>{0, 5, 10}));
}

TEST(TraceCsv, TheLabsManyErrorsAreAllReported) {
  std::string text = "step,timestamp_s,rps\n";
  for (int i = 0; i < 100; ++i) text += "x,0,0\n";
  EXPECT_EQ(problems_in_the_labs_manners(text).size(), 100u);
}

TEST(TraceCsv, PackagedTracesAreWrittenBackByteForByte) {
  for (const auto& file : files_in(MPCA_SOURCE_DIR "/data/traces", ".csv")) {
    const std::string text = file_text(file);
    const auto trace = parse_trace_csv(text, "t");
    ASSERT_TRUE(trace) << file << trace.error().message;
    EXPECT_EQ(trace_csv(*trace), text) << file;
  }
}

TEST(TraceCsv, NumbersAreWrittenShortWithoutAnExponentForPeople) {
  DemandTrace trace{.name = "t",
                    .start = seconds(100000),
                    .step = milliseconds(500),
                    .demand_rps = {100000, 0.1, 0, 1e-7},
                    .phase_idx = {}};
  EXPECT_EQ(trace_csv(trace), "step,timestamp_s,rps\n0,100000,100000\n1,100000.5,0.1\n2,100001,0\n3,100001.5,1e-07\n");
  EXPECT_EQ(parse_trace_csv(trace_csv(trace), "t").value(), trace);
}

TEST(TraceCsv, RandomTracesSurviveAWriteAndARead) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 500; ++round) {
    DemandTrace trace{.name = "t",
                      .start = milliseconds(random() % 100000),
                      .step = milliseconds(1 + random() % 100000),
                      .demand_rps = {},
                      .phase_idx = {}};
    const std::size_t points = 2 + random() % 50;
    for (std::size_t i = 0; i < points; ++i) {
      trace.demand_rps.push_back(static_cast<double>(random() >> 11) * 0x1p-40);
      if (round % 2 == 0) trace.phase_idx.push_back(static_cast<int>(random() % 5));
    }
    const auto read = parse_trace_csv(trace_csv(trace), "t");
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ(*read, trace);
  }
}

TEST(TraceCsv, NumbersOfEveryLengthAreReadAsTheStandardReadsThem) {
  std::mt19937_64 random(9);
  std::vector<std::string> numbers = {"5.", ".5", "0.5", "00.10", "123456789012345", "1234567890.12345", "0.1e1", "7"};
  for (int i = 0; i < 20000; ++i) {
    std::string number = std::to_string(random() >> (random() % 63));
    if (random() % 4 != 0) number.insert(random() % (number.size() + 1), ".");
    numbers.push_back(std::move(number));
  }
  std::string text = "step,timestamp_s,rps\n";
  for (std::size_t i = 0; i < numbers.size(); ++i) text += cat(i, ",", i, ",", numbers[i], "\n");
  const auto trace = parse_trace_csv(text, "t");
  ASSERT_TRUE(trace) << trace.error().message;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    ASSERT_EQ(trace->demand_rps[i], std::strtod(numbers[i].c_str(), nullptr)) << numbers[i];
  }
  for (const std::string bad : {".", "1..2", "1.2.3", "..", "1.2.", "1-2", "/", ":"}) {
    EXPECT_EQ(errors_of("step,timestamp_s,rps\n0,0," + bad + "\n"), "row 2: rps must be a number") << bad;
  }
}

TEST(TraceCsv, RealTracesAreReadStrictly) {
  const char* directory = std::getenv("MPCA_TRACES_DIR");
  if (directory == nullptr || *directory == '\0') GTEST_SKIP() << "MPCA_TRACES_DIR is not set: no real traces here";
  const auto files = files_in(directory, ".csv");
  EXPECT_FALSE(files.empty());
  for (const auto& file : files) {
    const auto trace = parse_trace_csv(file_text(file), file.stem().string());
    EXPECT_TRUE(trace) << file << ": " << (trace ? "" : trace.error().message);
  }
}

}  // namespace
}  // namespace mpca::trace
