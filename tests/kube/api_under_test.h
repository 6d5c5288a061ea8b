// The API server that a suite runs against: the fake by default, and a real one too when MPCA_TEST_KUBE_SERVER is set.
// Suites make what they need through the client, in a namespace that is theirs.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/os/real_clock.h"
#include "kube/client.h"
#include "support/fake_api_server.h"

namespace mpca::test {

class ApiUnderTest {
 public:
  virtual ~ApiUnderTest() = default;
  virtual kube::Connection connection() const = 0;
  virtual std::string namespace_name() const { return "mpca-test"; }
};

class FakeApi final : public ApiUnderTest {
 public:
  FakeApi() {
    server.make_scalable("apps/v1", "Deployment", "deployments");
    server.make_scalable("apps/v1", "StatefulSet", "statefulsets");
  }
  kube::Connection connection() const override { return server.connection(); }
  FakeApiServer server;
};

/// An API server with an empty namespace `mpca-test` and all rights in it:
/// MPCA_TEST_KUBE_SERVER, …_CA (a file), …_TOKEN.
class RealApi final : public ApiUnderTest {
 public:
  static std::string setting(const std::string& name) {
    const char* value = getenv(("MPCA_TEST_KUBE_" + name).c_str());
    return value != nullptr ? value : "";
  }
  kube::Connection connection() const override {
    kube::Connection connection;
    connection.description = "real";
    connection.server = setting("SERVER");
    connection.tls.ca.file = setting("CA");
    connection.token = setting("TOKEN");
    return connection;
  }
};

inline std::unique_ptr<ApiUnderTest> make_api(const std::string& name) {
  if (name == "fake") return std::make_unique<FakeApi>();
  return std::make_unique<RealApi>();
}

inline auto apis_under_test() {
  std::vector<std::string> names = {"fake"};
  if (!RealApi::setting("SERVER").empty()) names.emplace_back("real");
  return testing::ValuesIn(names);
}

/// `…/real` picks the suites of the real one.
inline std::string api_name(const testing::TestParamInfo<std::string>& info) { return info.param; }

class ApiSuite : public testing::TestWithParam<std::string> {
 protected:
  ~ApiSuite() override {
    for (const std::string& path : made_) static_cast<void>(client.remove(path));
  }

  std::string path_of(const std::string& api, const std::string& resource, const std::string& name = {}) const {
    return api + "/namespaces/" + api_->namespace_name() + "/" + resource + (name.empty() ? "" : "/" + name);
  }
  std::string deployments(const std::string& name = {}) const { return path_of("/apis/apps/v1", "deployments", name); }

  kube::ApiResult<std::string> make_deployment(const std::string& name, int replicas) {
    auto made = client.create(deployments(), R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":")" +
                                                 name + R"(","labels":{"app":")" + name + R"("}},"spec":{"replicas":)" +
                                                 std::to_string(replicas) + R"(,"selector":{"matchLabels":{"app":")" +
                                                 name + R"("}},"template":{"metadata":{"labels":{"app":")" + name +
                                                 R"("}},"spec":{"containers":[{"name":"main","image":"none"}]}}}})");
    if (made) made_.push_back(deployments(name));
    return made;
  }
  void forget_at_end(const std::string& path) { made_.push_back(path); }

  std::unique_ptr<ApiUnderTest> api_ = make_api(GetParam());
  kube::RateLimit limit_{1000, 1000};
  os::RealClock clock_;
  kube::Client client{api_->connection(), {}, limit_, clock_, RandomStream(1, "suite")};

 private:
  std::vector<std::string> made_;
};

}  // namespace mpca::test
