#include "config/kubeconfig.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/os/file.h"
#include "support/temporary_directory.h"

namespace mpca::config {
namespace {

// `-----BEGIN X-----` in base64.
constexpr const char* kPem = "LS0tLS1CRUdJTiBYLS0tLS0=";

class Kubeconfig : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    EXPECT_TRUE(os::write_file(directory.file(name), text).has_value());
    return directory.file(name);
  }
  std::string plugin(const std::string& script) {
    const std::string path = write("plugin", "#!/bin/sh\n" + script);
    chmod(path.c_str(), 0755);
    return path;
  }
  /// One context whose user is `user`, in flow style.
  std::string with_user(const std::string& user) {
    return write("config",
                 "contexts: [{name: c, context: {cluster: k, user: u}}]\ncurrent-context: c\n"
                 "clusters: [{name: k, cluster: {server: 'https://a:6443'}}]\n"
                 "users: [{name: u, user: " +
                     user + "}]\n");
  }
  std::string message_of(const std::string& file) {
    const auto connection = load_kubeconfig({file});
    if (connection) return "";
    std::string message = connection.error().message;
    for (std::size_t at; (at = message.find(directory.path())) != std::string::npos;)
      message.replace(at, directory.path().size(), "DIR");
    return message;
  }

  test::TemporaryDirectory directory;
};

TEST_F(Kubeconfig, TheCurrentContextIsReadWithFilesRelativeToIt) {
  write("ca.pem", "CA");
  write("me.pem", "C");
  write("me.key", "K");
  const std::string file = write("config", R"(
apiVersion: v1
kind: Config
current-context: dev
contexts:
- {name: prod, context: {cluster: big, user: boss}}
- {name: dev, context: {cluster: small, user: me, namespace: shop}}
clusters:
- name: small
  cluster: {server: "https://10.0.0.1:6443", certificate-authority: ca.pem, tls-server-name: api.test, proxy-url: "http://p:3128"}
- name: big
  cluster: {server: "https://big:6443", insecure-skip-tls-verify: true}
users:
- name: me
  user: {client-certificate: me.pem, client-key: me.key}
- name: boss
  user: {token: 12345678901234567890123, tokenFile: /var/token}
)");
  const auto dev = load_kubeconfig({file});
  ASSERT_TRUE(dev.has_value()) << dev.error().message;
  EXPECT_EQ(dev->description, "context \"dev\"");
  EXPECT_EQ(dev->server, "https://10.0.0.1:6443");
  EXPECT_EQ(dev->tls.ca.file, directory.file("ca.pem"));
  EXPECT_EQ(dev->tls.certificate.file, directory.file("me.pem"));
  EXPECT_EQ(dev->tls.key.file, directory.file("me.key"));
  EXPECT_EQ(dev->tls.server_name, "api.test");
  EXPECT_FALSE(dev->tls.insecure);
  EXPECT_EQ(dev->proxy, "http://p:3128");
  EXPECT_EQ(dev->default_namespace, "shop");
  const auto prod = load_kubeconfig({file}, "prod");
  ASSERT_TRUE(prod.has_value()) << prod.error().message;
  EXPECT_TRUE(prod->tls.insecure);
  EXPECT_EQ(prod->token, "12345678901234567890123");  // digits are a token, too
  EXPECT_EQ(prod->token_file, "/var/token");
  EXPECT_EQ(prod->default_namespace, "default");
}

TEST_F(Kubeconfig, EmbeddedCertificatesComeBeforeFiles) {
  const std::string file = with_user(std::string("{client-certificate-data: ") + kPem + ", client-key-data: " + kPem +
                                     ", client-certificate: nowhere}");
  const auto connection = load_kubeconfig({file});
  ASSERT_TRUE(connection.has_value()) << connection.error().message;
  EXPECT_EQ(connection->tls.certificate.text, "-----BEGIN X-----");
  EXPECT_EQ(connection->tls.key.text, "-----BEGIN X-----");
  EXPECT_EQ(connection->tls.certificate.file, "");
}

TEST_F(Kubeconfig, OfSeveralFilesTheFirstWinsAndMissingOnesArePassedOver) {
  const std::string first = write("first", "current-context: c\nusers: [{name: u, user: {token: one}}]\n");
  const std::string second = write("second",
                                   "current-context: other\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                                   "clusters: [{name: k, cluster: {server: 'https://a'}}]\n"
                                   "users: [{name: u, user: {token: two}}]\n");
  const auto connection = load_kubeconfig({first, directory.file("missing"), second});
  ASSERT_TRUE(connection.has_value()) << connection.error().message;
  EXPECT_EQ(connection->token, "one");
  EXPECT_EQ(load_kubeconfig({directory.file("missing")}).error().code, ErrorCode::not_found);
}

TEST_F(Kubeconfig, FilesAreThoseOfTheVariableOrTheOneAtHome) {
  using Files = std::vector<std::string>;
  EXPECT_EQ(kubeconfig_files("/a::/b:/a", "/home/me"), (Files{"/a", "/b"}));
  EXPECT_EQ(kubeconfig_files("", "/home/me"), Files{"/home/me/.kube/config"});
  EXPECT_TRUE(kubeconfig_files("", "").empty());
}

TEST_F(Kubeconfig, EveryProblemIsToldWithFileAndFieldAndNoSecret) {
  const std::string file = write("config", R"(
contexts: [{name: c, context: {cluster: k, user: u}}]
current-context: c
clusters: [{name: k, cluster: {server: 10.0.0.1, certificate-authority: nowhere.pem, insecure-skip-tls-verify: "yes"}}]
users: [{name: u, user: {client-key-data: c2VjcmV0, token: {a: secret}, username: me, as: you}}]
)");
  EXPECT_EQ(message_of(file),
            "DIR/config: clusters[0].cluster.server must begin with https:// or http://\n"
            "DIR/config: clusters[0].cluster.certificate-authority cannot be read: file not found: DIR/nowhere.pem\n"
            "DIR/config: clusters[0].cluster.insecure-skip-tls-verify is \"yes\"; must be true or false\n"
            "DIR/config: users[0].user.client-key-data must be a PEM text in base64\n"
            "DIR/config: users[0].user.token must be a text\n"
            "DIR/config: users[0].user.username is there; API servers know no basic authentication since Kubernetes "
            "1.19\n"
            "DIR/config: users[0].user.as is there; impersonation is not supported");
}

TEST_F(Kubeconfig, NamesThatAreNotThereAreToldWithTheNearest) {
  const std::string file = write("config", "contexts: [{name: prod, context: {cluster: k}}]\n");
  EXPECT_EQ(message_of(file), "DIR/config: current-context is not set; name a context");
  EXPECT_EQ(load_kubeconfig({file}, "prd").error().message,
            file + ": there is no context \"prd\" (did you mean \"prod\"?)");
  EXPECT_EQ(load_kubeconfig({file}, "prod").error().message,
            file + ": contexts[0].context.cluster: there is no cluster \"k\"");
}

TEST_F(Kubeconfig, APluginIsRunWithItsVariablesAndItsCredentialRead) {
  plugin(R"~(test "$1" = get || exit 9
cat <<END
{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",
 "status":{"token":"$WHO-$(printf %s "$KUBERNETES_EXEC_INFO" | wc -c)","expirationTimestamp":"2026-11-24T15:00:00Z"}
}
END
)~");
  const std::string file = with_user(
      "{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, args: [get], env: [{name: WHO, value: "
      "me}]}}");
  const auto connection = load_kubeconfig({file});
  ASSERT_TRUE(connection.has_value()) << connection.error().message;
  const auto credential = connection->exec();
  ASSERT_TRUE(credential.has_value()) << credential.error().message;
  EXPECT_EQ(credential->token, "me-101");
  EXPECT_EQ(seconds_since_epoch(*credential->expires), 1795532400);
}

TEST_F(Kubeconfig, APluginsFailureIsToldWithWhatItSaid) {
  const std::string file =
      with_user("{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ./plugin, installHint: get it}}");
  const auto message = [&] { return load_kubeconfig({file})->exec().error().message; };
  const std::string place = file + ": users[0].user.exec: ";
  EXPECT_EQ(message(), place + "program not found: " + directory.path() + "/./plugin; get it");
  plugin("echo token-secret; echo please log in >&2; exit 1\n");
  EXPECT_EQ(message(), place + directory.path() + "/./plugin ended with exit code 1: please log in");
  plugin("echo token-secret\n");
  EXPECT_EQ(message(), place + "what the plugin printed is not JSON");
  plugin(
      R"(echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"clientKeyData":"k"}}')");
  EXPECT_EQ(message(), place + "the plugin's answer: apiVersion must be client.authentication.k8s.io/v1beta1\n" +
                           place + "the plugin's answer: status.clientCertificateData and clientKeyData go together\n" +
                           place + "the plugin's answer: status.token is missing, and so is clientCertificateData");
}

TEST_F(Kubeconfig, APluginThatCannotWorkHereIsRefusedWhenTheFileIsRead) {
  EXPECT_EQ(
      message_of(with_user("{exec: {apiVersion: client.authentication.k8s.io/v1alpha1, interactiveMode: Always}}")),
      "DIR/config: users[0].user.exec.command is missing\n"
      "DIR/config: users[0].user.exec.apiVersion is \"client.authentication.k8s.io/v1alpha1\"; must be "
      "client.authentication.k8s.io/v1 or v1beta1\n"
      "DIR/config: users[0].user.exec.interactiveMode is Always; a plugin that needs a terminal cannot be run here");
}

}  // namespace
}  // namespace mpca::config
