// A HorizontalPodAutoscaler object (autoscaling/v2) as users have it: a file for `kubectl apply`, or what
// `kubectl get hpa NAME -o yaml` prints, status included. Checked as the API server checks it (Kubernetes 1.35,
// pkg/apis/autoscaling/validation), every problem at once with its field.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/document.h"
#include "core/result.h"
#include "hpa/autoscaler.h"
#include "hpa/spec.h"

namespace mpca::config {

struct HpaObject {
  std::string namespace_name;  // empty when not given
  std::string name;
  std::string target_kind;
  std::string target_name;
  hpa::Spec spec;                     // as written, without the API's defaults
  std::optional<hpa::Status> status;  // of a live object
};

/// Which objects are refused. The controller itself answers also to some that the API server would not store.
enum class HpaChecks { as_api_server, only_readable };

/// YAML or JSON. Of a stream of several documents, or of a List, the one HorizontalPodAutoscaler in it.
///
///   where    what each message begins with: the file
///   errors   invalid_argument  not readable, none or several such objects, any field that is refused
Result<HpaObject> parse_hpa_object(std::string_view text, std::string_view where);
Result<HpaObject> load_hpa_object(const std::string& path);

/// One object, or only its spec, of a tree that has been read. Problems are noted in the fields' list.
HpaObject read_hpa_object(const Fields& object, HpaChecks checks);
hpa::Spec read_hpa_spec(const Fields& spec, HpaChecks checks);

/// `status` of a live object. Times are RFC 3339.
hpa::Status read_hpa_status(const Fields& status);

}  // namespace mpca::config
