// Asks an external scaler as KEDA does, for the tests of the program: ask_scaler HOST:PORT NAMESPACE NAME prints
// `active METRIC VALUE of TARGET`, or gRPC's error, and ends with 1 then. Waits ten seconds for the port.
#include <external_scaler.grpc.pb.h>
#include <grpcpp/grpcpp.h>

#include <iostream>

namespace {

using namespace externalscaler;

/// Ends the program when it is no success.
void need(const grpc::Status& status) {
  if (status.ok()) return;
  std::cout << "error " << status.error_code() << ": " << status.error_message() << '\n';
  std::exit(1);
}

template <class Call>
void ask(Call call) {
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(10, GPR_TIMESPAN)));
  need(call(&context));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: ask_scaler HOST:PORT NAMESPACE NAME\n";
    return 2;
  }
  const auto stub = ExternalScaler::NewStub(grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials()));
  ScaledObjectRef object;
  object.set_namespace_(argv[2]);
  object.set_name(argv[3]);
  IsActiveResponse active;
  ask([&](grpc::ClientContext* context) { return stub->IsActive(context, object, &active); });
  GetMetricSpecResponse specs;
  ask([&](grpc::ClientContext* context) { return stub->GetMetricSpec(context, object, &specs); });
  for (const MetricSpec& spec : specs.metricspecs()) {
    GetMetricsRequest request;
    *request.mutable_scaledobjectref() = object;
    request.set_metricname(spec.metricname());
    GetMetricsResponse metrics;
    ask([&](grpc::ClientContext* context) { return stub->GetMetrics(context, request, &metrics); });
    for (const MetricValue& value : metrics.metricvalues())
      std::cout << (active.result() ? "active " : "idle ") << value.metricname() << ' ' << value.metricvaluefloat()
                << " of " << spec.targetsizefloat() << '\n';
  }
  return 0;
}
