// One decision record as bits, by what changed since the workload's record before: integers as differences, doubles by
// the bits in which they differ (Pelkonen et al. (2015), Gorilla: a fast, scalable, in-memory time series database,
// VLDB 8, 1816-1827, section 4.1.2), pods and starting pods against the list before, texts by their number in the
// segment's table. Values and candidates are compared with those of the same name, since candidates change places.
// Every bit of a double survives, NaN's too.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runlog/decision_log.h"

namespace mpca::runlog::internal {

/// Texts that a segment has seen, from 1 on. Beyond kMost, and long ones, are written where they occur.
class TextTable {
 public:
  static constexpr std::uint32_t kMost = 4096;
  static constexpr std::size_t kLongest = 200;  // bytes
  static constexpr std::uint32_t kNone = 0;

  /// kNone: not in the table, and no room for it.
  ///   is_new   it was added
  std::uint32_t number_of(const std::string& text, bool& is_new);
  std::string_view text(std::uint32_t number) const { return texts_[number - 1]; }
  std::size_t size() const { return texts_.size(); }
  /// Only the first `size` remain.
  void shrink(std::size_t size);

 private:
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

/// What a reader found of a TextTable.
using FoundTexts = std::unordered_map<std::uint32_t, std::string>;

struct DoubleSlot {
  std::uint64_t last = 0;
  std::uint8_t leading = 0;  // zeros before the window in which it differed last
  std::uint8_t width = 0;    // of the window; 0: none yet
};

/// What the next record of a workload is compared with. Writer and reader keep the same.
struct RecordMemory {
  std::int64_t now = 0, step = 0;
  std::array<std::int64_t, 16> integers{};
  std::array<DoubleSlot, 8> doubles{};
  std::array<std::uint32_t, 3> texts{};
  struct Signal {
    std::uint8_t quality = 0;
    std::int64_t age = 0;
    DoubleSlot value;
  };
  std::array<Signal, 4> signals{};
  std::vector<std::int64_t> starting;  // when they were asked for
  struct Pod {
    policy::PodObservation pod;
    Signal cpu;
  };
  std::vector<Pod> pods;
  struct Point {
    std::int64_t lead_time = 0;
    DoubleSlot level, demand;
  };
  std::vector<Point> forecast;
  template <std::size_t Numbers>
  struct Named {
    std::uint32_t text = 0;
    std::array<DoubleSlot, Numbers> numbers{};
  };
  std::vector<std::uint32_t> value_names, vote_names;  // by place
  std::vector<Named<1>> values;
  std::vector<Named<4>> votes;
  struct Guard {
    std::uint32_t text = 0;
    std::int64_t before = 0, after = 0;
  };
  std::vector<Guard> guards;
};

/// Appends `record` to `out`, whole bytes.
///   on_text   a text that is new in `texts`: the reader has to know it before the record
void encode(const DecisionRecord& record, RecordMemory& memory, TextTable& texts,
            const std::function<void(std::uint32_t, std::string_view)>& on_text, std::string& out);

/// nullopt: these bytes are no record after `memory`, which is then worth nothing.
std::optional<DecisionRecord> decode(std::string_view bytes, RecordMemory& memory, const FoundTexts& texts);

/// Its time alone; only `now` and `step` of the memory are used and kept.
std::optional<TimePoint> decode_time(std::string_view bytes, RecordMemory& memory);

}  // namespace mpca::runlog::internal
