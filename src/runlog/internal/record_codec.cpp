#include "runlog/internal/record_codec.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <type_traits>

#include "runlog/internal/bit_stream.h"

namespace mpca::runlog::internal {
namespace {

constexpr std::size_t kMostElements = 200'000;  // of a list
constexpr std::size_t kMostNames = 256;         // that are remembered of a workload

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unzigzag(std::uint64_t value) { return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1)); }

// Differences of any two numbers: they wrap around, and back.
std::int64_t minus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

/// Encoder and Decoder have the same functions, so that code_record() is the one description of a record.
class Encoder {
 public:
  static constexpr bool kReads = false;
  Encoder(TextTable& texts, const std::function<void(std::uint32_t, std::string_view)>& on_text, std::string& out)
      : texts_(texts), on_text_(on_text), bits_(out) {}

  void flag(const bool& value) { bits_.flag(value); }
  void few(const std::uint8_t& value, int bits) { bits_.put(value, bits); }
  void count(const std::size_t& value) { bits_.number(value); }
  void difference(const std::int64_t& value, std::int64_t expected) { bits_.number(zigzag(minus(value, expected))); }

  void real(const double& value, DoubleSlot& slot) {
    const auto now = std::bit_cast<std::uint64_t>(value);
    const std::uint64_t changed = now ^ slot.last;
    slot.last = now;
    bits_.flag(changed != 0);
    if (changed == 0) return;
    const int leading = std::countl_zero(changed), width = 64 - leading - std::countr_zero(changed);
    const int window_end = slot.leading + slot.width;
    const bool fits = slot.width > 0 && leading >= slot.leading && leading + width <= window_end;
    const bool keeps = fits && slot.width < width + 12;
    bits_.flag(!keeps);
    if (!keeps) {
      slot.leading = static_cast<std::uint8_t>(leading);
      slot.width = static_cast<std::uint8_t>(width);
      bits_.put(slot.leading, 6);
      bits_.put(slot.width - 1U, 6);
    }
    bits_.put(changed >> (64 - slot.leading - slot.width), slot.width);
  }

  void text(const std::string& value, std::uint32_t& last) {
    const bool is_same = last != TextTable::kNone && texts_.text(last) == value;
    bits_.flag(!is_same);
    if (is_same) return;
    bool is_new = false;
    last = texts_.number_of(value, is_new);
    if (is_new) on_text_(last, value);
    bits_.number(last);
    if (last != TextTable::kNone) return;
    bits_.number(value.size());
    for (const char byte : value) bits_.put(static_cast<unsigned char>(byte), 8);
  }

  void finish() { bits_.finish(); }

 private:
  TextTable& texts_;
  const std::function<void(std::uint32_t, std::string_view)>& on_text_;
  BitWriter bits_;
};

class Decoder {
 public:
  static constexpr bool kReads = true;
  Decoder(const FoundTexts& texts, std::string_view bytes) : texts_(texts), bits_(bytes) {}

  void flag(bool& value) { value = bits_.flag(); }
  void few(std::uint8_t& value, int bits) { value = static_cast<std::uint8_t>(bits_.take(bits)); }
  void count(std::size_t& value) {
    value = bits_.number();
    if (value <= std::min(kMostElements, bits_.bits_left())) return;  // an element has a bit at least
    bits_.fail();
    value = 0;
  }
  void difference(std::int64_t& value, std::int64_t expected) { value = plus(expected, unzigzag(bits_.number())); }

  void real(double& value, DoubleSlot& slot) {
    if (bits_.flag()) {
      if (bits_.flag()) {
        slot.leading = static_cast<std::uint8_t>(bits_.take(6));
        slot.width = static_cast<std::uint8_t>(bits_.take(6) + 1);
      }
      if (slot.width == 0 || slot.leading + slot.width > 64) {
        bits_.fail();
        return;
      }
      slot.last ^= bits_.take(slot.width) << (64 - slot.leading - slot.width);
    }
    value = std::bit_cast<double>(slot.last);
  }

  void text(std::string& value, std::uint32_t& last) {
    if (bits_.flag()) {
      last = static_cast<std::uint32_t>(bits_.number());
      if (last == TextTable::kNone) {
        std::size_t size = 0;
        count(size);
        value.resize(size);
        for (char& byte : value) byte = static_cast<char>(bits_.take(8));
        return;
      }
    }
    const auto found = texts_.find(last);
    if (found == texts_.end()) return bits_.fail();
    value = found->second;
  }

  void fail() { bits_.fail(); }
  bool is_good() const { return bits_.is_good(); }
  bool is_at_end() const { return bits_.bits_left() < 8; }

 private:
  const FoundTexts& texts_;
  BitReader bits_;
};

template <class Coder>
void integer(Coder& coder, auto& value, std::int64_t& last) {
  if constexpr (Coder::kReads) {
    using Integer = std::remove_reference_t<decltype(value)>;
    coder.difference(last, last);
    if (last < std::numeric_limits<Integer>::min() || last > std::numeric_limits<Integer>::max()) coder.fail();
    value = static_cast<Integer>(last);
  } else {
    coder.difference(value, last);
    last = value;
  }
}

template <class Coder>
void duration(Coder& coder, auto& value, std::int64_t& last) {
  std::int64_t count = 0;
  if constexpr (!Coder::kReads) count = value.count();
  integer(coder, count, last);
  if constexpr (Coder::kReads) value = Duration(count);
}

template <class Coder>
void time(Coder& coder, auto& value, std::int64_t expected) {
  std::int64_t count = 0;
  if constexpr (!Coder::kReads) count = value.time_since_epoch().count();
  coder.difference(count, expected);
  if constexpr (Coder::kReads) value = TimePoint(Duration(count));
}

/// The list's length; a reader's list has it then, and so has the memory of places.
template <class Coder>
void length(Coder& coder, auto& list) {
  std::size_t size = list.size();
  coder.count(size);
  if constexpr (Coder::kReads) list.resize(size);
}

template <class Coder>
void optional_real(Coder& coder, auto& value, DoubleSlot& slot) {
  bool has = value.has_value();
  coder.flag(has);
  if (!has) return;
  if constexpr (Coder::kReads) value.emplace();
  coder.real(*value, slot);
}

template <class Coder>
void signal(Coder& coder, auto& value, RecordMemory::Signal& memory) {
  auto quality = static_cast<std::uint8_t>(value.quality);
  bool has_changed = quality != memory.quality;
  coder.flag(has_changed);
  if (has_changed) coder.few(quality, 2);
  if constexpr (Coder::kReads) {
    if (!has_changed) quality = memory.quality;
    if (quality > static_cast<std::uint8_t>(policy::Quality::fresh)) coder.fail();
    value.quality = static_cast<policy::Quality>(quality);
  }
  memory.quality = quality;
  duration(coder, value.age, memory.age);
  coder.real(value.value, memory.value);
}

template <class Coder>
void clock(Coder& coder, auto& now, RecordMemory& memory) {
  time(coder, now, plus(memory.now, memory.step));
  const std::int64_t count = now.time_since_epoch().count();
  memory.step = minus(count, memory.now);
  memory.now = count;
}

/// Where the list before goes on with what comes now: both are in the order of age. The reader is told how many were
/// left out, or that it was not there.
template <class Coder>
std::optional<std::size_t> place_before(Coder& coder, std::size_t from, std::size_t size, const auto& is_it) {
  std::size_t place = from;
  if constexpr (!Coder::kReads)
    while (place < size && !is_it(place)) ++place;
  bool was_there = place < size;
  coder.flag(was_there);
  if (!was_there) return std::nullopt;
  std::size_t left_out = place - from;
  coder.count(left_out);
  if constexpr (Coder::kReads) {
    place = from + left_out;
    if (place >= size) {
      coder.fail();
      return std::nullopt;
    }
  }
  return place;
}

template <class Coder>
void starting_pods(Coder& coder, auto& ages, RecordMemory& memory) {
  length(coder, ages);
  std::vector<std::int64_t> asked(ages.size());
  std::size_t from = 0;
  std::int64_t last = memory.now;
  for (std::size_t i = 0; i < ages.size(); ++i) {
    if constexpr (!Coder::kReads) asked[i] = minus(memory.now, ages[i].count());
    const auto place = place_before(coder, from, memory.starting.size(),
                                    [&](std::size_t before) { return memory.starting[before] == asked[i]; });
    if (place) {
      asked[i] = memory.starting[*place];
      from = *place + 1;
    } else {
      coder.difference(asked[i], last);
    }
    last = asked[i];
    if constexpr (Coder::kReads) ages[i] = Duration(minus(memory.now, asked[i]));
  }
  memory.starting = std::move(asked);
}

template <class Coder>
void pods(Coder& coder, auto& pods, RecordMemory& memory) {
  length(coder, pods);
  std::vector<RecordMemory::Pod> before = std::move(memory.pods);
  memory.pods.clear();
  memory.pods.reserve(pods.size());
  std::size_t from = 0;
  std::int64_t last_id = before.empty() ? 0 : before.back().pod.id;
  for (auto& pod : pods) {
    const auto place =
        place_before(coder, from, before.size(), [&](std::size_t i) { return before[i].pod.id == pod.id; });
    RecordMemory::Pod known;
    if (place) {
      known = before[*place];
      from = *place + 1;
      if constexpr (Coder::kReads) pod.id = known.pod.id;
    } else {
      coder.difference(pod.id, last_id);
      // Like its neighbour in what all pods share.
      if (!memory.pods.empty()) known.cpu = memory.pods.back().cpu;
      known.pod.cpu_window = memory.pods.empty() ? Duration() : memory.pods.back().pod.cpu_window;
      known.pod.started = known.pod.ready_changed = TimePoint(Duration(memory.now));
    }
    last_id = pod.id;
    time(coder, pod.started, known.pod.started.time_since_epoch().count());
    coder.flag(pod.is_ready);
    time(coder, pod.ready_changed, known.pod.ready_changed.time_since_epoch().count());
    coder.flag(pod.is_terminating);
    signal(coder, pod.cpu_cores, known.cpu);
    std::int64_t window = known.pod.cpu_window.count();
    duration(coder, pod.cpu_window, window);
    known.pod = pod;
    memory.pods.push_back(known);
  }
}

/// The memory of a text, or of all those that have none of their own.
template <class Named>
Named& of_name(std::vector<Named>& all, std::uint32_t text) {
  for (Named& named : all)
    if (named.text == text) return named;
  if (all.size() < kMostNames) {
    all.push_back({.text = text});
    return all.back();
  }
  return all.front();
}

template <class Coder>
void explanation(Coder& coder, auto& said, RecordMemory& memory) {
  coder.text(said.rule, memory.texts[0]);
  coder.text(said.demand_source, memory.texts[1]);
  coder.text(said.status, memory.texts[2]);
  optional_real(coder, said.demand_rps, memory.doubles[0]);
  optional_real(coder, said.recommendation, memory.doubles[1]);

  length(coder, said.forecast);
  memory.forecast.resize(std::max(memory.forecast.size(), said.forecast.size()));
  for (std::size_t i = 0; i < said.forecast.size(); ++i) {
    duration(coder, said.forecast[i].lead_time, memory.forecast[i].lead_time);
    coder.real(said.forecast[i].level, memory.forecast[i].level);
    // Quantiles move together.
    coder.real(said.forecast[i].demand_rps, memory.forecast[i].demand);
  }

  length(coder, said.values);
  memory.value_names.resize(std::max(memory.value_names.size(), said.values.size()));
  for (std::size_t i = 0; i < said.values.size(); ++i) {
    coder.text(said.values[i].name, memory.value_names[i]);
    coder.real(said.values[i].value, of_name(memory.values, memory.value_names[i]).numbers[0]);
  }

  length(coder, said.candidates);
  memory.vote_names.resize(std::max(memory.vote_names.size(), said.candidates.size()));
  for (std::size_t i = 0; i < said.candidates.size(); ++i) {
    auto& vote = said.candidates[i];
    coder.text(vote.name, memory.vote_names[i]);
    auto& numbers = of_name(memory.votes, memory.vote_names[i]).numbers;
    coder.real(vote.weight, numbers[0]);
    coder.real(vote.replicas, numbers[1]);
    coder.real(vote.cost, numbers[2]);
    coder.real(vote.late_share, numbers[3]);
  }

  bool has_band = said.band.has_value();
  coder.flag(has_band);
  if (has_band) {
    if constexpr (Coder::kReads) said.band.emplace();
    integer(coder, said.band->raise_below, memory.integers[0]);
    integer(coder, said.band->lower_above, memory.integers[1]);
  }

  length(coder, said.guards);
  memory.guards.resize(std::max(memory.guards.size(), said.guards.size()));
  for (std::size_t i = 0; i < said.guards.size(); ++i) {
    coder.text(said.guards[i].guard, memory.guards[i].text);
    integer(coder, said.guards[i].before, memory.guards[i].before);
    integer(coder, said.guards[i].after, memory.guards[i].after);
  }
}

template <class Coder>
void code_record(Coder& coder, auto& record, RecordMemory& memory) {
  auto& seen = record.observation;
  clock(coder, seen.now, memory);
  duration(coder, seen.utc_offset, memory.integers[2]);
  duration(coder, seen.rate_window, memory.integers[3]);
  integer(coder, seen.spec_replicas, memory.integers[4]);
  integer(coder, seen.ready_replicas, memory.integers[5]);
  starting_pods(coder, seen.starting_pod_ages, memory);
  signal(coder, seen.served_rate_rps, memory.signals[0]);
  signal(coder, seen.failed_rate_rps, memory.signals[1]);
  signal(coder, seen.in_flight_requests, memory.signals[2]);
  signal(coder, seen.cpu_cores, memory.signals[3]);
  pods(coder, seen.pods, memory);
  integer(coder, record.decision.replicas, memory.integers[6]);
  explanation(coder, record.decision.explanation, memory);
}

}  // namespace

std::uint32_t TextTable::number_of(const std::string& text, bool& is_new) {
  is_new = false;
  if (text.size() > kLongest) return kNone;
  if (const auto found = numbers_.find(text); found != numbers_.end()) return found->second;
  if (texts_.size() >= kMost) return kNone;
  texts_.push_back(text);
  is_new = true;
  return numbers_[text] = static_cast<std::uint32_t>(texts_.size());
}

void TextTable::shrink(std::size_t size) {
  for (; texts_.size() > size; texts_.pop_back()) numbers_.erase(texts_.back());
}

void encode(const DecisionRecord& record, RecordMemory& memory, TextTable& texts,
            const std::function<void(std::uint32_t, std::string_view)>& on_text, std::string& out) {
  Encoder encoder(texts, on_text, out);
  code_record(encoder, record, memory);
  encoder.finish();
}

std::optional<DecisionRecord> decode(std::string_view bytes, RecordMemory& memory, const FoundTexts& texts) {
  Decoder decoder(texts, bytes);
  DecisionRecord record;
  code_record(decoder, record, memory);
  if (!decoder.is_good() || !decoder.is_at_end()) return std::nullopt;
  return record;
}

std::optional<TimePoint> decode_time(std::string_view bytes, RecordMemory& memory) {
  const FoundTexts none;
  Decoder decoder(none, bytes);
  TimePoint now;
  clock(decoder, now, memory);
  return decoder.is_good() ? std::optional(now) : std::nullopt;
}

}  // namespace mpca::runlog::internal
