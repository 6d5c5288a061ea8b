#include "runlog/flight_recorder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "core/os/file.h"
#include "core/os/real_clock.h"
#include "core/text.h"
#include "runlog/internal/flight_format.h"
#include "runlog/internal/record_codec.h"

namespace mpca::runlog {
namespace {

using internal::RecordMemory;
using internal::SegmentFile;
using internal::TextTable;

constexpr std::int64_t kMib = std::int64_t{1} << 20;
constexpr std::int64_t kRecordsPerState = 4;  // bytes of records for each byte of memories, before a segment is left
constexpr std::int64_t kLeastSegments = 4;    // in the bound on the total
constexpr std::int64_t kForgottenAfter = 2;   // segments
constexpr int kMovingShare = 10;              // of a segment's life
constexpr int kLookedAt = 2;                  // segments that may have been open when a process ended

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

Error system_error(std::string_view what, const std::string& path, int code) {
  return {ErrorCode::io, cat("cannot ", what, " ", path, ": ", std::strerror(code))};
}

/// An open segment.
struct Segment {
  Descriptor descriptor;
  SegmentFile file;
  TimePoint began;
  std::int64_t state_bytes = 0;
  std::int64_t left_with_bytes = 0;  // when the next one began
  TextTable texts{};
  std::uint32_t workloads = 0;  // numbers given out
  bool is_synced = true;
  bool is_broken = false;  // torn bytes stand at its end: what is written after them would not be found
};

struct Workload {
  std::uint64_t header = 0;    // a hash
  std::uint64_t hash = 0;      // of its name: when it moves
  Segment* segment = nullptr;  // nullptr: it has to begin
  std::uint32_t number = 0;    // in the segment
  std::int64_t last_seen = 0;  // the newest segment then
  std::int64_t next = 0;       // number of its next record in this run
  bool wants_state = false;    // it began without
  std::unique_ptr<RecordMemory> memory{};
};

std::uint64_t hash_of(const DecisionLogHeader& header) {
  const policy::Workload& workload = header.workload;
  std::uint64_t hash = 0;
  const auto add = [&](std::uint64_t value) { hash = (hash ^ value) * 0x9E3779B97F4A7C15U + 1; };
  for (const std::string* text : {&header.policy, &header.world, &header.trace, &header.program})
    add(std::hash<std::string_view>{}(*text));
  for (const double number : {workload.capacity_rps, workload.target_utilization}) add(std::hash<double>{}(number));
  for (const std::int64_t number :
       {std::int64_t{workload.min_replicas}, std::int64_t{workload.max_replicas}, workload.period.count()})
    add(static_cast<std::uint64_t>(number));
  return hash;
}

struct TextHash {
  using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard's name
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

/// Cuts what is torn off the end of a segment of an earlier process.
Result<void> repair(const SegmentFile& file, std::vector<std::string>& repairs) {
  const auto read = internal::read_frames(file.path, [](std::string_view) { return true; });
  if (!read) {
    repairs.push_back(cat(read.error().message, "; left as it is"));
    return {};
  }
  if (read->skipped > 0) repairs.push_back(cat(file.path, ": ", read->skipped, " damaged records are skipped"));
  if (read->unread_bytes == 0) return {};
  if (::truncate(file.path.c_str(), read->good_bytes) != 0)
    return std::unexpected(system_error("cut", file.path, errno));
  repairs.push_back(cat(file.path, ": ", read->file_bytes - read->good_bytes, " torn bytes at its end are cut off"));
  return {};
}

}  // namespace

SettingsTable settings_of(FlightRecorderSettings& settings) {
  return {
      {"segment-mib", &settings.segment_mib, "MiB", Range::between(1, 65536),
       "a segment of the flight recorder is left when it is that large, or a quarter of total-mib"},
      {"total-mib", &settings.total_mib, "MiB", Range::between(1, 1 << 24), "all segments together; the oldest go"},
      {"segment-age", &settings.segment_age, "duration", Range::above(0), "a segment is left when it is that old"},
      {"sync-every", &settings.sync_every, "duration", Range::at_least(0),
       "what a power failure may cost; 0 leaves it to the system. A killed process loses nothing"},
      {"retry-after", &settings.retry_after, "duration", Range::at_least(0), "after a disk error"},
  };
}

struct FlightRecorder::Impl {
  Impl(std::string path, const FlightRecorderSettings& chosen, Descriptor lock)
      : directory(std::move(path)), settings(chosen), directory_lock(std::move(lock)) {}
  ~Impl() {
    syncer = std::jthread();
    std::unique_lock lock(mutex);
    [[maybe_unused]] const auto ignored = sync(lock);
  }

  bool is_full(const Segment& segment, TimePoint now) const;
  Result<void> turn(TimePoint now);
  Result<void> begin_segment(TimePoint now);
  void close_previous();
  bool has_to_begin(const Workload& workload, std::uint64_t header, TimePoint now) const;
  bool is_time_to_move(const Workload& workload, TimePoint now) const;
  Result<void> make_room(std::int64_t bytes);
  Result<void> write(Segment& segment);
  Result<void> try_record(std::string_view name, Workload& workload, const DecisionLogHeader& header,
                          std::string_view state, const DecisionRecord& record);
  std::unexpected<Error> count_failure(Error error);
  bool is_waiting() const { return failed_at && os::monotonic_now() - *failed_at < settings.retry_after; }
  std::int64_t bytes() const;
  Result<void> sync(std::unique_lock<std::mutex>& lock);
  void sync_until_stopped(const std::stop_token& stop);

  const std::string directory;
  const FlightRecorderSettings settings;
  const Descriptor directory_lock;
  std::vector<std::string> repairs;
  std::int64_t run = 0;

  mutable std::mutex mutex;                              // of all below
  std::list<SegmentFile> closed;                         // oldest first
  std::vector<std::pair<Descriptor, std::string>> left;  // closed, and not yet synced
  std::unique_ptr<Segment> previous, current;
  std::int64_t last_sequence = 0;
  std::unordered_map<std::string, Workload, TextHash, std::equal_to<>> workloads;
  std::optional<Duration> failed_at;
  Figures figures;
  std::string buffer, record_bytes;
  std::condition_variable_any wake;
  std::jthread syncer;  // last: it uses all of the above
};

bool FlightRecorder::Impl::is_full(const Segment& segment, TimePoint now) const {
  if (segment.is_broken || now - segment.began >= settings.segment_age) return true;
  const std::int64_t wanted = std::max(settings.segment_mib * kMib, (1 + kRecordsPerState) * segment.state_bytes);
  return segment.file.bytes >= std::min(wanted, settings.total_mib * kMib / kLeastSegments);
}

/// There is a segment that workloads may begin in.
Result<void> FlightRecorder::Impl::turn(TimePoint now) {
  if (current && !is_full(*current, now)) return {};
  close_previous();
  previous = std::move(current);
  if (previous) previous->left_with_bytes = previous->file.bytes;
  return begin_segment(now);
}

Result<void> FlightRecorder::Impl::begin_segment(TimePoint now) {
  const std::string path = cat(directory, "/", internal::segment_name(last_sequence + 1));
  Descriptor descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0640));
  if (descriptor.get() < 0) return std::unexpected(system_error("create", path, errno));
  ++last_sequence;
  current = std::make_unique<Segment>(
      Segment{.descriptor = std::move(descriptor), .file = {path, last_sequence, 0}, .began = now});
  buffer = internal::kSegmentStart;
  const auto written = write(*current);
  if (!written) {
    ::unlink(path.c_str());
    current.reset();
  }
  return written;
}

/// Those who are still in it begin anew; those who were not seen for long are forgotten.
void FlightRecorder::Impl::close_previous() {
  if (!previous) return;
  for (auto entry = workloads.begin(); entry != workloads.end();) {
    Workload& workload = entry->second;
    if (workload.segment == previous.get()) {
      workload.segment = nullptr;
      workload.memory.reset();
    }
    entry = workload.last_seen + kForgottenAfter < last_sequence ? workloads.erase(entry) : std::next(entry);
  }
  closed.push_back(previous->file);
  if (!previous->is_synced) left.emplace_back(std::move(previous->descriptor), previous->file.path);
  previous.reset();
}

/// Its share of the first tenth of the new segment's life, or of as much growth of the one before.
bool FlightRecorder::Impl::is_time_to_move(const Workload& workload, TimePoint now) const {
  const double share = static_cast<double>(workload.hash >> 11) * 0x1p-53;
  const double life = to_seconds(now - current->began) / to_seconds(settings.segment_age);
  const auto left_with = static_cast<double>(previous->left_with_bytes);
  const double growth = (static_cast<double>(previous->file.bytes) - left_with) / left_with;
  return std::max(life, growth) * kMovingShare >= share;
}

bool FlightRecorder::Impl::has_to_begin(const Workload& workload, std::uint64_t header, TimePoint now) const {
  if (workload.segment == nullptr || workload.segment->is_broken) return true;
  if (workload.header != header || workload.wants_state) return true;
  return workload.segment != current.get() && is_time_to_move(workload, now);
}

std::int64_t FlightRecorder::Impl::bytes() const {
  std::int64_t sum = (previous ? previous->file.bytes : 0) + (current ? current->file.bytes : 0);
  for (const SegmentFile& file : closed) sum += file.bytes;
  return sum;
}

Result<void> FlightRecorder::Impl::make_room(std::int64_t more) {
  const std::int64_t most = settings.total_mib * kMib;
  while (bytes() + more > most) {
    if (closed.empty()) close_previous();
    if (closed.empty())
      return fail(ErrorCode::io, cat("cannot record ", more, " bytes in ", directory, ": all may have ", most));
    if (::unlink(closed.front().path.c_str()) != 0 && errno != ENOENT)
      return std::unexpected(system_error("remove", closed.front().path, errno));
    closed.pop_front();
  }
  return {};
}

/// All of the buffer, or nothing of it.
Result<void> FlightRecorder::Impl::write(Segment& segment) {
  for (std::string_view rest = buffer; !rest.empty();) {
    const ssize_t count = ::write(segment.descriptor.get(), rest.data(), rest.size());
    if (count > 0) rest.remove_prefix(static_cast<std::size_t>(count));
    if (count > 0 || (count < 0 && errno == EINTR)) continue;
    const int code = count == 0 ? ENOSPC : errno;
    // What cannot be cut off would hide all that is written after it: the segment is left.
    if (rest.size() < buffer.size() && ::ftruncate(segment.descriptor.get(), segment.file.bytes) != 0)
      segment.is_broken = true;
    return std::unexpected(system_error("write", segment.file.path, code));
  }
  segment.file.bytes += static_cast<std::int64_t>(buffer.size());
  figures.written_bytes += static_cast<std::int64_t>(buffer.size());
  segment.is_synced = false;
  return {};
}

std::unexpected<Error> FlightRecorder::Impl::count_failure(Error error) {
  failed_at = os::monotonic_now();
  figures.last_failure = error.message;
  return std::unexpected(std::move(error));
}

Result<void> FlightRecorder::Impl::try_record(std::string_view name, Workload& workload,
                                              const DecisionLogHeader& header, std::string_view state,
                                              const DecisionRecord& record) {
  const TimePoint now = record.observation.now;
  MPCA_TRY_VOID(turn(now));
  const std::uint64_t hash = hash_of(header);
  const bool has_no_place = workload.segment == nullptr || workload.segment->is_broken || workload.header != hash;
  const bool begins = has_no_place || (!state.empty() && has_to_begin(workload, hash, now));
  if (begins) {
    workload.segment = current.get();
    workload.header = hash;
    workload.number = current->workloads++;
    workload.memory = std::make_unique<RecordMemory>();
    workload.wants_state = state.empty();
  }
  Segment& segment = *workload.segment;
  buffer.clear();
  if (begins)
    internal::append_beginning_frame({.workload = workload.number,
                                      .run = run,
                                      .next = workload.next,
                                      .name = std::string(name),
                                      .header = header,
                                      .state = std::string(state)},
                                     buffer);
  const std::size_t beginning = buffer.size(), texts = segment.texts.size();
  record_bytes.clear();
  internal::encode(
      record, *workload.memory, segment.texts,
      [&](std::uint32_t number, std::string_view text) { internal::append_text_frame({number, text}, buffer); },
      record_bytes);
  internal::append_record_frame({workload.number, static_cast<std::uint8_t>(workload.next), record_bytes}, buffer);

  auto written = make_room(static_cast<std::int64_t>(buffer.size()));
  if (workload.segment == nullptr)  // it had to go
    return fail(ErrorCode::io, cat(directory, ": total-mib is ", settings.total_mib, ", too little for ",
                                   workloads.size(), " workloads"));
  if (written) written = write(segment);
  if (!written) {
    segment.texts.shrink(texts);
    return written;
  }
  segment.state_bytes += static_cast<std::int64_t>(beginning);
  figures.state_bytes += static_cast<std::int64_t>(beginning);
  return {};
}

Result<void> FlightRecorder::Impl::sync(std::unique_lock<std::mutex>& lock) {
  auto open = std::exchange(left, {});
  for (Segment* segment : {previous.get(), current.get()}) {
    if (segment == nullptr || std::exchange(segment->is_synced, true)) continue;
    open.emplace_back(Descriptor(::fcntl(segment->descriptor.get(), F_DUPFD_CLOEXEC, 0)), segment->file.path);
  }
  // A disk may take seconds, and the loop does not wait for it.
  lock.unlock();
  Result<void> result;
  for (const auto& [descriptor, path] : open)
    if (::fdatasync(descriptor.get()) != 0) result = std::unexpected(system_error("sync", path, errno));
  lock.lock();
  if (!result) figures.last_failure = result.error().message;
  return result;
}

void FlightRecorder::Impl::sync_until_stopped(const std::stop_token& stop) {
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    wake.wait_for(lock, stop, settings.sync_every, [] { return false; });
    [[maybe_unused]] const auto told = sync(lock);
  }
}

FlightRecorder::FlightRecorder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FlightRecorder::FlightRecorder(FlightRecorder&&) noexcept = default;
FlightRecorder& FlightRecorder::operator=(FlightRecorder&&) noexcept = default;
FlightRecorder::~FlightRecorder() = default;

Result<FlightRecorder> FlightRecorder::open(const std::string& directory, const FlightRecorderSettings& settings) {
  MPCA_TRY_VOID(os::make_directories(directory));
  const std::string lock_path = directory + "/.lock";
  Descriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (lock.get() < 0) return std::unexpected(system_error("create", lock_path, errno));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(ErrorCode::already_exists, cat(directory, ": another process records here"));
  MPCA_TRY(const std::vector<SegmentFile> found, internal::segments_of(directory));
  auto impl = std::make_unique<Impl>(directory, settings, std::move(lock));
  for (std::size_t i = found.size() - std::min<std::size_t>(found.size(), kLookedAt); i < found.size(); ++i)
    MPCA_TRY_VOID(repair(found[i], impl->repairs));
  MPCA_TRY(const std::vector<SegmentFile> repaired, internal::segments_of(directory));
  impl->closed.assign(repaired.begin(), repaired.end());
  if (!repaired.empty()) impl->last_sequence = repaired.back().sequence;
  impl->run = os::RealClock().now().time_since_epoch().count();
  if (settings.sync_every > Duration::zero())
    impl->syncer = std::jthread([self = impl.get()](const std::stop_token& stop) { self->sync_until_stopped(stop); });
  return FlightRecorder(std::move(impl));
}

bool FlightRecorder::wants_state(std::string_view workload, const DecisionLogHeader& header, TimePoint now) {
  const std::scoped_lock lock(impl_->mutex);
  if (impl_->is_waiting()) return false;
  if (const auto turned = impl_->turn(now); !turned) {
    [[maybe_unused]] const auto told = impl_->count_failure(turned.error());
    return false;
  }
  const auto found = impl_->workloads.find(workload);
  return found == impl_->workloads.end() || impl_->has_to_begin(found->second, hash_of(header), now);
}

Result<void> FlightRecorder::record(std::string_view workload, const DecisionLogHeader& header,
                                    std::string_view state_before, const DecisionRecord& record) {
  const std::scoped_lock lock(impl_->mutex);
  auto found = impl_->workloads.find(workload);
  if (found == impl_->workloads.end()) {
    found = impl_->workloads.emplace(std::string(workload), Workload{}).first;
    found->second.hash = std::uint64_t{stable_hash(workload)} << 32;
  }
  Workload& entry = found->second;
  entry.last_seen = impl_->last_sequence;
  const auto drop = [&](std::unexpected<Error> error) {
    entry.segment = nullptr;
    entry.memory.reset();
    ++entry.next;
    ++impl_->figures.dropped;
    return error;
  };
  if (impl_->is_waiting()) return drop(fail(ErrorCode::io, impl_->figures.last_failure.value_or("waiting")));
  if (const auto done = impl_->try_record(workload, entry, header, state_before, record); !done)
    return drop(impl_->count_failure(done.error()));
  impl_->failed_at.reset();
  ++entry.next;
  ++impl_->figures.recorded;
  return {};
}

FlightRecorder::Figures FlightRecorder::figures() const {
  const std::scoped_lock lock(impl_->mutex);
  Figures figures = impl_->figures;
  figures.bytes = impl_->bytes();
  return figures;
}

const std::vector<std::string>& FlightRecorder::repairs() const { return impl_->repairs; }

Result<void> FlightRecorder::sync() {
  std::unique_lock lock(impl_->mutex);
  return impl_->sync(lock);
}

}  // namespace mpca::runlog
