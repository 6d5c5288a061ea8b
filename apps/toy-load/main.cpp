// The workload server: reads its environment, serves until SIGTERM or SIGINT, drains.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include "core/os/interrupt.h"
#include "core/os/real_clock.h"
#include "core/random.h"
#include "core/text.h"
#include "mpca_version.h"
#include "workload/toy_load.h"

namespace mpca::app {
namespace {

constexpr int kCutOff = 1;
constexpr int kBadStart = 2;

constexpr std::string_view kHelpHead = R"(usage: toy-load

An HTTP server whose requests cost what they ask for: a workload to scale. All settings are environment variables.

routes (GET only)
  /          what is here, as JSON
  /healthz   ok
  /readyz    ok, or 503 before READY_AFTER has passed and from the beginning of the shutdown
  /work      works as the query says, in this order: cpu_ms, sleep_ms, jitter_ms (each 0..5000; the last is a
             random part of it), then answers payload_bytes (0..1048576) letters, or 500 with probability err_rate;
             id goes to the debug log
  /metrics   Prometheus metrics

environment
)";

constexpr std::string_view kHelpTail = R"(
A listening socket is taken over from LISTEN_FDS and LISTEN_PID (systemd socket activation).
SIGTERM or SIGINT: stops listening, answers what is in flight, exits 0; 1 when SHUTDOWN_TIMEOUT cut some off.

examples:
  PORT=8080 toy-load
  CONCURRENCY=2 QUEUE_LIMIT=100 READY_AFTER='lognormal(mean=40s,cv=0.3)' toy-load
)";

std::string help() {
  workload::ToyLoadSettings defaults;
  std::string text(kHelpHead);
  for (const SettingInfo& info : infos(workload::settings_table(defaults))) {
    std::string left = cat("  ", info.name, "=", info.default_text);
    left.resize(std::max<std::size_t>(left.size() + 2, 32), ' ');
    text += cat(left, info.sentence, "\n");
  }
  return text + std::string(kHelpTail);
}

/// As many connections as the system lets us have; Go's runtime does the same.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// Different in every process and at every start.
std::uint64_t fresh_seed() {
  const auto now = static_cast<std::uint64_t>(os::RealClock().now().time_since_epoch().count());
  return RandomStream(now, "seed", static_cast<std::uint32_t>(getpid())).bits();
}

int run() {
  const auto settings = workload::settings_from(
      [](std::string_view name) -> std::optional<std::string> {
        const char* const value = std::getenv(std::string(name).c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
      },
      getpid());
  if (!settings) {
    for (const std::string_view line : split(settings.error().message, '\n')) std::cerr << "toy-load: " << line << '\n';
    return kBadStart;
  }
  raise_descriptor_limit();
  os::InterruptWatch interrupt;
  workload::JsonLog log(settings->app_name, settings->log_level);
  const std::uint64_t seed = settings->seed > 0 ? static_cast<std::uint64_t>(settings->seed) : fresh_seed();
  auto server = workload::ToyLoad::create(*settings, seed, log);
  if (!server) {
    std::cerr << "toy-load: " << server.error().message << '\n';
    return kBadStart;
  }
  return server->run(interrupt.token()) == 0 ? 0 : kCutOff;
}

}  // namespace
}  // namespace mpca::app

int main(int argc, char** argv) {
  try {
    const std::string argument = argc > 1 ? argv[1] : "";
    if (argument == "--help" || argument == "-h") {
      std::cout << mpca::app::help();
      return 0;
    }
    if (argument == "--version") {
      std::cout << "toy-load " << mpca::kVersionText << '\n';
      return 0;
    }
    if (argc > 1) {
      std::cerr << "toy-load: unexpected argument \"" << argument << "\"; see toy-load --help\n";
      return mpca::app::kBadStart;
    }
    return mpca::app::run();
  } catch (const std::exception& error) {
    std::cerr << "toy-load: " << error.what() << '\n';
    return mpca::app::kBadStart;
  }
}
