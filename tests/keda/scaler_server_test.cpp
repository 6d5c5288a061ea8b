// The external scaler over the wire, asked by gRPC's own client as KEDA asks it.
#include "keda/scaler_server.h"

#include <external_scaler.grpc.pb.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "core/os/file.h"
#include "core/os/real_clock.h"
#include "core/text.h"
#include "support/certificates.h"

namespace mpca::keda {
namespace {

using namespace std::chrono_literals;
using externalscaler::ExternalScaler;

/// What a controller knows, as far as a test says.
struct Known {
  std::atomic<bool> leads = true;
  std::atomic<int> replicas = 7;
  std::atomic<int> age_s = 1;
  std::atomic<int> looks = 0;  // of the server, whether this leads
  Source source() {
    return {.is_leading =
                [this] {
                  ++looks;
                  return leads.load();
                },
            .find = [this](const std::string& namespace_name, const std::string& name) -> std::optional<LastDecision> {
              if (namespace_name != "shop" || name != "web") return std::nullopt;
              return LastDecision{.desired_replicas = replicas, .age = age_s.load() * 1s, .period = 15s};
            }};
  }
};

externalscaler::ScaledObjectRef object(const std::string& autoscaler = "web") {
  externalscaler::ScaledObjectRef ref;
  ref.set_name("web-scaler");
  ref.set_namespace_("shop");
  (*ref.mutable_scalermetadata())["autoscaler"] = autoscaler;
  (*ref.mutable_scalermetadata())["scalerAddress"] = "mpc-autoscaler-keda.mpc-system:9443";
  return ref;
}

/// Waits for a port that opens while it waits, and for none longer than ten seconds.
void be_patient(grpc::ClientContext& context) {
  context.set_wait_for_ready(true);
  context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(10, GPR_TIMESPAN)));
}

class ScalerServerTest : public testing::Test {
 protected:
  void start(ScalerServerSettings settings = {}) {
    settings.listen = "127.0.0.1:0";
    auto started = ScalerServer::start(settings, known.source(), [this](const std::string& line) {
      const std::scoped_lock lock(log_mutex);
      log.push_back(line);
    });
    ASSERT_TRUE(started) << started.error().message;
    server = *std::move(started);
    stub = client(grpc::InsecureChannelCredentials());
  }
  std::unique_ptr<ExternalScaler::Stub> client(const std::shared_ptr<grpc::ChannelCredentials>& credentials) const {
    grpc::ChannelArguments arguments;  // a channel of its own: the connections of others are not taken over
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
    return ExternalScaler::NewStub(
        grpc::CreateCustomChannel(cat("127.0.0.1:", server->port()), credentials, arguments));
  }
  grpc::Status is_active(const externalscaler::ScaledObjectRef& request, externalscaler::IsActiveResponse& response,
                         bool waits = true) const {
    grpc::ClientContext context;
    be_patient(context);
    context.set_wait_for_ready(waits);
    return stub->IsActive(&context, request, &response);
  }
  grpc::Status metrics(const std::string& name, externalscaler::GetMetricsResponse& response) const {
    grpc::ClientContext context;
    be_patient(context);
    externalscaler::GetMetricsRequest request;
    *request.mutable_scaledobjectref() = object();
    request.set_metricname(name);
    return stub->GetMetrics(&context, request, &response);
  }

  std::vector<std::string> logged() {
    const std::scoped_lock lock(log_mutex);
    return log;
  }
  /// The server has looked at everything this often since.
  void wait_for_looks(int count) {
    os::RealClock clock;
    for (const int until = known.looks + count; known.looks < until;) clock.sleep_until(clock.now() + 1ms);
  }

  Known known;
  std::mutex log_mutex;
  std::vector<std::string> log;
  std::optional<ScalerServer> server;
  std::unique_ptr<ExternalScaler::Stub> stub;
};

TEST_F(ScalerServerTest, TheMetricIsTheReplicasWithATargetOfOne) {
  start();
  grpc::ClientContext context;
  be_patient(context);
  externalscaler::GetMetricSpecResponse spec;
  ASSERT_TRUE(stub->GetMetricSpec(&context, object(), &spec).ok());
  ASSERT_EQ(spec.metricspecs_size(), 1);
  EXPECT_EQ(spec.metricspecs(0).metricname(), "mpca-replicas");
  EXPECT_EQ(spec.metricspecs(0).targetsize(), 1);
  EXPECT_EQ(spec.metricspecs(0).targetsizefloat(), 1.0);

  externalscaler::GetMetricsResponse found;
  ASSERT_TRUE(metrics(spec.metricspecs(0).metricname(), found).ok());
  ASSERT_EQ(found.metricvalues_size(), 1);
  EXPECT_EQ(found.metricvalues(0).metricname(), "mpca-replicas");
  EXPECT_EQ(found.metricvalues(0).metricvalue(), 7);
  EXPECT_EQ(found.metricvalues(0).metricvaluefloat(), 7.0);
}

TEST_F(ScalerServerTest, ActiveIsWhateverWantsReplicas) {
  start();
  externalscaler::IsActiveResponse response;
  ASSERT_TRUE(is_active(object(), response).ok());
  EXPECT_TRUE(response.result());
  known.replicas = 0;
  ASSERT_TRUE(is_active(object(), response).ok());
  EXPECT_FALSE(response.result());
}

TEST_F(ScalerServerTest, EachRefusalHasItsCodeAndASentence) {
  start();
  externalscaler::IsActiveResponse response;
  externalscaler::GetMetricsResponse found;
  EXPECT_EQ(is_active(object("api"), response).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(is_active(object("../web"), response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(metrics("cpu", found).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  known.age_s = 61;
  const grpc::Status old = metrics("mpca-replicas", found);
  EXPECT_EQ(old.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(old.error_message(),
            "the last decision for PredictiveAutoscaler shop/web is older than 1m; its conditions say why");
  grpc::ClientContext context;
  be_patient(context);
  externalscaler::GetMetricSpecResponse spec;
  EXPECT_TRUE(stub->GetMetricSpec(&context, object("api"), &spec).ok()) << "the spec is known whatever the object is";
}

TEST_F(ScalerServerTest, ARequestThatIsTooLargeIsRefused) {
  start();
  externalscaler::ScaledObjectRef large = object();
  (*large.mutable_scalermetadata())["x"] = std::string(1 << 20, 'x');
  externalscaler::IsActiveResponse response;
  EXPECT_EQ(is_active(large, response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(is_active(object(), response).ok()) << "and others are answered as before";
}

TEST_F(ScalerServerTest, AStreamTellsWhatIsSoAndThenWhatChanges) {
  start();
  grpc::ClientContext context;
  be_patient(context);
  const auto reader = stub->StreamIsActive(&context, object());
  externalscaler::IsActiveResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_TRUE(response.result());
  known.replicas = 0;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_FALSE(response.result());
  known.age_s = 1000;
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ScalerServerTest, AnEndWithOpenStreamsTellsThem) {
  start();
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<externalscaler::IsActiveResponse>>> readers;
  externalscaler::IsActiveResponse response;
  for (int i = 0; i < 20; ++i) {
    be_patient(*contexts.emplace_back(std::make_unique<grpc::ClientContext>()));
    readers.push_back(stub->StreamIsActive(contexts.back().get(), object()));
    ASSERT_TRUE(readers.back()->Read(&response));
  }
  contexts.front()->TryCancel();
  EXPECT_EQ(readers.front()->Finish().error_code(), grpc::StatusCode::CANCELLED);
  server.reset();
  for (std::size_t i = 1; i < readers.size(); ++i) {
    EXPECT_FALSE(readers[i]->Read(&response));
    EXPECT_EQ(readers[i]->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  }
}

TEST_F(ScalerServerTest, ThePortIsOpenWhileThisProcessLeadsAndNoLonger) {
  known.leads = false;
  start();
  externalscaler::IsActiveResponse response;
  const grpc::Status closed = is_active(object(), response, false);
  EXPECT_EQ(closed.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_NE(closed.error_message().find("connect"), std::string::npos) << closed.error_message();
  known.leads = true;
  ASSERT_TRUE(is_active(object(), response).ok());

  grpc::ClientContext context;
  be_patient(context);
  const auto reader = stub->StreamIsActive(&context, object());
  ASSERT_TRUE(reader->Read(&response));
  known.leads = false;
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ScalerServerTest, TwoDoNotShareAPort) {
  start();
  ScalerServerSettings same;
  same.listen = cat("127.0.0.1:", server->port());
  const auto second = ScalerServer::start(same, known.source(), {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, cat("--keda-listen: cannot listen on 127.0.0.1:", server->port(),
                                        ": it is in use or no address of this machine"));
}

class ScalerServerTlsTest : public ScalerServerTest {
 protected:
  ScalerServerTlsTest() {
    authority.sign("server", "IP:127.0.0.1");
    authority.sign("keda", "DNS:keda");
  }
  ScalerServerSettings tls(const std::string& authorities = {}) const {
    return {.listen = {},
            .tls_certificate = authority.file("server.pem"),
            .tls_key = authority.file("server.key"),
            .tls_client_authorities = authorities};
  }
  std::string text(const std::string& name) const { return os::read_file(authority.file(name)).value(); }
  grpc::Status ask(const std::shared_ptr<grpc::ChannelCredentials>& credentials) const {
    grpc::ClientContext context;
    be_patient(context);
    context.set_wait_for_ready(false);
    externalscaler::IsActiveResponse response;
    return client(credentials)->IsActive(&context, object(), &response);
  }
  test::TestAuthority authority;
};

TEST_F(ScalerServerTlsTest, WithACertificateThereIsNoPlaintext) {
  start(tls());
  EXPECT_TRUE(
      ask(grpc::SslCredentials({.pem_root_certs = text("ca.pem"), .pem_private_key = {}, .pem_cert_chain = {}})).ok());
  EXPECT_EQ(ask(grpc::InsecureChannelCredentials()).error_code(), grpc::StatusCode::UNAVAILABLE);
  const test::TestAuthority other("other-ca");
  EXPECT_EQ(
      ask(grpc::SslCredentials(
              {.pem_root_certs = os::read_file(other.ca_file()).value(), .pem_private_key = {}, .pem_cert_chain = {}}))
          .error_code(),
      grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ScalerServerTlsTest, WithAuthoritiesClientsHaveToShowACertificate) {
  start(tls(authority.ca_file()));
  EXPECT_TRUE(ask(grpc::SslCredentials({.pem_root_certs = text("ca.pem"),
                                        .pem_private_key = text("keda.key"),
                                        .pem_cert_chain = text("keda.pem")}))
                  .ok());
  EXPECT_EQ(ask(grpc::SslCredentials({.pem_root_certs = text("ca.pem"), .pem_private_key = {}, .pem_cert_chain = {}}))
                .error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ScalerServerTlsTest, FilesThatDoNotGoTogetherAreSaidAtTheStart) {
  ScalerServerSettings settings = tls();
  settings.listen = "127.0.0.1:0";
  settings.tls_key = authority.file("keda.key");
  known.leads = false;
  const auto mixed = ScalerServer::start(settings, known.source(), {});
  ASSERT_FALSE(mixed);
  EXPECT_NE(mixed.error().message.find("certificate and key are none that go together"), std::string::npos);
  settings.tls_key = authority.file("none.key");
  const auto missing = ScalerServer::start(settings, known.source(), {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, cat("file not found: ", authority.file("none.key")));
}

TEST_F(ScalerServerTlsTest, ARotationKeepsTheOldPairUntilTheNewOneIsWhole) {
  const test::TestAuthority next("next-ca");
  next.sign("server", "IP:127.0.0.1");
  const auto trusting = [](const test::TestAuthority& one) {
    return grpc::SslCredentials(
        {.pem_root_certs = os::read_file(one.ca_file()).value(), .pem_private_key = {}, .pem_cert_chain = {}});
  };
  const auto rotate = [&](const std::string& file) {
    ASSERT_TRUE(os::write_file(authority.file(file), os::read_file(next.file(file)).value()));
  };
  ScalerServerSettings settings = tls();
  settings.look_every = 5ms;
  settings.files_read_every = 0s;
  start(settings);
  ASSERT_TRUE(ask(trusting(authority)).ok());
  EXPECT_FALSE(ask(trusting(next)).ok());

  // The certificate is there and its key is not yet.
  grpc::ClientContext context;
  be_patient(context);
  const auto old_client = client(trusting(authority));
  const auto reader = old_client->StreamIsActive(&context, object());
  externalscaler::IsActiveResponse response;
  ASSERT_TRUE(reader->Read(&response));
  rotate("server.pem");
  wait_for_looks(10);
  EXPECT_TRUE(ask(trusting(authority)).ok());
  known.replicas = 0;
  ASSERT_TRUE(reader->Read(&response)) << "not even its connections were closed";
  EXPECT_FALSE(response.result());
  EXPECT_EQ(logged(),
            std::vector<std::string>{
                "--keda-tls-cert and --keda-tls-key (or --keda-tls-ca) are changed and cannot be used: none "
                "that go together; those before stay in use until they can"})
      << "and once";
  // Whoever comes to lead now has the old pair, too.
  known.leads = false;
  wait_for_looks(2);
  known.leads = true;
  wait_for_looks(3);
  EXPECT_TRUE(ask(trusting(authority)).ok());

  rotate("server.key");
  wait_for_looks(10);
  EXPECT_TRUE(ask(trusting(next)).ok());
  EXPECT_FALSE(ask(trusting(authority)).ok());
  EXPECT_EQ(logged().size(), 1u);
}

}  // namespace
}  // namespace mpca::keda
