#include "mpc-autoscaler/preset_changes.h"

#include "config/duration_file.h"
#include "core/text.h"

namespace mpca::app {

Result<std::vector<std::string>> with_files_read(const std::vector<std::string>& changes) {
  std::vector<std::string> read;
  for (const std::string& change : changes) {
    const std::size_t at = change.find("=@");
    if (at == std::string::npos) {
      read.push_back(change);
      continue;
    }
    MPCA_TRY(const std::string lags, config::resolve_duration_text(change.substr(at + 1)));
    read.push_back(cat(change.substr(0, at), "=", lags));
  }
  return read;
}

}  // namespace mpca::app
