#include "runlog/flight_recorder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <numbers>
#include <thread>

#include "core/os/file.h"
#include "core/random.h"
#include "core/text.h"
#include "runlog/flight_recording.h"
#include "runlog/internal/record_codec.h"
#include "runlog/replay.h"
#include "support/observations.h"
#include "support/temporary_directory.h"
#include "support/wild_records.h"

namespace mpca::runlog {
namespace {

using namespace std::chrono_literals;
using test::observed;
using test::TemporaryDirectory;
using test::wild_record;

constexpr FlightRecorderSettings kSettings{.sync_every = {}, .retry_after = {}};

DecisionLogHeader header(std::string policy = "reactive:target=0.7") {
  return {.policy = std::move(policy), .workload = {}, .world = "test", .trace = "", .program = "0"};
}

/// A wild record at a tame time: all of a test lies within one segment's life.
DecisionRecord recorded_at(std::uint32_t index) {
  DecisionRecord record = wild_record(index);
  record.observation.now = TimePoint(std::chrono::milliseconds(10 * index));
  return record;
}

std::vector<DecisionRecord> records_of(const std::string& path, const std::string& workload) {
  std::vector<DecisionRecord> records;
  const auto read = read_log(
      {path, workload}, [](const auto&) { return true; },
      [&](const DecisionRecord& record) {
        records.push_back(record);
        return true;
      });
  EXPECT_TRUE(read) << read.error().message;
  return records;
}

/// A policy in a small wave of demand, whose decisions are carried out at once and recorded.
class Life {
 public:
  Life(std::string name, std::string policy) : name_(std::move(name)), header_(header(std::move(policy))) {
    policy_ = policy::create_policy(header_.policy, header_.workload, "test").value();
  }
  Result<void> step(FlightRecorder& recorder) {
    const double demand_rps = 120.0 + 80.0 * std::sin(0.05 * index_) + 10.0 * random_.normal();
    const policy::Observation observation = observed(15 * index_++, replicas_, demand_rps);
    std::string state;
    if (recorder.wants_state(name_, header_, observation.now)) state = policy_->save_state();
    records_.push_back({observation, policy_->decide(observation)});
    replicas_ = records_.back().decision.replicas;
    return recorder.record(name_, header_, state, records_.back());
  }
  void change(std::string policy) {
    header_.policy = std::move(policy);
    policy_ = policy::create_policy(header_.policy, header_.workload, "test").value();
  }
  const std::string& name() const { return name_; }
  const std::vector<DecisionRecord>& records() const { return records_; }
  /// The last so many.
  std::vector<DecisionRecord> last(std::size_t count) const {
    return {records_.end() - static_cast<long>(count), records_.end()};
  }

 private:
  std::string name_;
  DecisionLogHeader header_;
  std::unique_ptr<policy::Policy> policy_;
  RandomStream random_{3, "life"};
  int index_ = 0, replicas_ = 5;
  std::vector<DecisionRecord> records_;
};

ReplayResult replayed_alike(const std::string& path, const std::string& workload) {
  const auto result = replay({path, workload}, "", [](const ReplayDifference& difference) {
    ADD_FAILURE() << "decision " << difference.step << " differs";
  });
  EXPECT_TRUE(result) << result.error().message;
  return result.value_or(ReplayResult{});
}

TEST(RecordCodec, WildRecordsReadBackBitForBit) {
  internal::TextTable texts;
  internal::RecordMemory writers, readers;
  internal::FoundTexts found;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    // Some repeat the one before, as most of a real record does.
    const DecisionRecord record = wild_record(i % 7 == 3 ? i - 1 : i);
    std::string bytes;
    internal::encode(
        record, writers, texts, [&](std::uint32_t number, std::string_view text) { found[number] = text; }, bytes);
    const auto read = internal::decode(bytes, readers, found);
    ASSERT_TRUE(read) << i;
    ASSERT_EQ(*read, record) << i;
  }
}

// A decision log of lines cannot hold these.
TEST(RecordCodec, NumbersOfAllBitPatternsSurvive) {
  const double nan = std::bit_cast<double>(0x7FF8'0000'0000'1234U);
  internal::TextTable texts;
  internal::RecordMemory writers, readers;
  for (const double number : {nan, -0.0, std::numeric_limits<double>::infinity(), 5e-324, 1.0, nan, 1.0}) {
    DecisionRecord record;
    record.decision.explanation.demand_rps = number;
    record.observation.now = TimePoint(Duration(std::numeric_limits<std::int64_t>::min()));
    record.observation.served_rate_rps = {number, Duration(std::numeric_limits<std::int64_t>::max()),
                                          policy::Quality::missing};
    std::string bytes;
    internal::FoundTexts found = {{1, ""}};
    internal::encode(record, writers, texts, [](std::uint32_t, std::string_view) {}, bytes);
    const auto read = internal::decode(bytes, readers, found);
    ASSERT_TRUE(read);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(*read->decision.explanation.demand_rps),
              std::bit_cast<std::uint64_t>(number));
    EXPECT_EQ(read->observation.now, record.observation.now);
    EXPECT_EQ(read->observation.served_rate_rps.age, record.observation.served_rate_rps.age);
  }
}

TEST(RecordCodec, TextsBeyondTheTableAreWrittenWhereTheyOccur) {
  internal::TextTable texts;
  internal::RecordMemory writers, readers;
  internal::FoundTexts found;
  for (int i = 0; i < 6000; ++i) {
    DecisionRecord record;
    record.decision.explanation.status = cat("status ", i, i % 3 == 0 ? std::string(300, 'x') : "");
    record.decision.explanation.values = {{cat("value ", i), 1.0 * i}};
    std::string bytes;
    internal::encode(
        record, writers, texts, [&](std::uint32_t number, std::string_view text) { found[number] = text; }, bytes);
    ASSERT_EQ(internal::decode(bytes, readers, found), record) << i;
  }
  EXPECT_EQ(texts.size(), internal::TextTable::kMost);
}

TEST(FlightRecorder, WorkloadsOfOneDirectoryReadBackEachInItsOrder) {
  TemporaryDirectory directory;
  std::map<std::string, std::vector<DecisionRecord>> written;
  {
    auto recorder = FlightRecorder::open(directory.path(), kSettings).value();
    for (std::uint32_t i = 0; i < 3000; ++i) {
      const std::string name = cat("shop/web-", i % 3);
      ASSERT_TRUE(recorder.record(name, header(), "mpca-state static 1\n", recorded_at(i)));
      written[name].push_back(recorded_at(i));
    }
    EXPECT_EQ(recorder.figures().recorded, 3000);
    EXPECT_EQ(recorder.figures().dropped, 0);
  }
  for (const auto& [name, records] : written) EXPECT_EQ(records_of(directory.path(), name), records);
  const auto inventory = FlightRecording::open(directory.path())->inventory().value();
  ASSERT_EQ(inventory.workloads.size(), 3U);
  EXPECT_EQ(inventory.workloads[1].name, "shop/web-1");
  EXPECT_EQ(inventory.workloads[1].decisions, 1000);
  EXPECT_EQ(inventory.workloads[1].first, written["shop/web-1"].front().observation.now);
  EXPECT_EQ(inventory.workloads[1].last, written["shop/web-1"].back().observation.now);
  EXPECT_TRUE(inventory.findings.empty());

  const auto unknown =
      read_log({directory.path(), "shop/db"}, [](const auto&) { return true; }, [](const auto&) { return true; });
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("shop/web-0, shop/web-1, shop/web-2"), std::string::npos)
      << unknown.error().message;
  const auto which = read_log({directory.path()}, [](const auto&) { return true; }, [](const auto&) { return true; });
  ASSERT_FALSE(which);
  EXPECT_NE(which.error().message.find("--workload: shop/web-0, "), std::string::npos) << which.error().message;
}

TEST(FlightRecorder, EachSegmentReplaysBitForBitOnItsOwn) {
  TemporaryDirectory directory;
  FlightRecorderSettings settings = kSettings;
  settings.segment_age = 10min;
  Life predictive("shop/web", "predictive:late-price=7"), reactive("shop/api", "reactive:hold=60s");
  {
    auto recorder = FlightRecorder::open(directory.path(), settings).value();
    for (int i = 0; i < 400; ++i) {
      ASSERT_TRUE(predictive.step(recorder));
      ASSERT_TRUE(reactive.step(recorder));
    }
  }
  const std::vector<std::string> names = directory.names();
  ASSERT_EQ(names.size(), 11U) << "a lock, and 100 minutes in tens";
  for (const Life* life : {&predictive, &reactive}) {
    const ReplayResult whole = replayed_alike(directory.path(), life->name());
    EXPECT_EQ(whole.decisions, 400);
    EXPECT_EQ(whole.not_asked, 0);
    for (std::size_t i = 1; i < names.size(); ++i) {
      const ReplayResult part = replayed_alike(directory.file(names[i]), life->name());
      EXPECT_GE(part.decisions, i + 1 < names.size() ? 36 : 1);
      EXPECT_EQ(part.not_asked, 0);
    }
  }
  for (std::size_t i = 1; i < 7; ++i) std::filesystem::remove(directory.file(names[i]));
  const ReplayResult rest = replayed_alike(directory.path(), "shop/web");
  EXPECT_EQ(records_of(directory.path(), "shop/web"), predictive.last(static_cast<std::size_t>(rest.decisions)));
  EXPECT_GE(rest.decisions, 156);
}

// By hand: each moves at its own share of the first tenth of a segment's life.
TEST(FlightRecorder, WorkloadsMoveIntoANewSegmentOneByOne) {
  TemporaryDirectory directory;
  FlightRecorderSettings settings = kSettings;
  settings.segment_age = 100min;
  auto recorder = FlightRecorder::open(directory.path(), settings).value();
  std::vector<int> asked_at(40, -1);
  for (int second = 0; second < 120 * 60; second += 15) {
    for (std::size_t w = 0; w < asked_at.size(); ++w) {
      const std::string name = cat("workload-", w);
      const bool wants = recorder.wants_state(name, header(), at_seconds(second));
      if (second > 0 && wants) asked_at[w] = second - 100 * 60;
      DecisionRecord record;
      record.observation.now = at_seconds(second);
      ASSERT_TRUE(recorder.record(name, header(), wants ? "memory" : "", record));
    }
  }
  const auto [least, most] = std::minmax_element(asked_at.begin(), asked_at.end());
  EXPECT_GE(*least, 0);
  EXPECT_LE(*most, 10 * 60);
  EXPECT_GT(*most - *least, 5 * 60);
  for (std::size_t w = 0; w < asked_at.size(); ++w)
    EXPECT_EQ(records_of(directory.path(), cat("workload-", w)).size(), 480U);
}

TEST(FlightRecorder, AllSegmentsTogetherStayWithinTheBoundAndTheOldestGo) {
  TemporaryDirectory directory;
  FlightRecorderSettings settings = kSettings;
  settings.segment_mib = 1;
  settings.total_mib = 2;
  std::vector<DecisionRecord> written;
  {
    auto recorder = FlightRecorder::open(directory.path(), settings).value();
    for (std::uint32_t i = 0; i < 20'000; ++i) {
      written.push_back(recorded_at(i));
      ASSERT_TRUE(recorder.record("shop/web", header(), "memory", written.back()));
      ASSERT_LE(recorder.figures().bytes, 2 << 20);
    }
    EXPECT_GT(recorder.figures().bytes, 3 << 19) << "and most of it is used";
    EXPECT_GT(recorder.figures().written_bytes, 4 << 20);
  }
  const std::vector<DecisionRecord> kept = records_of(directory.path(), "shop/web");
  ASSERT_GT(kept.size(), 3000U);
  EXPECT_TRUE(std::equal(kept.begin(), kept.end(), written.end() - static_cast<long>(kept.size())));

  // The next process goes on, within the same bound.
  auto recorder = FlightRecorder::open(directory.path(), settings).value();
  for (std::uint32_t i = 0; i < 3000; ++i) ASSERT_TRUE(recorder.record("shop/web", header(), "memory", recorded_at(i)));
  EXPECT_LE(recorder.figures().bytes, 2 << 20);
}

/// One segment of `records` records, and where its last frame begins.
std::string small_segment(const TemporaryDirectory& directory, int records, std::size_t* last_begins = nullptr) {
  auto recorder = FlightRecorder::open(directory.path(), kSettings).value();
  std::int64_t before = 0;
  for (int i = 0; i < records; ++i) {
    before = recorder.figures().bytes;
    EXPECT_TRUE(recorder.record("shop/web", header(), "memory", recorded_at(static_cast<std::uint32_t>(i))));
  }
  if (last_begins != nullptr) *last_begins = static_cast<std::size_t>(before);
  return directory.file(directory.names().back());
}

TEST(FlightRecorder, ATornTailIsCutAtEveryByteAndAllBeforeItReads) {
  TemporaryDirectory directory;
  std::size_t last_begins = 0;
  const std::string path = small_segment(directory, 20, &last_begins);
  const std::string whole = os::read_file(path).value();
  for (std::size_t size = last_begins; size < whole.size(); ++size) {
    ASSERT_TRUE(os::write_file(path, whole.substr(0, size)));
    EXPECT_EQ(records_of(directory.path(), "shop/web").size(), 19U) << size;
    auto recorder = FlightRecorder::open(directory.path(), kSettings).value();
    // The record's texts are frames of their own, and may be whole.
    EXPECT_LE(std::filesystem::file_size(path), size);
    EXPECT_GE(std::filesystem::file_size(path), last_begins);
    EXPECT_EQ(recorder.repairs().empty(), std::filesystem::file_size(path) == size);
  }
  // Killed when the file had just been made.
  for (const std::size_t size : {0U, 5U, 14U}) {
    ASSERT_TRUE(os::write_file(path, whole.substr(0, size)));
    auto recorder = FlightRecorder::open(directory.path(), kSettings);
    ASSERT_TRUE(recorder) << recorder.error().message;
    ASSERT_TRUE(recorder->record("shop/web", header(), "memory", recorded_at(1)));
    EXPECT_EQ(records_of(directory.path(), "shop/web").size(), 1U);
    std::filesystem::remove(directory.file(directory.names().back()));
  }
}

// Of two workloads in turn, only that one whose record is damaged ends there; nothing is made up.
TEST(FlightRecorder, ABitThatFlipsCostsOneWorkloadTheRestOfItsSegment) {
  TemporaryDirectory directory;
  {
    auto recorder = FlightRecorder::open(directory.path(), kSettings).value();
    for (std::uint32_t i = 0; i < 60; ++i)
      ASSERT_TRUE(recorder.record(i % 2 == 0 ? "a" : "b", header(), "memory", recorded_at(i)));
  }
  const std::string path = directory.file(directory.names().back());
  const std::string whole = os::read_file(path).value();
  const std::vector<DecisionRecord> a = records_of(path, "a"), b = records_of(path, "b");
  RandomStream random(1, "flips");
  int both_shorter = 0;
  for (int i = 0; i < 400; ++i) {
    std::string damaged = whole;
    const std::size_t at = 14 + random.below(whole.size() - 14);
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random.below(8)));
    ASSERT_TRUE(os::write_file(path, damaged));
    std::vector<std::string> findings;
    const auto prefix_of = [&](const std::string& name, const std::vector<DecisionRecord>& all) {
      std::vector<DecisionRecord> got;
      const auto read = read_log(
          {path, name}, [](const auto&) { return true; },
          [&](const DecisionRecord& record) {
            got.push_back(record);
            return true;
          });
      if (read) findings.insert(findings.end(), read->findings.begin(), read->findings.end());
      EXPECT_LE(got.size(), all.size());
      EXPECT_TRUE(std::equal(got.begin(), got.end(), all.begin())) << "made up after a flip at " << at;
      return got.size();
    };
    const std::size_t of_a = prefix_of("a", a), of_b = prefix_of("b", b);
    EXPECT_TRUE(of_a < 30 || of_b < 30);
    EXPECT_FALSE(findings.empty() && of_a > 0 && of_b > 0);
    if (of_a < 30 && of_b < 30) ++both_shorter;
  }
  EXPECT_LT(both_shorter, 150) << "damaged lengths and shared texts";
}

TEST(FlightRecorder, AFullDiskIsCountedAndToldAndTheRecordingGoesOnAfterIt) {
  TemporaryDirectory directory;
  Life life("shop/web", "predictive");
  auto recorder = FlightRecorder::open(directory.path(), kSettings).value();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(life.step(recorder));
  const auto full = static_cast<rlim_t>(recorder.figures().bytes) + 100;

  const auto ignored = ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit little{.rlim_cur = full, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  for (int i = 0; i < 20; ++i) {
    const auto refused = life.step(recorder);
    if (!refused) {
      EXPECT_EQ(refused.error().code, ErrorCode::io);
    }
  }
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, ignored);
  const FlightRecorder::Figures figures = recorder.figures();
  EXPECT_GE(figures.dropped, 18);
  EXPECT_LE(figures.bytes, static_cast<std::int64_t>(full));
  ASSERT_TRUE(figures.last_failure);
  EXPECT_NE(figures.last_failure->find("File too large"), std::string::npos) << *figures.last_failure;

  for (int i = 0; i < 30; ++i) ASSERT_TRUE(life.step(recorder));
  const ReplayResult result = replayed_alike(directory.path(), "shop/web");
  EXPECT_EQ(result.decisions, 100 - figures.dropped);
  EXPECT_EQ(result.not_asked, 0) << "it began anew with its memory";
}

TEST(FlightRecorder, WhileItWaitsAfterAFailureNothingIsTriedAndNoMemoryAskedFor) {
  TemporaryDirectory directory;
  FlightRecorderSettings settings = kSettings;
  settings.retry_after = 1h;
  const std::string inner = directory.file("records");
  auto recorder = FlightRecorder::open(inner, settings).value();
  std::filesystem::remove_all(inner);
  EXPECT_FALSE(recorder.wants_state("shop/web", header(), TimePoint(1h))) << "there is no directory any more";
  EXPECT_FALSE(recorder.record("shop/web", header(), "", recorded_at(1)));
  ASSERT_TRUE(os::make_directories(inner));
  EXPECT_FALSE(recorder.wants_state("shop/web", header(), TimePoint(1h)));
  EXPECT_FALSE(recorder.record("shop/web", header(), "memory", recorded_at(2)));
  EXPECT_EQ(recorder.figures().dropped, 2);
}

TEST(FlightRecorder, AnotherHeaderBeginsAnewAndIsReplayedAsSuch) {
  TemporaryDirectory directory;
  Life life("shop/web", "predictive");
  auto recorder = FlightRecorder::open(directory.path(), kSettings).value();
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(life.step(recorder));
  life.change("predictive:late-price=50");
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(life.step(recorder));
  const ReplayResult result = replayed_alike(directory.path(), "");
  EXPECT_EQ(result.decisions, 80);
  EXPECT_EQ(result.not_asked, 0);
  const auto other = replay({directory.path()}, "static:12", [](const auto&) {});
  ASSERT_TRUE(other);
  EXPECT_GT(other->different_replicas, 40);
}

// A record without a memory before it can be shown, not asked; the next one begins again.
TEST(FlightRecorder, WithoutAMemoryADecisionIsNotReplayed) {
  TemporaryDirectory directory;
  auto recorder = FlightRecorder::open(directory.path(), kSettings).value();
  ASSERT_TRUE(recorder.record("shop/web", header(), "", recorded_at(1)));
  Life life("shop/web", "reactive:target=0.7");
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(life.step(recorder));
  const ReplayResult result = replayed_alike(directory.path(), "shop/web");
  EXPECT_EQ(result.decisions, 11);
  EXPECT_EQ(result.not_asked, 1);
}

TEST(FlightRecorder, OneProcessAtATimeRecordsInADirectory) {
  TemporaryDirectory directory;
  const auto recorder = FlightRecorder::open(directory.path(), kSettings);
  const auto second = FlightRecorder::open(directory.path(), kSettings);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::already_exists);
}

TEST(FlightRecorder, WhatWasRecordedSurvivesAKill) {
  TemporaryDirectory directory;
  const pid_t child = ::fork();
  if (child == 0) {
    auto recorder = FlightRecorder::open(directory.path(), kSettings).value();
    for (std::uint32_t i = 0; i < 100; ++i) {
      [[maybe_unused]] const auto told = recorder.record("shop/web", header(), "memory", recorded_at(i));
    }
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(records_of(directory.path(), "shop/web").size(), 100U);
}

TEST(FlightRecorder, ThreadsRecordTheirWorkloadsAtTheSameTimeAndAreReadMeanwhile) {
  TemporaryDirectory directory;
  FlightRecorderSettings settings = kSettings;
  settings.segment_age = 20min;
  settings.sync_every = 1ms;
  std::vector<Life> lives;
  for (int i = 0; i < 8; ++i) lives.emplace_back(cat("shop/web-", i), i % 2 == 0 ? "reactive:hold=60s" : "lab-hpa");
  {
    auto recorder = FlightRecorder::open(directory.path(), settings).value();
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 300; ++i)
          for (std::size_t w = t; w < lives.size(); w += 4) EXPECT_TRUE(lives[w].step(recorder));
      });
    for (int i = 0; i < 20; ++i) {
      if (const auto recording = FlightRecording::open(directory.path())) {
        EXPECT_TRUE(recording->inventory());
      }
    }
  }
  for (const Life& life : lives) {
    EXPECT_EQ(records_of(directory.path(), life.name()), life.records());
    EXPECT_EQ(replayed_alike(directory.path(), life.name()).not_asked, 0);
  }
}

TEST(FlightRecording, OtherFilesAndLaterVersionsAreRefusedByName) {
  TemporaryDirectory directory;
  EXPECT_EQ(FlightRecording::open(directory.file("none")).error().code, ErrorCode::not_found);
  EXPECT_NE(FlightRecording::open(directory.path()).error().message.find("no segment"), std::string::npos);
  const std::string path = directory.file("segment-0000000001.flight");
  ASSERT_TRUE(os::write_file(path, "mpca-flight 2\nwho knows"));
  EXPECT_EQ(FlightRecording::open(path).error().message,
            path + ": flight recorder version 2; this program reads version 1");
  ASSERT_TRUE(os::write_file(path, "something else entirely"));
  EXPECT_NE(FlightRecording::open(path).error().message.find("not a flight recorder's segment"), std::string::npos);
}

}  // namespace
}  // namespace mpca::runlog
