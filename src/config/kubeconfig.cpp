#include "config/kubeconfig.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "config/document.h"
#include "core/os/command.h"
#include "core/os/file.h"
#include "core/text.h"
#include "net/base64.h"
#include "trace/timestamps.h"

namespace mpca::config {
namespace {

namespace fs = std::filesystem;
using kube::Connection;
using kube::ExecCredential;

constexpr std::size_t kLargestFile = 8u << 20;
constexpr Duration kPluginLimit = std::chrono::minutes(1);
constexpr std::size_t kShownStderrBytes = 1000;
constexpr std::array<std::string_view, 2> kExecVersions = {"client.authentication.k8s.io/v1",
                                                           "client.authentication.k8s.io/v1beta1"};

struct File {
  std::string path;
  Node root;
};

/// An entry of one of the lists of names, and the file it stands in.
struct Entry {
  const File* file = nullptr;
  const Node* body = nullptr;
  std::size_t index = 0;
};

struct Section {
  const char* list;   // contexts
  const char* field;  // context
};
constexpr Section kContexts{"contexts", "context"};
constexpr Section kClusters{"clusters", "cluster"};
constexpr Section kUsers{"users", "user"};

const std::vector<Node>& items_of(const File& file, const Section& section) {
  static const std::vector<Node> kNone;
  const Node* list = file.root.find(section.list);
  return list != nullptr && list->kind == Node::Kind::list ? list->items : kNone;
}

std::string name_of(const Node& item) {
  const Node* name = item.find("name");
  if (name == nullptr) return {};
  return name->kind == Node::Kind::integer ? std::to_string(name->integer) : name->text;
}

Result<Entry> find_entry(const std::vector<File>& files, const Section& section, const std::string& name,
                         std::string_view asked_by) {
  std::vector<std::string> names;
  for (const File& file : files) {
    const std::vector<Node>& items = items_of(file, section);
    for (std::size_t i = 0; i < items.size(); ++i) {
      names.push_back(name_of(items[i]));
      const Node* body = items[i].find(section.field);
      if (names.back() == name && body != nullptr && body->kind == Node::Kind::object) return Entry{&file, body, i};
    }
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  return fail(ErrorCode::not_found,
              cat(asked_by, ": there is no ", section.field, " \"", name, "\"", did_you_mean(name, known)));
}

/// Reads one entry; notes problems as `FILE: users[1].user.client-key …`.
class EntryReader {
 public:
  EntryReader(const Entry& entry, const Section& section, Problems& problems)
      : entry_(entry),
        root_(entry.file->root, problems, entry.file->path),
        item_(items_of(*entry.file, section)[entry.index], root_, section.list, entry.index),
        fields_(*entry.body, item_, section.field) {}

  const Fields& fields() const { return fields_; }

  std::string text(std::string_view key) const {
    const std::string* text = fields_.text(key);
    return text != nullptr ? *text : std::string();
  }

  /// A token of digits is a number to YAML. The value is never in a message.
  std::string secret(std::string_view key) const {
    const Node* found = entry_.body->find(key);
    if (found == nullptr) return {};
    using Kind = Node::Kind;
    if (found->kind == Kind::text || found->kind == Kind::number || found->kind == Kind::integer) return found->text;
    fields_.problem(key, "must be a text");
    return {};
  }

  std::string path(std::string_view key) const {
    const std::string text = this->text(key);
    return text.empty() ? text : (fs::path(entry_.file->path).parent_path() / text).string();
  }

  /// `KEY-data` embedded, or else the file `KEY`, which has to be readable.
  net::Pem pem(const std::string& key) const {
    if (const std::string data = secret(key + "-data"); !data.empty()) {
      const auto decoded = net::base64_decoded(data);
      if (!decoded || decoded->find("-----BEGIN") == std::string::npos) {
        fields_.problem(key + "-data", "must be a PEM text in base64");
        return {};
      }
      return {.text = *decoded};
    }
    const std::string file = path(key);
    if (file.empty()) return {};
    if (const auto content = os::read_file(file, kLargestFile); !content)
      fields_.problem(key, cat("cannot be read: ", content.error().message));
    return {.file = file};
  }

 private:
  Entry entry_;
  Fields root_, item_, fields_;
};

void read_cluster(const EntryReader& entry, Connection& connection) {
  const Fields& fields = entry.fields();
  connection.server = entry.text("server");
  if (!connection.server.starts_with("https://") && !connection.server.starts_with("http://"))
    fields.problem("server", connection.server.empty() ? "is missing" : "must begin with https:// or http://");
  connection.tls.ca = entry.pem("certificate-authority");
  connection.tls.insecure = fields.boolean("insecure-skip-tls-verify").value_or(false);
  if (connection.tls.insecure && !(connection.tls.ca.file.empty() && connection.tls.ca.text.empty()))
    fields.problem("insecure-skip-tls-verify", "is true beside a certificate authority; remove one of them");
  connection.tls.server_name = entry.text("tls-server-name");
  connection.proxy = entry.secret("proxy-url");
  const bool is_proxy = connection.proxy.empty() || connection.proxy.starts_with("http://") ||
                        connection.proxy.starts_with("https://") || connection.proxy.starts_with("socks5://");
  if (!is_proxy) fields.problem("proxy-url", "must begin with http://, https:// or socks5://");
}

/// An exec plugin of a user.
struct Plugin {
  std::string place;  // FILE: users[0].user.exec
  std::string api_version;
  std::string hint;
  os::Command command;
};

Result<ExecCredential> parse_credential(const Plugin& plugin, const std::string& text) {
  const auto root = parse_json(text);
  if (!root) return invalid(cat(plugin.place, ": what the plugin printed is not JSON"));
  Problems problems;
  const std::string where = plugin.place + ": the plugin's answer";
  const Fields fields(*root, problems, where);
  const std::string* const kind = fields.text("kind");
  const std::string* const version = fields.text("apiVersion");
  if (kind == nullptr || *kind != "ExecCredential") fields.problem("kind", "must be ExecCredential");
  if (version == nullptr || *version != plugin.api_version)
    fields.problem("apiVersion", cat("must be ", plugin.api_version));
  ExecCredential credential;
  const Node* status = fields.object("status");
  if (status == nullptr) {
    fields.problem("status", "is missing");
    return std::unexpected(problems.to_result().error());
  }
  const Fields status_fields(*status, fields, "status");
  const auto secret = [&](std::string_view key) {
    const Node* found = status->find(key);
    if (found == nullptr) return std::string();
    if (found->kind != Node::Kind::text) status_fields.problem(key, "must be a text");
    return found->text;
  };
  credential.token = secret("token");
  credential.certificate.text = secret("clientCertificateData");
  credential.key.text = secret("clientKeyData");
  if (credential.certificate.text.empty() != credential.key.text.empty())
    status_fields.problem("clientCertificateData", "and clientKeyData go together");
  if (credential.token.empty() && credential.certificate.text.empty())
    status_fields.problem("token", "is missing, and so is clientCertificateData");
  if (const std::string* expires = status_fields.text("expirationTimestamp"); expires != nullptr) {
    credential.expires = trace::parse_rfc3339(*expires);
    if (!credential.expires)
      status_fields.problem("expirationTimestamp", "must be a time such as 2026-11-24T15:00:00Z");
  }
  MPCA_TRY_VOID(problems.to_result());
  return credential;
}

Result<ExecCredential> ask_plugin(const Plugin& plugin) {
  const auto output = os::run_command(plugin.command);
  if (!output) {
    const bool has_hint = output.error().code == ErrorCode::not_found && !plugin.hint.empty();
    return fail(output.error().code,
                cat(plugin.place, ": ", output.error().message, has_hint ? cat("; ", plugin.hint) : std::string()));
  }
  if (output->exit_code != 0) {
    const std::string_view err = trim(output->err);
    return fail(ErrorCode::io,
                cat(plugin.place, ": ", plugin.command.program, " ended with exit code ", output->exit_code, ": ",
                    err.substr(err.size() - std::min(err.size(), kShownStderrBytes))));
  }
  return parse_credential(plugin, output->out);
}

nlohmann::json cluster_info(const Connection& connection) {
  nlohmann::json info = {{"server", connection.server}};
  if (!connection.tls.server_name.empty()) info["tls-server-name"] = connection.tls.server_name;
  if (connection.tls.insecure) info["insecure-skip-tls-verify"] = true;
  if (!connection.proxy.empty()) info["proxy-url"] = connection.proxy;
  std::string ca = connection.tls.ca.text;
  if (!connection.tls.ca.file.empty()) ca = os::read_file(connection.tls.ca.file, kLargestFile).value_or("");
  if (!ca.empty()) info["certificate-authority-data"] = net::base64_encoded(ca);
  return info;
}

Plugin read_plugin(const EntryReader& entry, const Node& node, const Connection& connection) {
  const Fields fields(node, entry.fields(), "exec");
  const auto text = [&](std::string_view key) {
    const std::string* found = fields.text(key);
    return found != nullptr ? *found : std::string();
  };
  Plugin plugin;
  plugin.api_version = text("apiVersion");
  plugin.hint = text("installHint");
  plugin.command.program = text("command");
  plugin.command.time_limit = kPluginLimit;
  if (plugin.command.program.empty()) fields.problem("command", "is missing");
  if (std::ranges::find(kExecVersions, plugin.api_version) == kExecVersions.end()) {
    fields.problem("apiVersion", cat("is \"", plugin.api_version, "\"; must be ", kExecVersions[0], " or v1beta1"));
  }
  if (text("interactiveMode") == "Always")
    fields.problem("interactiveMode", "is Always; a plugin that needs a terminal cannot be run here");
  const std::vector<Node>& arguments = fields.list("args");
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].kind == Node::Kind::text || !arguments[i].text.empty()) {
      plugin.command.arguments.push_back(arguments[i].text);
    } else {
      fields.problem(cat("args[", i, "]"), "must be a text");
    }
  }
  const std::vector<Node>& variables = fields.list("env");
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const Fields variable(variables[i], fields, "env", i);
    const std::string* name = variable.text("name");
    if (name == nullptr) variable.problem("name", "is missing");
    const Node* value = variables[i].find("value");
    if (name != nullptr) plugin.command.environment.emplace_back(*name, value != nullptr ? value->text : "");
  }
  nlohmann::json info = {
      {"apiVersion", plugin.api_version}, {"kind", "ExecCredential"}, {"spec", {{"interactive", false}}}};
  if (fields.boolean("provideClusterInfo").value_or(false)) info["spec"]["cluster"] = cluster_info(connection);
  plugin.command.environment.emplace_back("KUBERNETES_EXEC_INFO",
                                          info.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  return plugin;
}

void read_user(const EntryReader& entry, const std::string& file, Connection& connection) {
  const Fields& fields = entry.fields();
  connection.tls.certificate = entry.pem("client-certificate");
  connection.tls.key = entry.pem("client-key");
  const auto is_there = [](const net::Pem& pem) { return !pem.file.empty() || !pem.text.empty(); };
  if (is_there(connection.tls.certificate) != is_there(connection.tls.key))
    fields.problem(is_there(connection.tls.key) ? "client-certificate" : "client-key", "is missing; they go together");
  connection.token = entry.secret("token");
  connection.token_file = entry.path("tokenFile");
  if (fields.has("username") || fields.has("password"))
    fields.problem("username", "is there; API servers know no basic authentication since Kubernetes 1.19");
  if (fields.has("auth-provider")) fields.problem("auth-provider", "is there; it left Kubernetes with 1.26, use exec");
  for (const char* key : {"as", "as-uid", "as-groups", "as-user-extra"})
    if (fields.has(key)) fields.problem(key, "is there; impersonation is not supported");
  const Node* exec = fields.object("exec");
  if (exec == nullptr) return;
  Plugin plugin = read_plugin(entry, *exec, connection);
  plugin.place = cat(file, ": ", fields.path(), ".exec");
  if (plugin.command.program.find('/') != std::string::npos)
    plugin.command.program = (fs::path(file).parent_path() / plugin.command.program).string();
  connection.exec = [plugin = std::move(plugin)] { return ask_plugin(plugin); };
}

Result<std::vector<File>> read_files(const std::vector<std::string>& paths) {
  std::vector<File> files;
  Problems problems;
  for (const std::string& path : paths) {
    const auto text = os::read_file(path, kLargestFile);
    if (!text && text.error().code == ErrorCode::not_found && paths.size() > 1) continue;
    if (!text) return std::unexpected(text.error());
    auto documents = parse_yaml(*text);
    if (!documents) {
      problems.add(cat(path, ": ", documents.error().message));
    } else if (documents->empty()) {
      continue;
    } else if (documents->size() != 1 || documents->front().kind != Node::Kind::object) {
      problems.add(cat(path, ": must be one object"));
    } else {
      files.push_back({path, std::move(documents->front())});
    }
  }
  MPCA_TRY_VOID(problems.to_result());
  if (files.empty()) return fail(ErrorCode::not_found, cat("no kubeconfig: nothing in ", join(paths, ", ")));
  return files;
}

}  // namespace

std::vector<std::string> kubeconfig_files(std::string_view kubeconfig, std::string_view home) {
  std::vector<std::string> files;
  for (const std::string_view path : split(kubeconfig, ':')) {
    const bool is_new = std::ranges::find(files, path) == files.end();
    if (!path.empty() && is_new) files.emplace_back(path);
  }
  if (files.empty() && !home.empty()) files.push_back(cat(home, "/.kube/config"));
  return files;
}

Result<Connection> load_kubeconfig(const std::vector<std::string>& paths, const std::string& context) {
  if (paths.empty()) return fail(ErrorCode::not_found, "no kubeconfig: neither KUBECONFIG nor HOME is set");
  MPCA_TRY(const std::vector<File> files, read_files(paths));
  std::string name = context;
  for (const File& file : files) {
    if (!name.empty()) break;
    if (const Node* current = file.root.find("current-context"); current != nullptr) name = current->text;
  }
  const std::string all = join(paths, ", ");
  if (name.empty()) return invalid(cat(all, ": current-context is not set; name a context"));
  MPCA_TRY(const Entry context_entry, find_entry(files, kContexts, name, all));
  Problems problems;
  const EntryReader chosen(context_entry, kContexts, problems);
  const std::string cluster = chosen.text("cluster"), user = chosen.text("user");
  if (cluster.empty()) chosen.fields().problem("cluster", "is missing");
  MPCA_TRY_VOID(problems.to_result());
  const std::string asked_by = cat(context_entry.file->path, ": ", chosen.fields().path());

  Connection connection;
  connection.description = cat("context \"", name, "\"");
  if (const std::string space = chosen.text("namespace"); !space.empty()) connection.default_namespace = space;
  MPCA_TRY(const Entry cluster_entry, find_entry(files, kClusters, cluster, asked_by + ".cluster"));
  read_cluster(EntryReader(cluster_entry, kClusters, problems), connection);
  if (!user.empty()) {
    MPCA_TRY(const Entry user_entry, find_entry(files, kUsers, user, asked_by + ".user"));
    read_user(EntryReader(user_entry, kUsers, problems), user_entry.file->path, connection);
  }
  MPCA_TRY_VOID(problems.to_result());
  return connection;
}

}  // namespace mpca::config
