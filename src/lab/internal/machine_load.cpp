#include "lab/internal/machine_load.h"

#include "core/os/file.h"
#include "core/text.h"

namespace mpca::lab::internal {

std::optional<CpuTicks> read_cpu_ticks() {
  const auto text = os::read_file("/proc/stat");
  if (!text) return std::nullopt;
  // cpu  user nice system idle iowait irq softirq steal …
  const std::string_view line = std::string_view(*text).substr(0, text->find('\n'));
  CpuTicks ticks;
  int column = 0;
  for (const std::string_view word : split(line, ' ')) {
    const auto value = parse_double(word);
    if (!value) continue;
    const auto count = static_cast<std::uint64_t>(*value);
    const bool is_idle = column == 3 || column == 4;
    if (column < 8) {
      ticks.total += count;
      if (!is_idle) ticks.busy += count;
    }
    ++column;
  }
  if (column < 5) return std::nullopt;
  return ticks;
}

double busy_fraction(const CpuTicks& from, const CpuTicks& to) {
  const std::uint64_t total = to.total - from.total;
  return total == 0 ? 0.0 : static_cast<double>(to.busy - from.busy) / static_cast<double>(total);
}

}  // namespace mpca::lab::internal
