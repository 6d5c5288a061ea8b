#include <gtest/gtest.h>

#include "core/os/file.h"
#include "kube/client.h"
#include "support/certificates.h"
#include "support/fake_api_server.h"
#include "support/temporary_directory.h"

namespace mpca::kube {
namespace {

/// One authority for all tests of this file: making keys takes time.
class Tls : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ours_ = new test::TestAuthority("ours");
    ours_->sign("server", "IP:127.0.0.1,DNS:api.test");
    ours_->sign("elsewhere", "DNS:api.test");
    ours_->sign("client", "DNS:client");
    theirs_ = new test::TestAuthority("theirs");
    theirs_->sign("client", "DNS:client");
    theirs_->sign("server", "IP:127.0.0.1");
  }
  static void TearDownTestSuite() {
    delete ours_;
    delete theirs_;
  }

  static test::FakeTls server_tls(const std::string& name, const std::string& client_ca = {}) {
    return {ours_->file(name + ".pem"), ours_->file(name + ".key"), client_ca};
  }

  ApiResult<std::string> get(Connection connection) {
    Client client(std::move(connection), {.max_attempts = 1}, limit_, clock_, RandomStream(1, "tls"));
    return client.get("/api/v1/namespaces/shop/pods");
  }

  static net::Pem text_of(const std::string& file) { return {.text = os::read_file(file).value()}; }

  inline static test::TestAuthority* ours_ = nullptr;
  inline static test::TestAuthority* theirs_ = nullptr;
  RateLimit limit_{1000, 1000};
  VirtualClock clock_;
};

TEST_F(Tls, AServerOfTheGivenAuthorityIsTrustedFromAFileAndFromText) {
  test::FakeApiServer server(server_tls("server"));
  Connection connection = server.connection();
  connection.tls.ca.file = ours_->ca_file();
  EXPECT_TRUE(get(connection).has_value());
  connection.tls.ca = text_of(ours_->ca_file());
  EXPECT_TRUE(get(connection).has_value());
}

TEST_F(Tls, AServerOfAnotherAuthorityIsRefusedAndTheRequestNeverLeft) {
  test::FakeApiServer server(server_tls("server"));
  Connection connection = server.connection();
  for (const net::Pem& ca : {net::Pem{}, net::Pem{.file = theirs_->ca_file()}, text_of(theirs_->ca_file())}) {
    connection.tls.ca = ca;
    const auto answer = get(connection);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().failure, Failure::unreachable);
    EXPECT_NE(answer.error().message.find("certificate"), std::string::npos) << answer.error().message;
  }
  EXPECT_EQ(server.count("GET"), 0);
}

TEST_F(Tls, AnAuthoritysFileThatIsReplacedCountsFromTheNextConnectionOn) {
  const test::TemporaryDirectory directory;
  test::FakeApiServer server(test::FakeTls{theirs_->file("server.pem"), theirs_->file("server.key")});
  Connection connection = server.connection();
  connection.tls.ca.file = directory.file("ca.pem");
  ASSERT_TRUE(os::write_file(connection.tls.ca.file, os::read_file(ours_->ca_file()).value()));
  Client client(connection, {.max_attempts = 1}, limit_, clock_, RandomStream(1, "tls"));
  EXPECT_FALSE(client.get("/api").has_value());
  ASSERT_TRUE(os::write_file(connection.tls.ca.file, os::read_file(theirs_->ca_file()).value()));
  const auto answer = client.get("/api/v1/namespaces/shop/pods");
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
}

TEST_F(Tls, OnlyInsecureSaidInWordsTrustsAnybody) {
  test::FakeApiServer server(server_tls("elsewhere"));
  Connection connection = server.connection();
  connection.tls.insecure = true;
  EXPECT_TRUE(get(connection).has_value());
}

TEST_F(Tls, ACertificateForAnotherNameIsRefusedUnlessThatNameIsExpected) {
  test::FakeApiServer server(server_tls("elsewhere"));
  Connection connection = server.connection();
  connection.tls.ca.file = ours_->ca_file();
  EXPECT_EQ(get(connection).error().failure, Failure::unreachable);
  connection.tls.server_name = "other.test";
  EXPECT_EQ(get(connection).error().failure, Failure::unreachable);
  EXPECT_EQ(server.count("GET"), 0);
  connection.tls.server_name = "api.test";
  const auto answer = get(connection);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(server.requests().back().host, "127.0.0.1:" + std::to_string(server.port()));
}

TEST_F(Tls, AServerThatAsksForAClientCertificateGetsItFromFilesAndFromText) {
  test::FakeApiServer server(server_tls("server", ours_->ca_file()));
  Connection connection = server.connection();
  connection.tls.ca.file = ours_->ca_file();
  EXPECT_FALSE(get(connection).has_value());
  connection.tls.certificate.file = ours_->file("client.pem");
  connection.tls.key.file = ours_->file("client.key");
  EXPECT_TRUE(get(connection).has_value());
  connection.tls.certificate = text_of(ours_->file("client.pem"));
  connection.tls.key = text_of(ours_->file("client.key"));
  EXPECT_TRUE(get(connection).has_value());
  connection.tls.certificate = text_of(theirs_->file("client.pem"));
  connection.tls.key = text_of(theirs_->file("client.key"));
  EXPECT_FALSE(get(connection).has_value());
  EXPECT_EQ(server.count("GET"), 2);
}

TEST_F(Tls, AKeyThatIsNoneIsAFailureWithoutTheKeyInIt) {
  test::FakeApiServer server(server_tls("server", ours_->ca_file()));
  Connection connection = server.connection();
  connection.tls.ca.file = ours_->ca_file();
  connection.tls.certificate = text_of(ours_->file("client.pem"));
  connection.tls.key.text = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
  const auto answer = get(connection);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().message.find("c2VjcmV0"), std::string::npos) << answer.error().message;
}

}  // namespace
}  // namespace mpca::kube
