#include "load/internal/worker.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>

#include "core/os/real_clock.h"
#include "load/internal/response_reader.h"

namespace mpca::load {
namespace {

using namespace std::chrono_literals;

// How often a stop is looked for when nothing else happens.
constexpr Duration kLongestSleep = 10ms;
// Arrivals that are handled before answers are looked at, when many are due at once.
constexpr int kArrivalsAtOnce = 64;

class Worker;
struct Connection;

// A request from due to its end. In the list of the outstanding, which is in the order of their due times and so also
// of their time-outs.
struct Request {
  Duration due{};
  int phase = 0;
  std::uint32_t target = 0;
  bool is_repeated = false;
  bool waits = false;  // for a connection, since all that may be open are in use
  Connection* connection = nullptr;
  Request* older = nullptr;
  Request* newer = nullptr;
};

struct Connection final : StreamUser {
  enum class State { unused, connecting, idle, busy, closing };

  explicit Connection(Worker& its_worker) : worker(its_worker) {}
  void on_connected() override;
  void on_bytes(std::string_view bytes) override;
  void on_broken(Failure why) override;
  void on_quiet() override;

  Worker& worker;
  std::unique_ptr<Stream> stream;
  std::size_t origin = 0;
  Address address;
  ResponseReader reader;
  Request* request = nullptr;
  State state = State::unused;
  bool has_answered = false;        // a complete answer before
  std::uint64_t counted_bytes = 0;  // of the current body
  std::size_t idle_position = 0;    // in the origin's list
};

// The addresses of an origin in use: taken in turn, those that failed last left out while another works.
class AddressBook {
 public:
  void renew(std::vector<Address> addresses) {
    addresses_ = std::move(addresses);
    has_failed_.assign(addresses_.size(), false);
    next_ = 0;
  }
  bool empty() const { return addresses_.empty(); }
  std::size_t size() const { return addresses_.size(); }
  bool holds(const Address& address) const {
    return std::find(addresses_.begin(), addresses_.end(), address) != addresses_.end();
  }
  Address next() {
    if (std::find(has_failed_.begin(), has_failed_.end(), false) == has_failed_.end()) {
      has_failed_.assign(addresses_.size(), false);
    }
    while (has_failed_[next_]) next_ = (next_ + 1) % addresses_.size();
    const std::size_t taken = next_;
    next_ = (next_ + 1) % addresses_.size();
    return addresses_[taken];
  }
  /// returns  whether another address is left that has not failed
  bool mark_failed(const Address& address) {
    for (std::size_t i = 0; i < addresses_.size(); ++i) {
      if (addresses_[i] == address) has_failed_[i] = true;
    }
    return std::find(has_failed_.begin(), has_failed_.end(), false) != has_failed_.end();
  }

 private:
  std::vector<Address> addresses_;
  std::vector<bool> has_failed_;
  std::size_t next_ = 0;
};

class Worker {
 public:
  Worker(Run& run, int index);
  WorkerResult work();

  void connected(Connection& connection);
  void take_bytes(Connection& connection, std::string_view bytes);
  void broken(Connection& connection, Failure why);
  void quiet(Connection& connection);

 private:
  Duration now() const { return os::monotonic_now() - run_.started; }
  void take_arrival();
  void begin_due(Duration time);
  void find_connection(Request& request);
  Connection* take_idle(std::size_t origin);
  bool evict_idle();
  void open(Connection& connection, Request& request);
  Connection& fresh_connection(std::size_t origin);
  bool may_open() const { return open_connections_ < max_connections_; }
  void send(Connection& connection, Request& request);
  void complete_answer(Connection& connection);
  void release(Connection& connection);
  void close(Connection& connection);
  void remove_idle(Connection& connection);
  void serve_waiting();
  void end_with_status(Request& request, int status);
  void end_with_failure(Request& request, Failure failure);
  Tally& interval_of(const Request& request);
  void record_end(Request& request, Duration time);
  void forget(Request& request);
  void expire(Duration time);
  void cancel_all();
  void tick(Duration time);
  void renew_addresses();
  std::size_t pick_target(std::uint64_t number);

  Run& run_;
  const LoadSettings& settings_;
  const int index_;
  const std::uint64_t threads_;
  std::size_t max_connections_;
  EventLoop loop_;  // before the connections, which it must outlive

  ArrivalSchedule schedule_;
  RandomStream target_choice_;
  std::uint64_t arrival_number_ = 0;
  std::optional<Arrival> next_arrival_;
  std::uint32_t next_target_ = 0;

  std::deque<Request> request_memory_;
  std::vector<Request*> free_requests_;
  Request* oldest_ = nullptr;
  Request* newest_ = nullptr;
  std::uint64_t outstanding_ = 0;
  std::deque<Request*> waiting_;  // in the order of due times, as every list here

  std::deque<Connection> connections_;
  std::vector<std::vector<Connection*>> unused_;  // per origin: their stream is of its kind
  std::vector<std::vector<Connection*>> idle_;    // per origin; the last one is used first, while it is warm
  std::size_t open_connections_ = 0;
  std::vector<AddressBook> addresses_;
  std::uint64_t names_version_ = 0;

  std::size_t interval_ = 0;  // of the live callback
  Tally live_;
  bool is_finished_ = false;
  WorkerResult result_;
};

Worker::Worker(Run& run, int index)
    : run_(run),
      settings_(run.settings),
      index_(index),
      threads_(static_cast<std::uint64_t>(run.settings.threads)),
      schedule_(run.plan),
      target_choice_(run.plan.seed, "targets") {
  const auto all = static_cast<std::size_t>(settings_.max_connections);
  const std::size_t threads = threads_;
  max_connections_ = all / threads + (static_cast<std::size_t>(index) < all % threads ? 1 : 0);
  unused_.resize(run.origins.size());
  idle_.resize(run.origins.size());
  addresses_.resize(run.origins.size());
  result_.phases.resize(static_cast<std::size_t>(phase_count(run.plan)));
  renew_addresses();
  take_arrival();
}

WorkerResult Worker::work() {
  const Duration cpu_before = os::thread_cpu_time();
  const Duration began = now();
  const Duration timeout = settings_.timeout;
  while (true) {
    begin_due(now());
    const Duration time = now();
    expire(time);
    tick(time);
    if (run_.stop.stop_requested() && !result_.was_interrupted) cancel_all();
    if (!is_finished_ && !next_arrival_ && outstanding_ == 0) {
      is_finished_ = true;
      run_.unfinished.fetch_sub(1);
    }
    if (run_.unfinished.load() == 0) break;
    Duration wake = std::min(time + kLongestSleep, settings_.interval * static_cast<std::int64_t>(interval_ + 1));
    if (next_arrival_) wake = std::min(wake, next_arrival_->due);
    if (oldest_ != nullptr) wake = std::min(wake, oldest_->due + timeout);
    loop_.run_until(run_.started + wake);
  }
  const Duration took = now() - began;
  if (took > Duration::zero()) result_.cpu_share = to_seconds(os::thread_cpu_time() - cpu_before) / to_seconds(took);
  run_.live->hand_over(interval_, std::move(live_), 0);
  return std::move(result_);
}

std::size_t Worker::pick_target(std::uint64_t number) {
  const std::vector<double>& weights = run_.cumulative_weights;
  if (weights.empty()) return static_cast<std::size_t>(number % run_.requests.size());
  const double drawn = target_choice_.uniform() * weights.back();
  const auto found = std::upper_bound(weights.begin(), weights.end(), drawn);
  return std::min(static_cast<std::size_t>(found - weights.begin()), weights.size() - 1);
}

// The next arrival that is this thread's. Targets are drawn for the others' too, so that the choice does not depend on
// the number of threads.
void Worker::take_arrival() {
  while (true) {
    next_arrival_ = schedule_.next();
    if (!next_arrival_) return;
    const std::uint64_t number = arrival_number_++;
    next_target_ = static_cast<std::uint32_t>(pick_target(number));
    if (number % threads_ == static_cast<std::uint64_t>(index_)) return;
  }
}

void Worker::begin_due(Duration time) {
  for (int i = 0; i < kArrivalsAtOnce && next_arrival_ && next_arrival_->due <= time; ++i) {
    // Answers may have come since the last look, and with them connections: a client that is behind would otherwise
    // open one for each request of a burst, and be further behind with all of them.
    if (i > 0 && idle_[run_.requests[next_target_].origin].empty()) break;
    Request* request = nullptr;
    if (free_requests_.empty()) {
      request = &request_memory_.emplace_back();
    } else {
      request = free_requests_.back();
      free_requests_.pop_back();
    }
    *request =
        Request{.due = next_arrival_->due, .phase = next_arrival_->phase, .target = next_target_, .older = newest_};
    (newest_ == nullptr ? oldest_ : newest_->newer) = request;
    newest_ = request;
    ++outstanding_;
    ++live_.due;
    WorkerResult::Phase& phase = result_.phases[static_cast<std::size_t>(request->phase)];
    ++phase.tally.due;
    phase.first_due = std::min(phase.first_due, request->due);
    phase.last_due = request->due;
    ++interval_of(*request).due;
    take_arrival();
    find_connection(*request);
  }
}

void Worker::find_connection(Request& request) {
  const std::size_t origin = run_.requests[request.target].origin;
  if (!waiting_.empty()) {
    request.waits = true;
    waiting_.push_back(&request);
    return;
  }
  if (Connection* idle = take_idle(origin); idle != nullptr) {
    result_.lateness.record(now() - request.due);
    send(*idle, request);
    return;
  }
  if (may_open() || evict_idle()) {
    result_.lateness.record(now() - request.due);
    open(fresh_connection(origin), request);
    return;
  }
  request.waits = true;
  waiting_.push_back(&request);
}

Connection* Worker::take_idle(std::size_t origin) {
  std::vector<Connection*>& idle = idle_[origin];
  if (idle.empty()) return nullptr;
  Connection* connection = idle.back();
  idle.pop_back();
  return connection;
}

// Closes a connection to another origin to make room for one.
bool Worker::evict_idle() {
  for (std::vector<Connection*>& idle : idle_) {
    if (idle.empty()) continue;
    close(*idle.front());
    return true;
  }
  return false;
}

Connection& Worker::fresh_connection(std::size_t origin) {
  std::vector<Connection*>& unused = unused_[origin];
  if (!unused.empty()) {
    Connection& connection = *unused.back();
    unused.pop_back();
    return connection;
  }
  Connection& connection = connections_.emplace_back(*this);
  connection.origin = origin;
  const Origin& to = run_.origins[origin];
  connection.stream =
      to.is_https ? make_tls_stream(loop_, connection, *run_.tls, to.host) : make_plain_stream(loop_, connection);
  return connection;
}

void Worker::open(Connection& connection, Request& request) {
  AddressBook& book = addresses_[connection.origin];
  if (book.empty()) renew_addresses();
  if (book.empty()) {
    unused_[connection.origin].push_back(&connection);
    end_with_failure(request, Failure::name_not_resolved);
    return;
  }
  connection.address = book.next();
  connection.state = Connection::State::connecting;
  connection.has_answered = false;
  connection.request = &request;
  request.connection = &connection;
  request.waits = false;
  ++open_connections_;
  connection.stream->connect(connection.address);
}

void Worker::send(Connection& connection, Request& request) {
  const PreparedRequest& prepared = run_.requests[request.target];
  connection.state = Connection::State::busy;
  connection.request = &request;
  connection.counted_bytes = 0;
  request.connection = &connection;
  request.waits = false;
  connection.reader.begin(prepared.is_head);
  result_.phases[static_cast<std::size_t>(request.phase)].bytes_out += prepared.body_bytes;
  connection.stream->write(prepared.bytes);
}

void Worker::connected(Connection& connection) { send(connection, *connection.request); }

void Worker::take_bytes(Connection& connection, std::string_view bytes) {
  // Bytes that nobody asked for: whatever this server means, the next answer could not be told from them.
  if (connection.state != Connection::State::busy) return close(connection);
  Request& request = *connection.request;
  ResponseReader& reader = connection.reader;
  const std::size_t taken = reader.feed(bytes);
  result_.phases[static_cast<std::size_t>(request.phase)].bytes_in += reader.body_bytes() - connection.counted_bytes;
  connection.counted_bytes = reader.body_bytes();
  if (reader.state() == ResponseReader::State::reading) return;
  if (reader.state() == ResponseReader::State::malformed) {
    close(connection);
    end_with_failure(request, Failure::malformed_answer);
    return;
  }
  const bool is_reusable =
      reader.keeps_alive() && settings_.keep_alive && taken == bytes.size() && !connection.stream->is_writing();
  end_with_status(request, reader.status());
  connection.request = nullptr;
  connection.has_answered = true;
  if (is_reusable) {
    release(connection);
  } else {
    close(connection);
  }
}

void Worker::broken(Connection& connection, Failure why) {
  Request* request = connection.request;
  if (request == nullptr) return close(connection);
  if (connection.state == Connection::State::connecting) {
    const bool has_other = addresses_[connection.origin].mark_failed(connection.address);
    connection.request = nullptr;
    close(connection);
    if (has_other && why != Failure::too_many_open_files && why != Failure::no_local_port) {
      open(fresh_connection(connection.origin), *request);
    } else {
      end_with_failure(*request, why);
    }
    return;
  }
  const bool is_end = why == Failure::connection_closed && connection.reader.end();
  if (is_end) {
    const int status = connection.reader.status();
    close(connection);
    end_with_status(*request, status);
    return;
  }
  // A server may close an idle connection just as a request is on its way; users' clients send it again, so we do.
  const bool is_stale = connection.has_answered && !connection.reader.has_begun() && !request->is_repeated &&
                        run_.requests[request->target].is_idempotent;
  connection.request = nullptr;
  close(connection);
  if (is_stale) {
    request->is_repeated = true;
    open(fresh_connection(connection.origin), *request);
  } else {
    end_with_failure(*request, why);
  }
}

void Worker::quiet(Connection& connection) {
  connection.state = Connection::State::unused;
  unused_[connection.origin].push_back(&connection);
}

// To the requests that wait, or to the idle ones.
void Worker::release(Connection& connection) {
  if (!addresses_[connection.origin].holds(connection.address)) return close(connection);
  connection.state = Connection::State::idle;
  connection.idle_position = idle_[connection.origin].size();
  idle_[connection.origin].push_back(&connection);
  serve_waiting();
}

void Worker::remove_idle(Connection& connection) {
  std::vector<Connection*>& idle = idle_[connection.origin];
  idle[connection.idle_position] = idle.back();
  idle[connection.idle_position]->idle_position = connection.idle_position;
  idle.pop_back();
}

void Worker::close(Connection& connection) {
  if (connection.state == Connection::State::closing || connection.state == Connection::State::unused) return;
  if (connection.state == Connection::State::idle) remove_idle(connection);
  connection.state = Connection::State::closing;
  if (connection.request != nullptr) connection.request->connection = nullptr;
  connection.request = nullptr;
  --open_connections_;
  connection.stream->close();
}

void Worker::serve_waiting() {
  while (!waiting_.empty()) {
    Request& request = *waiting_.front();
    const std::size_t origin = run_.requests[request.target].origin;
    Connection* connection = take_idle(origin);
    if (connection == nullptr && !may_open() && !evict_idle()) return;
    waiting_.pop_front();
    result_.connection_wait.record(now() - request.due);
    if (connection != nullptr) {
      send(*connection, request);
    } else {
      open(fresh_connection(origin), request);
    }
  }
}

Tally& Worker::interval_of(const Request& request) {
  const auto interval = static_cast<std::size_t>(request.due / settings_.interval);
  if (interval >= result_.intervals.size()) result_.intervals.resize(interval + 1);
  return result_.intervals[interval];
}

void Worker::record_end(Request& request, Duration time) {
  WorkerResult::Phase& phase = result_.phases[static_cast<std::size_t>(request.phase)];
  phase.last_end = std::max(phase.last_end, time);
  result_.last_end = std::max(result_.last_end, time);
}

void Worker::end_with_status(Request& request, int status) {
  const Duration time = now();
  for (Tally* tally : {&result_.phases[static_cast<std::size_t>(request.phase)].tally, &interval_of(request), &live_}) {
    tally->add_status(status);
    tally->latency.record(time - request.due);
  }
  record_end(request, time);
  forget(request);
}

void Worker::end_with_failure(Request& request, Failure failure) {
  const Duration time = now();
  for (Tally* tally : {&result_.phases[static_cast<std::size_t>(request.phase)].tally, &interval_of(request), &live_}) {
    ++tally->failures[static_cast<std::size_t>(failure)];
    tally->latency.record(time - request.due);
  }
  record_end(request, time);
  forget(request);
}

void Worker::forget(Request& request) {
  (request.older == nullptr ? oldest_ : request.older->newer) = request.newer;
  (request.newer == nullptr ? newest_ : request.newer->older) = request.older;
  --outstanding_;
  free_requests_.push_back(&request);
}

void Worker::expire(Duration time) {
  while (oldest_ != nullptr && oldest_->due + settings_.timeout <= time) {
    Request& request = *oldest_;
    if (request.waits) {
      // The oldest that waits: all that were due before have ended.
      waiting_.pop_front();
      result_.connection_wait.record(time - request.due);
    } else if (request.connection != nullptr) {
      Connection& connection = *request.connection;
      if (connection.state == Connection::State::connecting)
        addresses_[connection.origin].mark_failed(connection.address);
      close(connection);
    }
    end_with_failure(request, Failure::timeout);
  }
  serve_waiting();
}

void Worker::cancel_all() {
  result_.was_interrupted = true;
  next_arrival_.reset();
  waiting_.clear();
  const Duration time = now();
  while (oldest_ != nullptr) {
    Request& request = *oldest_;
    if (request.connection != nullptr) close(*request.connection);
    for (Tally* tally :
         {&result_.phases[static_cast<std::size_t>(request.phase)].tally, &interval_of(request), &live_}) {
      ++tally->cancelled;
    }
    record_end(request, time);
    forget(request);
  }
}

void Worker::tick(Duration time) {
  while (settings_.interval * static_cast<std::int64_t>(interval_ + 1) <= time) {
    run_.live->hand_over(interval_, std::move(live_), outstanding_);
    live_ = Tally{};
    ++interval_;
  }
  if (run_.names->version() != names_version_) renew_addresses();
}

void Worker::renew_addresses() {
  names_version_ = run_.names->version();
  for (std::size_t origin = 0; origin < addresses_.size(); ++origin) {
    addresses_[origin].renew(run_.names->addresses(origin));
    // Load follows the name: what is idle at an address that it no longer has is closed, what is busy when it is done.
    const std::vector<Connection*> idle = idle_[origin];
    for (Connection* connection : idle) {
      if (!addresses_[origin].holds(connection->address)) close(*connection);
    }
  }
}

void Connection::on_connected() { worker.connected(*this); }
void Connection::on_bytes(std::string_view bytes) { worker.take_bytes(*this, bytes); }
void Connection::on_broken(Failure why) { worker.broken(*this, why); }
void Connection::on_quiet() { worker.quiet(*this); }

}  // namespace

void LiveCollector::hand_over(std::size_t interval, Tally&& ended, std::uint64_t outstanding) {
  if (!on_interval_) return;
  const std::scoped_lock lock(mutex_);
  const std::size_t position = interval - first_pending_;
  if (position >= pending_.size()) pending_.resize(position + 1);
  Pending& pending = pending_[position];
  pending.counts.add(ended.counts());
  pending.latency.merge(ended.latency);
  pending.outstanding += outstanding;
  ++pending.handed_over;
  // Every worker hands over in order, so intervals are complete in order too.
  while (!pending_.empty() && pending_.front().handed_over == workers_) tell_first();
}

void LiveCollector::finish() {
  while (!pending_.empty()) tell_first();
}

void LiveCollector::tell_first() {
  const Duration start = interval_ * static_cast<std::int64_t>(first_pending_);
  Pending first = std::move(pending_.front());
  pending_.erase(pending_.begin());
  ++first_pending_;
  on_interval_({.start = start,
                .ended = {.start = start, .counts = std::move(first.counts), .latency = std::move(first.latency)},
                .outstanding = first.outstanding});
}

WorkerResult run_worker(Run& run, int index) { return Worker(run, index).work(); }

}  // namespace mpca::load
