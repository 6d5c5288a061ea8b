#include "prom/process_collector.h"

#include <dirent.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <sys/resource.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "core/os/file.h"
#include "core/os/real_clock.h"
#include "core/text.h"

namespace mpca::prom {
namespace {

/// Seconds since the epoch at which the machine started.
std::optional<double> boot_time_s() {
  const auto text = os::read_file("/proc/stat");
  if (!text) return std::nullopt;
  for (const std::string_view line : split(*text, '\n')) {
    if (line.starts_with("btime ")) return parse_double(line.substr(6));
  }
  return std::nullopt;
}

std::optional<double> open_descriptors() {
  DIR* const folder = opendir("/proc/self/fd");
  if (folder == nullptr) return std::nullopt;
  int count = -1;  // the folder itself is open while we look
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_name[0] != '.') ++count;
  }
  closedir(folder);
  return count;
}

class ProcessCollector final : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  // Neither changes while the process lives.
  const std::optional<double> boot_time_s_ = boot_time_s();
};

std::vector<prometheus::MetricFamily> ProcessCollector::Collect() const {
  std::vector<prometheus::MetricFamily> families;
  const auto add = [&](const char* name, const char* help, prometheus::MetricType type, std::optional<double> value) {
    if (!value) return;
    prometheus::MetricFamily family;
    family.name = name;
    family.help = help;
    family.type = type;
    prometheus::ClientMetric metric;
    if (type == prometheus::MetricType::Counter)
      metric.counter.value = *value;
    else
      metric.gauge.value = *value;
    family.metric.push_back(std::move(metric));
    families.push_back(std::move(family));
  };
  using prometheus::MetricType;

  // Not from the same file: its ticks of 10 ms are coarse for a rate over a few seconds.
  add("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", MetricType::Counter,
      to_seconds(os::process_cpu_time()));
  if (const auto text = os::read_file("/proc/self/stat")) {
    // The name, in parentheses, may hold anything; after it stands field 3 of proc(5).
    const std::size_t name_end = text->rfind(')');
    const std::vector<std::string_view> fields =
        split(std::string_view(*text).substr(name_end == std::string::npos ? 0 : name_end + 2), ' ');
    const auto field = [&](std::size_t number) -> std::optional<double> {
      if (name_end == std::string::npos || number - 3 >= fields.size()) return std::nullopt;
      return parse_double(fields[number - 3]);
    };
    const auto ticks_per_s = static_cast<double>(sysconf(_SC_CLK_TCK));
    const auto page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE));
    const auto start = field(22), virtual_bytes = field(23), pages = field(24);
    if (pages) {
      add("process_resident_memory_bytes", "Resident memory size in bytes.", MetricType::Gauge, *pages * page_bytes);
    }
    add("process_virtual_memory_bytes", "Virtual memory size in bytes.", MetricType::Gauge, virtual_bytes);
    if (start && boot_time_s_) {
      add("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", MetricType::Gauge,
          *boot_time_s_ + *start / ticks_per_s);
    }
  }
  add("process_open_fds", "Number of open file descriptors.", MetricType::Gauge, open_descriptors());
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    add("process_max_fds", "Maximum number of open file descriptors.", MetricType::Gauge,
        static_cast<double>(limit.rlim_cur));
  }
  return families;
}

}  // namespace

std::shared_ptr<prometheus::Collectable> make_process_collector() { return std::make_shared<ProcessCollector>(); }

}  // namespace mpca::prom
