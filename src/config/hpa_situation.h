// What one sync of an HPA meets: scale, pods, answers of the metrics APIs, and the status and memory from before. The
// shapes are those of the conformance scenarios (tests/data/hpa), whose `initial` and ticks this reads; `hpa explain
// --state` reads the same.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/document.h"
#include "hpa/autoscaler.h"

namespace mpca::config {

struct HpaScale {
  std::int32_t spec_replicas = 0;
  std::int32_t status_replicas = 0;
  std::string selector = "app=web";
};

/// A pod of the namespace with all that any metric may ask about it.
struct HpaPod {
  std::string name;
  std::string namespace_name;  // empty: the HPA's
  hpa::Labels labels;
  hpa::Pod pod;
  hpa::PodRequests cpu;
  hpa::PodRequests memory;
};

/// What the metrics API answered for one metric, by pod name.
struct HpaAnswer {
  struct PodItem {
    std::string pod;
    TimePoint timestamp;
    Duration window{};
    std::int64_t value_milli = 0;  // of a Pods metric
    std::vector<hpa::ContainerUsage> cpu;
    std::vector<hpa::ContainerUsage> memory;
  };
  bool failed = false;
  std::vector<PodItem> pods;
  std::vector<std::int64_t> values_milli;
};

struct HpaOther {
  std::string namespace_name;
  std::string name;
  std::string selector;
};

// Readers of the shapes. `now` is the default of time stamps.
void read_scale(const Fields& fields, HpaScale& scale);
hpa::Status read_scenario_status(const Fields& fields);
hpa::Memory read_memory(const Fields& fields);
hpa::ControllerSettings read_controller(const Fields& fields);
std::vector<HpaPod> read_pods(const Fields& parent, std::string_view key);
std::vector<HpaAnswer> read_answers(const Fields& parent, std::string_view key, TimePoint now);
std::vector<HpaOther> read_other_hpas(const Fields& parent, std::string_view key);

/// Names to places: what the twin is called with. Holds the memory that the input's spans look into.
class PreparedSync {
 public:
  ///   pods     of the namespace; those that the selector matches are taken, in this order
  PreparedSync(const hpa::Spec& spec, const hpa::ControllerSettings& settings, const std::string& namespace_name,
               const HpaScale& scale, const std::vector<HpaPod>& pods, const std::vector<HpaAnswer>& answers,
               const std::vector<HpaOther>& others, TimePoint now);
  PreparedSync(const PreparedSync&) = delete;
  PreparedSync& operator=(const PreparedSync&) = delete;

  hpa::SyncInput input;
  std::vector<std::string> pod_names;  // of input.pods

 private:
  void add_answer(const hpa::MetricSpec& metric, const hpa::ControllerSettings& settings, const HpaAnswer* answer,
                  const std::vector<const HpaPod*>& chosen, const std::map<std::string_view, int>& place_of);

  std::vector<hpa::Pod> pods_;
  std::vector<hpa::MetricAnswer> answers_;
  std::vector<std::vector<hpa::PodSample>> samples_;
  std::vector<std::vector<std::int64_t>> numbers_;
};

}  // namespace mpca::config
