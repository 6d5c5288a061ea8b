// Any bytes as a run-meta.yaml: an answer or an error, never an exception or an endless walk.
#include <cstddef>
#include <cstdint>

#include "core/result.h"
#include "runlog/run_directory.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto meta = mpca::runlog::parse_run_meta({reinterpret_cast<const char*>(data), size}, "run-meta.yaml");
  if (!meta) MPCA_CHECK(meta.error().message.starts_with("run-meta.yaml: "), "every message names the file");
  return 0;
}
