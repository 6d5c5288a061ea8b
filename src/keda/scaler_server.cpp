#include "keda/scaler_server.h"

#include <external_scaler.grpc.pb.h>
#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "core/os/file.h"
#include "core/os/real_clock.h"
#include "core/text.h"

namespace mpca::keda {
namespace {

constexpr std::size_t kLargestFile = 1 << 20;
constexpr int kLargestRequest = 64 * 1024;    // a trigger's metadata are a few lines
constexpr std::size_t kMostStreams = 20'000;  // KEDA holds one for each ScaledObject with an external-push trigger
constexpr int kKeepAliveMs = 60'000;          // finds streams whose client is gone without a word
constexpr int kLeastPingIntervalMs = 5'000;   // clients may ask as often whether we are there

ScaledObject scaled_object(const externalscaler::ScaledObjectRef& request) {
  return {.namespace_name = request.namespace_(),
          .name = request.name(),
          .metadata = {request.scalermetadata().begin(), request.scalermetadata().end()}};
}

grpc::Status status_of(const Answer& answer) {
  if (!answer.refusal) return grpc::Status::OK;
  switch (*answer.refusal) {
    case Refusal::bad_request:
      return {grpc::StatusCode::INVALID_ARGUMENT, answer.message};
    case Refusal::not_found:
      return {grpc::StatusCode::NOT_FOUND, answer.message};
    case Refusal::unavailable:
      break;
  }
  return {grpc::StatusCode::UNAVAILABLE, answer.message};
}

class Service;

/// A client that wants to hear of changes. What it holds is guarded by the service's mutex.
class Stream final : public grpc::ServerWriteReactor<externalscaler::IsActiveResponse> {
 public:
  Stream(Service& service, ScaledObject object) : service_(service), object_(std::move(object)) {}

  const ScaledObject& object() const { return object_; }
  void tell(const Answer& answer) {
    if (is_finished_ || is_writing_) return;
    if (answer.refusal) return finish(status_of(answer));
    const bool is_active = answer.desired_replicas > 0;
    if (told_ == is_active) return;
    told_ = is_active;
    is_writing_ = true;
    response_.set_result(is_active);
    StartWrite(&response_);
  }
  void finish(const grpc::Status& status) {
    if (std::exchange(is_finished_, true)) return;
    Finish(status);
  }

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  Service& service_;
  const ScaledObject object_;
  externalscaler::IsActiveResponse response_;
  std::optional<bool> told_;
  bool is_writing_ = false, is_finished_ = false;
};

class Service final : public externalscaler::ExternalScaler::CallbackService {
 public:
  explicit Service(const Source& source) : source_(source) {}

  grpc::ServerUnaryReactor* IsActive(grpc::CallbackServerContext* context,
                                     const externalscaler::ScaledObjectRef* request,
                                     externalscaler::IsActiveResponse* response) override {
    const Answer found = answer(scaled_object(*request), source_);
    response->set_result(found.desired_replicas > 0);
    return finish(context, status_of(found));
  }

  grpc::ServerWriteReactor<externalscaler::IsActiveResponse>* StreamIsActive(
      grpc::CallbackServerContext*, const externalscaler::ScaledObjectRef* request) override {
    auto* stream = new Stream(*this, scaled_object(*request));  // gRPC's until OnDone
    const Answer first = answer(stream->object(), source_);
    const std::scoped_lock lock(mutex);
    if (is_closing_) {
      stream->finish(closing());
    } else if (streams.size() >= kMostStreams) {
      stream->finish({grpc::StatusCode::RESOURCE_EXHAUSTED, cat("there are ", kMostStreams, " streams already")});
    } else {
      stream->tell(first);
    }
    streams.insert(stream);
    return stream;
  }

  /// Known whether or not there is such an object: KEDA asks for it before anything else.
  grpc::ServerUnaryReactor* GetMetricSpec(grpc::CallbackServerContext* context,
                                          const externalscaler::ScaledObjectRef* request,
                                          externalscaler::GetMetricSpecResponse* response) override {
    if (const auto refusal = refuse_names(scaled_object(*request))) return finish(context, status_of(*refusal));
    externalscaler::MetricSpec& spec = *response->add_metricspecs();
    spec.set_metricname(std::string(kMetricName));
    spec.set_targetsize(kTargetSize);
    spec.set_targetsizefloat(kTargetSize);
    return finish(context, grpc::Status::OK);
  }

  grpc::ServerUnaryReactor* GetMetrics(grpc::CallbackServerContext* context,
                                       const externalscaler::GetMetricsRequest* request,
                                       externalscaler::GetMetricsResponse* response) override {
    if (request->metricname() != kMetricName)
      return finish(context, {grpc::StatusCode::INVALID_ARGUMENT, cat("the one metric is \"", kMetricName, "\"")});
    const Answer found = answer(scaled_object(request->scaledobjectref()), source_);
    if (found.refusal) return finish(context, status_of(found));
    externalscaler::MetricValue& value = *response->add_metricvalues();
    value.set_metricname(std::string(kMetricName));
    value.set_metricvalue(found.desired_replicas);
    value.set_metricvaluefloat(found.desired_replicas);
    return finish(context, grpc::Status::OK);
  }

  /// Each stream hears what is different now.
  void tell_streams() {
    const std::scoped_lock lock(mutex);
    for (Stream* stream : streams) stream->tell(answer(stream->object(), source_));
  }
  void end_streams() {
    const std::scoped_lock lock(mutex);
    is_closing_ = true;
    for (Stream* stream : streams) stream->finish(closing());
  }

  std::mutex mutex;  // of what follows
  std::set<Stream*> streams;

 private:
  static grpc::Status closing() { return {grpc::StatusCode::UNAVAILABLE, "this process does not lead any more"}; }
  static grpc::ServerUnaryReactor* finish(grpc::CallbackServerContext* context, const grpc::Status& status) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(status);
    return reactor;
  }
  const Source& source_;
  bool is_closing_ = false;
};

void Stream::OnWriteDone(bool ok) {
  const std::scoped_lock lock(service_.mutex);
  is_writing_ = false;
  if (!ok) finish({grpc::StatusCode::CANCELLED, "the client is gone"});
}
void Stream::OnCancel() {
  const std::scoped_lock lock(service_.mutex);
  finish({grpc::StatusCode::CANCELLED, "the client is gone"});
}
void Stream::OnDone() {
  {
    const std::scoped_lock lock(service_.mutex);
    service_.streams.erase(this);
  }
  delete this;
}

struct TlsFiles {
  std::string certificate, key, client_authorities;
  bool operator==(const TlsFiles&) const = default;
};

Result<TlsFiles> read_tls_files(const ScalerServerSettings& settings) {
  TlsFiles files;
  if (settings.tls_certificate.empty()) return files;
  MPCA_TRY(files.certificate, os::read_file(settings.tls_certificate, kLargestFile));
  MPCA_TRY(files.key, os::read_file(settings.tls_key, kLargestFile));
  if (!settings.tls_client_authorities.empty()) {
    MPCA_TRY(files.client_authorities, os::read_file(settings.tls_client_authorities, kLargestFile));
  }
  return files;
}

std::shared_ptr<grpc::ServerCredentials> credentials(const TlsFiles& files) {
  if (files.certificate.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options(files.client_authorities.empty()
                                                ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                                : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = files.client_authorities;
  options.pem_key_cert_pairs = {{files.key, files.certificate}};
  return grpc::SslServerCredentials(options);
}

/// An open port, with its streams.
struct OpenServer {
  explicit OpenServer(const Source& source) : service(source) {}
  ~OpenServer() {
    service.end_streams();
    if (server == nullptr) return;
    server->Shutdown(gpr_inf_past(GPR_CLOCK_MONOTONIC));  // with no patience: an answer takes microseconds
    server->Wait();
  }
  Service service;  // outlives `server`, whose calls are its
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

Result<std::unique_ptr<OpenServer>> open(const std::string& address, const TlsFiles& tls, const Source& source) {
  auto opened = std::make_unique<OpenServer>(source);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, credentials(tls), &opened->port);
  builder.RegisterService(&opened->service);
  builder.SetMaxReceiveMessageSize(kLargestRequest);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // else two processes share a port, each unaware
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepAliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kLeastPingIntervalMs);
  opened->server = builder.BuildAndStart();
  if (opened->server == nullptr || opened->port == 0) {
    const std::string why = tls.certificate.empty() ? "" : ", or certificate and key are none that go together";
    return fail(ErrorCode::io,
                cat("--keda-listen: cannot listen on ", address, ": it is in use or no address of this machine", why));
  }
  return opened;
}

/// Whether gRPC takes these: by a port that is not for clients and closes at once. Only gRPC itself knows all that it
/// asks of a chain, a key and authorities.
Result<void> try_tls(const std::string& host, const TlsFiles& tls, const Source& source) {
  if (open(cat(host, ":0"), tls, source)) return {};
  return invalid(
      "--keda-tls-cert and --keda-tls-key (or --keda-tls-ca) are changed and cannot be used: none that go together; "
      "those before stay in use until they can");
}

}  // namespace

/// Opens and closes the port as the process begins and ceases to lead.
struct ScalerServer::Impl {
  Impl(const ScalerServerSettings& given, Source given_source, std::function<void(const std::string&)> given_log)
      : settings(given), source(std::move(given_source)), log(std::move(given_log)) {}

  const ScalerServerSettings settings;
  const Source source;
  const std::function<void(const std::string&)> log;
  std::string host, address;
  int port = 0;
  TlsFiles tls;  // the newest that could be used
  std::unique_ptr<OpenServer> server;
  std::string told_trouble;
  std::optional<Duration> files_read_at;
  std::mutex mutex;
  std::condition_variable_any wake;
  std::jthread thread;

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      look();
      std::unique_lock lock(mutex);
      wake.wait_for(lock, stop, settings.look_every, [] { return false; });
    }
    server.reset();
  }
  void look() {
    if (!source.is_leading()) {
      server.reset();
      return;
    }
    const Duration now = os::monotonic_now();
    if (server == nullptr || now - *files_read_at >= settings.files_read_every) {
      files_read_at = now;
      if (const auto opened = keep_open(); !opened) {
        if (opened.error().message != told_trouble) log(opened.error().message);
        told_trouble = opened.error().message;
      } else {
        told_trouble.clear();
      }
    }
    if (server != nullptr) server->service.tell_streams();
  }
  Result<void> keep_open() {
    const auto taken = take_files();
    if (server == nullptr) {
      MPCA_TRY(server, open(address, tls, source));
    }
    return taken;
  }
  /// The files as they are now; while they cannot be read or used, nothing is different.
  Result<void> take_files() {
    MPCA_TRY(TlsFiles files, read_tls_files(settings));
    if (files == tls) return {};
    MPCA_TRY_VOID(try_tls(host, files, source));
    tls = std::move(files);
    server.reset();  // what was wrong with them would have been found while it is open
    return {};
  }
};

ScalerServer::ScalerServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ScalerServer::ScalerServer(ScalerServer&&) noexcept = default;
ScalerServer& ScalerServer::operator=(ScalerServer&&) noexcept = default;
ScalerServer::~ScalerServer() = default;
int ScalerServer::port() const { return impl_->port; }

Result<ScalerServer> ScalerServer::start(const ScalerServerSettings& settings, Source source,
                                         std::function<void(const std::string&)> log) {
  MPCA_TRY_VOID(check(settings));
  const std::size_t colon = settings.listen.rfind(':');
  auto impl = std::make_unique<Impl>(settings, std::move(source), std::move(log));
  impl->host = colon == 0 ? "[::]" : settings.listen.substr(0, colon);
  impl->address = impl->host + settings.listen.substr(colon);
  MPCA_TRY(impl->tls, read_tls_files(settings));
  // Opened once in any case: what is wrong is said at the start, and not when this process comes to lead.
  MPCA_TRY(impl->server, open(impl->address, impl->tls, impl->source));
  impl->files_read_at = os::monotonic_now();
  impl->port = impl->server->port;
  impl->address = cat(impl->host, ":", impl->port);
  impl->look();
  impl->thread = std::jthread([raw = impl.get()](const std::stop_token& stop) { raw->run(stop); });
  return ScalerServer(std::move(impl));
}

}  // namespace mpca::keda
