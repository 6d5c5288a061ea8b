#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>

#include "core/os/file.h"
#include "core/text.h"
#include "lab/balancer.h"

namespace mpca::lab {
namespace {

// HAProxy wants its servers named in advance: empty places that pods are put into.
constexpr int kPlaces = 400;

std::string configuration(const std::string& socket) {
  return cat(
      "global\n  maxconn 4000\n  stats socket ", socket,
      " mode 600 level admin\n"
      "defaults\n  mode http\n  timeout connect 5s\n  timeout client 120s\n  timeout server 120s\n"
      "  timeout http-keep-alive 120s\n  retries 1\n  option redispatch 1\n  retry-on conn-failure empty-response\n"
      "  option abortonclose\n"
      "frontend service\n  bind fd@3\n  default_backend pods\n"
      "backend pods\n  balance leastconn\n  http-reuse safe\n  server-template pod 1-",
      kPlaces, " 127.0.0.1:1 disabled\n");
}

/// One command of the runtime API and its answer.
Result<std::string> ask(const std::string& socket_path, const std::string& command) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(ErrorCode::io, cat("cannot make a socket: ", std::strerror(errno)));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string answer;
  bool is_complete = false;
  if (socket_path.size() < sizeof address.sun_path) {
    std::copy(socket_path.begin(), socket_path.end(), address.sun_path);
    const std::string line = command + "\n";
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        send(fd, line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size())) {
      char buffer[4096];
      ssize_t count = 0;
      while ((count = read(fd, buffer, sizeof buffer)) > 0) answer.append(buffer, static_cast<std::size_t>(count));
      is_complete = count == 0;
    }
  }
  close(fd);
  if (!is_complete) return fail(ErrorCode::io, "HAProxy does not answer on its socket");
  return answer;
}

class HaproxyBalancer final : public Balancer {
 public:
  HaproxyBalancer(Listener listener, const std::string& directory)
      : listener_(std::move(listener)),
        socket_(directory + "/haproxy.sock"),
        configuration_(directory + "/haproxy.cfg"),
        log_(directory + "/haproxy.log") {
    for (int place = kPlaces; place >= 1; --place) free_places_.push_back(place);
  }

  Result<void> start() {
    MPCA_TRY_VOID(os::write_file(configuration_, configuration(socket_)));
    unlink(socket_.c_str());
    ChildSettings settings{.program = "haproxy",
                           .arguments = {"-db", "-f", configuration_},
                           .environment = {},
                           .inherited_listener = listener_.fd(),
                           .output_file = log_};
    MPCA_TRY(ChildProcess process, ChildProcess::start(settings));
    process_ = std::move(process);
    return wait_until_up(*process_, "haproxy", log_, [&] { return ask(socket_, "show info").has_value(); });
  }

  int port() const override { return listener_.port(); }

  void set_backends(const std::vector<Backend>& wanted) override {
    const std::scoped_lock lock(mutex_);
    std::string commands;
    for (auto it = places_.begin(); it != places_.end();) {
      const int place = it->second;
      const bool is_wanted =
          std::any_of(wanted.begin(), wanted.end(), [&](const auto& b) { return b.id == it->first; });
      if (is_wanted) {
        ++it;
        continue;
      }
      commands += cat("set server pods/pod", place, " state maint;");
      // Its requests may still be under way: the place is the last to be used again.
      free_places_.insert(free_places_.begin(), place);
      it = places_.erase(it);
    }
    commands += seat(wanted);
    backends_ = wanted;
    tell(commands);
  }

  BalancerCounts counts() const override {
    BalancerCounts counts;
    const auto text = ask(socket_, "show stat pods 2 -1");
    if (!text) return counts;
    const std::vector<std::string_view> lines = split(*text, '\n');
    if (lines.size() < 2) return counts;
    const std::vector<std::string_view> names = split(lines[0], ','), values = split(lines[1], ',');
    const auto value = [&](std::string_view name) -> std::uint64_t {
      for (std::size_t i = 0; i < std::min(names.size(), values.size()); ++i)
        if (names[i] == name) return static_cast<std::uint64_t>(parse_double(values[i]).value_or(0.0));
      return 0;
    };
    counts.requests = value("stot");
    counts.answered = value("hrsp_2xx") + value("hrsp_3xx") + value("hrsp_4xx");
    counts.bad_gateway = value("hrsp_5xx");
    counts.retried = value("wretr");
    counts.outstanding = value("scur") + value("qcur");
    return counts;
  }

  void restart() override {
    const std::scoped_lock lock(mutex_);
    process_->signal(SIGKILL);
    process_.reset();
    for (const auto& [id, place] : places_) free_places_.push_back(place);
    places_.clear();
    if (!start()) return;  // clients then find a port that nobody answers, as they would
    tell(seat(backends_));
  }

 private:
  /// What does not listen any more must not go on to serve pods that have left: its clients are refused then, and that
  /// is counted.
  void tell(const std::string& commands) {
    if (!commands.empty() && !ask(socket_, commands)) process_->signal(SIGKILL);
  }

  /// The commands that give a place to each of `wanted` that has none yet.
  std::string seat(const std::vector<Backend>& wanted) {
    std::string commands;
    for (const Backend& backend : wanted) {
      if (places_.contains(backend.id) || free_places_.empty()) continue;
      const int place = free_places_.back();
      free_places_.pop_back();
      places_[backend.id] = place;
      commands += cat("set server pods/pod", place, " addr 127.0.0.1 port ", backend.port, ";set server pods/pod",
                      place, " state ready;");
    }
    return commands;
  }

  Listener listener_;
  std::string socket_;
  std::string configuration_;
  std::string log_;
  std::optional<ChildProcess> process_;
  std::mutex mutex_;           // guards all below
  std::map<int, int> places_;  // of each backend
  std::vector<int> free_places_;
  std::vector<Backend> backends_;
};

}  // namespace

Result<std::unique_ptr<Balancer>> haproxy_balancer(Listener listener, const std::string& directory) {
  auto balancer = std::make_unique<HaproxyBalancer>(std::move(listener), directory);
  MPCA_TRY_VOID(balancer->start());
  return balancer;
}

}  // namespace mpca::lab
