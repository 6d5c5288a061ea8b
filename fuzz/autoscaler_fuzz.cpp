// Any bytes as PredictiveAutoscaler objects: what is accepted is a policy that can be made and bounds that hold. And as
// a status: what was read is read again from what is written of it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/document.h"
#include "config/predictive_autoscaler.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mpca;
  using namespace mpca::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto objects = parse_autoscalers(text, "f"))
    for (const AutoscalerObject& object : *objects) {
      MPCA_CHECK(policy::validate(object.workload).has_value(), "bounds hold");
      MPCA_CHECK(policy::create_policy(object.policy, object.workload, "f").has_value(), "a policy that can be made");
      MPCA_CHECK(object.load.prometheus.has_value() != object.load.scrape.has_value(), "one source");
    }
  if (const auto status = parse_status(text)) {
    const auto body = parse_json(status_apply_body({}, *status));
    MPCA_CHECK(body.has_value(), "a body is JSON");
    const auto again = parse_status(json_text(*body->find("status")));
    MPCA_CHECK(again.has_value() && *again == *status, "a status is what it was");
  }
  return 0;
}
