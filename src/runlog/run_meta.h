// Writes run-meta.yaml: what a run was, in the reference lab's keys and their order. parse_run_meta() of
// run_directory.h reads it back. Write it last, whole, with os::write_file(): its presence says that the run came to an
// end.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace mpca::runlog {

/// A text (written in quotes), a number or a truth value.
class RunMetaValue {
 public:
  RunMetaValue(std::string_view text) : yaml_(quoted(text)) {}                     // NOLINT: implicit on purpose,
  RunMetaValue(const std::string& text) : RunMetaValue(std::string_view(text)) {}  // NOLINT: set("key", value)
  RunMetaValue(const char* text) : RunMetaValue(std::string_view(text)) {}         // NOLINT
  RunMetaValue(bool value) : yaml_(value ? "true" : "false") {}                    // NOLINT
  RunMetaValue(std::integral auto value) : yaml_(std::to_string(value)) {}         // NOLINT
  /// Not finite: null.
  RunMetaValue(double value);  // NOLINT

  const std::string& yaml() const { return yaml_; }

 private:
  static std::string quoted(std::string_view text);
  std::string yaml_;
};

class RunMetaDocument {
 public:
  /// `path` is a key (`mpc_alpha`) or a section and a key (`git.commit`). Setting one again replaces its value. A
  /// section cannot be a key as well (MPCA_CHECK).
  void set(std::string_view path, RunMetaValue value);

  struct Entry {
    std::string section;  // empty at the top level
    std::string key;
    RunMetaValue value;
  };
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

/// Keys of the lab in its order whatever the order of set(), then all others in theirs.
std::string run_meta_yaml(const RunMetaDocument& document);

/// `2026-01-01T00:00:00Z`, the form of started_at_utc and finished_at_utc; fractions of a second are dropped.
std::string run_meta_time(TimePoint time);

}  // namespace mpca::runlog
