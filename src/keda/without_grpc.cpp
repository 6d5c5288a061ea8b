// In place of scaler_server.cpp where there is no gRPC to build with.
#include "keda/scaler_server.h"

namespace mpca::keda {

struct ScalerServer::Impl {};
ScalerServer::ScalerServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ScalerServer::ScalerServer(ScalerServer&&) noexcept = default;
ScalerServer& ScalerServer::operator=(ScalerServer&&) noexcept = default;
ScalerServer::~ScalerServer() = default;
int ScalerServer::port() const { return 0; }

// The other one keeps what it is given, so this one takes it in the same way.
// NOLINTBEGIN(performance-unnecessary-value-param)
Result<ScalerServer> ScalerServer::start(const ScalerServerSettings& settings, Source,
                                         std::function<void(const std::string&)>) {
  // NOLINTEND(performance-unnecessary-value-param)
  MPCA_TRY_VOID(check(settings));
  return fail(ErrorCode::unsupported,
              "--keda-listen: this program was built without gRPC; with libgrpc++-dev, libprotobuf-dev and "
              "protobuf-compiler-grpc installed, build it again");
}

}  // namespace mpca::keda
