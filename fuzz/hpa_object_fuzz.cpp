// An HPA object from anywhere: YAML or JSON, refused or read; what is read plays one sync and comes back as a policy's
// settings without a crash.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/hpa_object.h"
#include "hpa/autoscaler.h"
#include "policy/hpa/hpa_settings.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto object = mpca::config::parse_hpa_object(text, "fuzz");
  if (!object) return 0;
  mpca::hpa::HorizontalPodAutoscaler twin(object->spec, {}, object->status.value_or(mpca::hpa::Status{}));
  mpca::hpa::SyncInput input;
  input.spec_replicas = 3;
  twin.sync(input);
  (void)mpca::policy::hpa_settings_text(object->spec, "fuzz");
  return 0;
}
