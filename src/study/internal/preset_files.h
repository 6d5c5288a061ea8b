// The presets' files, as they are in presets/.
#pragma once

#include <span>
#include <string_view>

namespace mpca::study::internal {

struct PresetFile {
  std::string_view name;
  std::string_view content;
};

std::span<const PresetFile> preset_files();

}  // namespace mpca::study::internal
