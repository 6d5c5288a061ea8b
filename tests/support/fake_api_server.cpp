#include "support/fake_api_server.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "core/os/real_clock.h"
#include "core/text.h"

namespace mpca::test {
namespace {

using nlohmann::json;

constexpr std::size_t kPiece = 7;                      // of slow answers
constexpr auto kLook = std::chrono::milliseconds(20);  // whether a client has gone
constexpr int kMostBinds = 100;

std::string decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      plain += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

/// A connection's bytes, plain or through TLS.
class Wire {
 public:
  Wire(int socket, SSL_CTX* context) : socket_(socket) {
    if (context == nullptr) return;
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, socket);
    is_good_ = SSL_accept(ssl_) == 1;
  }
  ~Wire() { SSL_free(ssl_); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool is_good() const { return is_good_; }
  int read(char* place, int size) {
    return ssl_ != nullptr ? SSL_read(ssl_, place, size)
                           : static_cast<int>(recv(socket_, place, static_cast<std::size_t>(size), 0));
  }
  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto size = static_cast<int>(bytes.size());
      const int sent = ssl_ != nullptr ? SSL_write(ssl_, bytes.data(), size)
                                       : static_cast<int>(send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

 private:
  int socket_;
  SSL* ssl_ = nullptr;
  bool is_good_ = true;
};

struct Answer {
  int status = 200;
  json body;
  std::string headers{};
  std::optional<std::string> text{};  // instead of the body
};

Answer status_answer(int status, std::string reason, const std::string& message, std::string headers = {}) {
  return {status,
          {{"kind", "Status"},
           {"apiVersion", "v1"},
           {"status", "Failure"},
           {"reason", std::move(reason)},
           {"message", message},
           {"code", status}},
          std::move(headers)};
}

/// What a path names.
struct Place {
  std::string collection;  // up to the resource
  std::string name, subresource;
  std::map<std::string, std::string> query;

  explicit Place(std::string_view target) {
    const std::size_t question = target.find('?');
    if (question != std::string_view::npos) {
      for (const std::string_view pair : split(target.substr(question + 1), '&')) {
        const std::size_t equals = pair.find('=');
        query[decoded(pair.substr(0, equals))] =
            equals == std::string_view::npos ? std::string() : decoded(pair.substr(equals + 1));
      }
    }
    std::vector<std::string> parts;
    for (const std::string_view part : split(target.substr(1, question - 1), '/')) parts.push_back(decoded(part));
    std::size_t resource = parts.front() == "api" ? 2 : 3;
    if (resource + 2 < parts.size() && parts[resource] == "namespaces") resource += 2;
    for (std::size_t i = 0; i < parts.size() && i <= resource; ++i) collection += "/" + parts[i];
    is_discovery = parts.size() <= (parts.front() == "api" ? 2u : 3u);
    if (resource + 1 < parts.size()) name = parts[resource + 1];
    if (resource + 2 < parts.size()) subresource = parts[resource + 2];
  }
  bool is_discovery = false;
  std::string object() const { return collection + "/" + name; }
  bool has(const std::string& key) const { return query.contains(key); }
  std::string value(const std::string& key) const {
    const auto found = query.find(key);
    return found == query.end() ? std::string() : found->second;
  }
};

struct Change {
  std::int64_t version = 0;
  std::string type, collection;
  json object;
};

struct Scalable {
  std::string api_version, kind, resource;
};

bool is_selected(const json& object, const Place& place) {
  const std::string fields = place.value("fieldSelector");
  if (fields.starts_with("metadata.name=") && object["metadata"].value("name", "") != fields.substr(14)) return false;
  const std::string labels = place.value("labelSelector");
  if (labels.empty()) return true;
  for (const std::string_view term : split(labels, ',')) {
    const std::size_t equals = term.find('=');
    const std::string key(term.substr(0, equals)), wanted(term.substr(term.rfind('=') + 1));
    if (!object["metadata"].contains("labels") || object["metadata"]["labels"].value(key, "") != wanted) return false;
  }
  return true;
}

}  // namespace

struct FakeApiServer::Impl {
  struct Connection {
    int socket = -1;
    std::thread thread;
  };

  SSL_CTX* context = nullptr;
  int listener = -1;
  int port = 0;
  std::atomic<bool> is_stopped = false;
  std::atomic<int> accepted = 0;
  std::thread acceptor;

  mutable std::mutex mutex;  // of everything below
  std::condition_variable changed;
  std::list<Connection> connections;
  std::map<std::string, json> objects;
  std::set<std::pair<std::string, std::string>> forbidden;
  std::vector<Change> changes;
  std::vector<Scalable> scalables;
  std::map<std::string, std::string> logs;  // by the pod's path
  std::vector<std::string> tokens;
  std::vector<Fault> faults;
  std::vector<Request> requests;
  std::int64_t version = 100;
  std::int64_t oldest = 0;  // versions below are compacted
  int next_uid = 1;
  int watches = 0;
  int watch_epoch = 0;
  int fault_epoch = 0;
  int bookmarks = 0;

  void listen_on_loopback() {
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int reuse = 1;  // the port of before, though connections of before still end
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bool is_bound = false;
    os::RealClock clock;
    for (int i = 0; i < kMostBinds && !is_bound; ++i) {
      is_bound = bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0;
      if (!is_bound) clock.sleep_until(clock.now() + std::chrono::milliseconds(10));
    }
    MPCA_CHECK(is_bound && listen(listener, 256) == 0 &&
                   getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0,
               "a test needs a free port");
    port = ntohs(address.sin_port);
    acceptor = std::thread([this] { accept_all(); });
  }

  void accept_all() {
    while (true) {
      const int socket = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      ++accepted;
      const std::scoped_lock lock(mutex);
      if (is_stopped) {
        close(socket);
        return;
      }
      Connection& connection = connections.emplace_back();
      connection.socket = socket;
      connection.thread = std::thread([this, &connection] { serve(connection); });
    }
  }

  void cut() {
    const std::scoped_lock lock(mutex);
    for (const Connection& connection : connections)
      if (connection.socket >= 0) shutdown(connection.socket, SHUT_RDWR);
    changed.notify_all();
  }

  void stop_listening() {
    if (!acceptor.joinable()) return;
    shutdown(listener, SHUT_RDWR);
    acceptor.join();
    close(listener);
  }

  void stop() {
    is_stopped = true;
    stop_listening();
    cut();
    for (Connection& connection : connections) connection.thread.join();
    SSL_CTX_free(context);
  }

  void serve(Connection& connection) {
    {
      Wire wire(connection.socket, context);
      std::string received;
      while (wire.is_good()) {
        auto request = read_request(wire, received);
        if (!request || !handle(*request, wire, connection.socket)) break;
      }
    }
    const std::scoped_lock lock(mutex);
    close(connection.socket);
    connection.socket = -1;
  }

  static std::optional<Request> read_request(Wire& wire, std::string& received) {
    const auto field = [&](std::string_view head, std::string_view name) {
      const std::size_t at = head.find(cat("\r\n", name, ": "));
      if (at == std::string_view::npos) return std::string();
      const std::size_t begin = at + name.size() + 4;
      return std::string(head.substr(begin, head.find("\r\n", begin) - begin));
    };
    while (true) {
      const std::size_t end = received.find("\r\n\r\n");
      if (end != std::string::npos) {
        const std::string head = received.substr(0, end + 2);
        const std::string length = field(head, "Content-Length");
        const std::size_t body = length.empty() ? 0 : std::stoul(length);
        if (received.size() >= end + 4 + body) {
          Request request;
          request.method = head.substr(0, head.find(' '));
          const std::size_t path = request.method.size() + 1;
          request.path = head.substr(path, head.find(' ', path) - path);
          request.content_type = field(head, "Content-Type");
          request.authorization = field(head, "Authorization");
          request.host = field(head, "Host");
          request.accept = field(head, "Accept");
          request.body = received.substr(end + 4, body);
          received.erase(0, end + 4 + body);
          return request;
        }
      }
      char piece[16384];
      const int count = wire.read(piece, sizeof piece);
      if (count <= 0) return std::nullopt;
      received.append(piece, static_cast<std::size_t>(count));
    }
  }

  std::optional<Fault> take_fault(const Request& request) {
    for (auto fault = faults.begin(); fault != faults.end(); ++fault) {
      if (!fault->method.empty() && fault->method != request.method) continue;
      if (request.path.find(fault->path) == std::string::npos) continue;
      if (fault->kind == Fault::Kind::watch_error && request.path.find("watch=1") == std::string::npos) continue;
      if (!fault->token.empty() && request.authorization != "Bearer " + fault->token) continue;
      Fault taken = *fault;
      if (fault->times > 0 && --fault->times == 0) faults.erase(fault);
      return taken;
    }
    return std::nullopt;
  }

  /// False: the connection ends.
  bool handle(const Request& request, Wire& wire, int socket) {
    using Kind = Fault::Kind;
    std::unique_lock lock(mutex);
    const std::size_t number = requests.size();
    requests.push_back(request);
    const auto fault = take_fault(request);
    const std::optional<Kind> kind = fault ? std::optional(fault->kind) : std::nullopt;
    if (kind == Kind::hang) {
      while (!is_stopped && !has_gone(socket)) changed.wait_for(lock, kLook);
      return false;
    }
    if (kind == Kind::late) {
      const int epoch = fault_epoch;
      while (!is_stopped && epoch == fault_epoch) changed.wait_for(lock, kLook);
    }
    if (kind == Kind::reset) {
      const linger at_once{1, 0};
      setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      return false;
    }
    if (kind == Kind::status) {
      return send_answer(lock, wire, status_answer(fault->status, fault->reason, "scripted", fault->headers));
    }
    const bool is_known = tokens.empty() || std::ranges::any_of(tokens, [&](const std::string& token) {
                            return request.authorization == "Bearer " + token;
                          });
    if (!is_known) return send_answer(lock, wire, status_answer(401, "Unauthorized", "Unauthorized"));
    const Place place(request.path);
    if (request.method == "GET" && (place.value("watch") == "1" || place.value("watch") == "true"))
      return watch(lock, wire, socket, place, fault);
    Answer answer = carry_out(request, place);
    requests[number].status = answer.status;
    if (request.accept.find("as=PartialObjectMetadata") != std::string::npos) keep_metadata(answer.body);
    if (kind == Kind::lost) return false;
    return send_answer(lock, wire, answer, kind);
  }

  static void keep_metadata(json& body) {
    if (body.value("kind", "") == "Status") return;
    if (body.contains("items")) {
      for (json& item : body["items"]) keep_metadata(item);
      return;
    }
    for (const char* part : {"spec", "status", "data", "binaryData"}) body.erase(part);
  }

  static bool has_gone(int socket) {
    pollfd one{socket, POLLRDHUP, 0};
    return poll(&one, 1, 0) > 0 && (one.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
  }

  static bool send_answer(std::unique_lock<std::mutex>& lock, Wire& wire, const Answer& answer,
                          std::optional<Fault::Kind> fault = {}) {
    const std::string body = answer.text ? *answer.text : answer.body.dump();
    const std::string head =
        cat("HTTP/1.1 ", answer.status, " X\r\nContent-Type: application/json\r\nContent-Length: ", body.size(), "\r\n",
            answer.headers, "\r\n");
    lock.unlock();
    if (fault == Fault::Kind::half_close) {
      wire.write(head + body.substr(0, body.size() / 2));
      return false;
    }
    if (fault != Fault::Kind::slow) return wire.write(head + body);
    const std::string all = head + body;
    for (std::size_t i = 0; i < all.size(); i += kPiece)
      if (!wire.write(std::string_view(all).substr(i, kPiece))) return false;
    return true;
  }

  static bool send_chunk(Wire& wire, const std::string& bytes) {
    char size[20];
    snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    return wire.write(size + bytes + "\r\n");
  }

  bool watch(std::unique_lock<std::mutex>& lock, Wire& wire, int socket, const Place& place,
             const std::optional<Fault>& fault) {
    const auto event = [](const std::string& type, const json& object) {
      return json{{"type", type}, {"object", object}}.dump() + "\n";
    };
    std::int64_t sent = std::stoll("0" + place.value("resourceVersion"));
    std::string begin = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    lock.unlock();
    if (!wire.write(begin)) return false;
    lock.lock();
    const auto error = [&](int status, const std::string& reason) {
      const json object = status_answer(status, reason, "scripted").body;
      lock.unlock();
      return send_chunk(wire, event("ERROR", object)) && wire.write("0\r\n\r\n");
    };
    if (fault && fault->kind == Fault::Kind::watch_error) return error(fault->status, fault->reason);
    if (sent < oldest) return error(410, "Expired");
    if (fault && fault->kind == Fault::Kind::half_close) {
      lock.unlock();
      wire.write("40\r\n{\"type\":\"ADD");
      return false;
    }
    ++watches;
    const int epoch = watch_epoch;
    int bookmarks_sent = bookmarks;
    bool is_good = true;
    while (is_good && !is_stopped && epoch == watch_epoch && !has_gone(socket)) {
      std::string lines;
      for (const Change& change : changes) {
        if (change.version <= sent) continue;
        sent = change.version;
        if (change.collection == place.collection && is_selected(change.object, place))
          lines += event(change.type, change.object);
      }
      sent = std::max(sent, version);
      if (bookmarks_sent != bookmarks && place.has("allowWatchBookmarks")) {
        lines += event("BOOKMARK", {{"kind", "Any"}, {"metadata", {{"resourceVersion", std::to_string(version)}}}});
      }
      bookmarks_sent = bookmarks;
      if (lines.empty()) {
        changed.wait_for(lock, kLook);
        continue;
      }
      lock.unlock();
      is_good = send_chunk(wire, lines);
      lock.lock();
    }
    --watches;
    const bool has_ended = is_good && epoch != watch_epoch;
    lock.unlock();
    return has_ended && wire.write("0\r\n\r\n");
  }

  // ---- objects ----

  void note(const std::string& type, const std::string& collection, const json& object) {
    changes.push_back({version, type, collection, object});
    changed.notify_all();
  }

  /// Stores it under the next version.
  json store(const Place& place, json object) {
    const auto found = objects.find(place.object());
    const bool is_new = found == objects.end();
    json& meta = object["metadata"];
    meta["name"] = place.name;
    meta["resourceVersion"] = std::to_string(++version);
    if (is_new) {
      meta["uid"] = meta.value("uid", "uid-" + std::to_string(next_uid++));
      if (!meta.contains("creationTimestamp")) meta["creationTimestamp"] = "2026-11-24T15:00:00Z";
    } else {
      meta["uid"] = meta.value("uid", found->second["metadata"]["uid"].get<std::string>());
    }
    const auto parts = split(place.collection, '/');
    for (std::size_t i = 0; i + 1 < parts.size(); ++i)
      if (parts[i] == "namespaces" && i + 2 < parts.size()) meta["namespace"] = std::string(parts[i + 1]);
    objects[place.object()] = object;
    note(is_new ? "ADDED" : "MODIFIED", place.collection, object);
    return object;
  }

  static bool is_conflict(const json& stored, const json& wanted) {
    const json meta = wanted.value("metadata", json::object());
    const std::string version = meta.value("resourceVersion", "");
    const std::string uid = meta.value("uid", "");
    return (!version.empty() && version != stored["metadata"]["resourceVersion"]) ||
           (!uid.empty() && uid != stored["metadata"]["uid"]);
  }

  Answer carry_out(const Request& request, const Place& place) {
    if (request.method == "GET") return read(place);
    if (request.method == "DELETE" && request.body.empty()) return erase(place);
    const json body = json::parse(request.body, nullptr, false);
    if (body.is_discarded()) return status_answer(400, "BadRequest", "the body is not JSON");
    if (request.method == "DELETE") return erase(place, body);
    if (request.method == "POST" && request.path.ends_with("/selfsubjectaccessreviews")) return review(body);
    if (request.method == "POST") return create(place, body);
    const auto found = objects.find(place.object());
    const bool is_apply = request.content_type == "application/apply-patch+yaml";
    if (found == objects.end() && is_apply && place.subresource.empty()) {
      json object = body;
      object["metadata"]["name"] = place.name;
      return create(place, object);
    }
    if (found == objects.end()) return status_answer(404, "NotFound", place.object() + " not found");
    if (place.subresource == "scale") return write_scale(place, found->second, request, body);
    if (request.content_type == "application/json-patch+json") return json_patch(place, found->second, body);
    if (is_conflict(found->second, body)) {
      return status_answer(409, "Conflict", "the object has been modified; please apply your changes to the latest");
    }
    json object = found->second;
    if (request.method == "PUT") {
      object = body;
    } else if (is_apply) {
      if (!place.has("fieldManager")) return status_answer(422, "Invalid", "fieldManager: Required value");
      if (place.subresource == "status") {
        object["status"] = body.value("status", json::object());
      } else {
        object.merge_patch(body);
      }
    } else if (request.content_type == "application/merge-patch+json") {
      object.merge_patch(body);
    } else {
      return status_answer(415, "UnsupportedMediaType", request.content_type);
    }
    return {200, store(place, object)};
  }

  Answer review(json body) const {
    const json asked = body["spec"].value("resourceAttributes", json::object());
    std::string resource = asked.value("resource", "");
    if (asked.contains("subresource")) resource += "/" + asked.value("subresource", "");
    body["status"]["allowed"] = !forbidden.contains({asked.value("verb", ""), resource});
    return {201, body};
  }

  Answer create(const Place& place, json body) {
    Place named = place;
    json& meta = body["metadata"];
    named.name = meta.value("name", "");
    if (named.name.empty()) {
      // What is refused as a name in itself, though letters will follow; only a last dash is let pass.
      const std::string prefix = meta.value("generateName", "");
      if (prefix.ends_with(".")) {
        return status_answer(422, "Invalid",
                             "metadata.generateName: Invalid value: a lowercase RFC 1123 subdomain must consist of "
                             "lower case alphanumeric characters, '-' or '.', and must start and end with an "
                             "alphanumeric character");
      }
      named.name = prefix + std::to_string(version + 1);
    }
    if (objects.contains(named.object()))
      return status_answer(409, "AlreadyExists", named.object() + " already exists");
    return {201, store(named, body)};
  }

  /// `options` is a DeleteOptions; its preconditions count.
  Answer erase(const Place& place, const json& options = {}) {
    const auto found = objects.find(place.object());
    if (found == objects.end()) return status_answer(404, "NotFound", place.object() + " not found");
    if (options.contains("preconditions") && is_conflict(found->second, {{"metadata", options["preconditions"]}}))
      return status_answer(409, "Conflict", "Precondition failed");
    json object = found->second;
    object["metadata"]["resourceVersion"] = std::to_string(++version);
    objects.erase(found);
    note("DELETED", place.collection, object);
    return {200, object};
  }

  Answer json_patch(const Place& place, json object, const json& body) {
    for (const json& step : body) {
      const json::json_pointer pointer(step.value("path", ""));
      if (step.value("op", "") == "test" && (!object.contains(pointer) || object[pointer] != step["value"]))
        return status_answer(422, "Invalid", "the server rejected our request due to an error in our request");
      if (step.value("op", "") == "replace") object[pointer] = step["value"];
    }
    return {200, store(place, object)};
  }

  static json scale_of(const Place& place, const json& object) {
    std::string selector;
    if (const json::json_pointer labels("/spec/selector/matchLabels"); object.contains(labels))
      for (const auto& [key, value] : object[labels].items())
        selector += cat(selector.empty() ? "" : ",", key, "=", value.get<std::string>());
    json status = {{"replicas", object.value("/status/replicas"_json_pointer, 0)}};
    if (!selector.empty()) status["selector"] = selector;
    json spec = json::object();
    if (const int replicas = object.value("/spec/replicas"_json_pointer, 1); replicas != 0) spec["replicas"] = replicas;
    return {{"kind", "Scale"},
            {"apiVersion", "autoscaling/v1"},
            {"metadata", {{"name", place.name}, {"resourceVersion", object["metadata"]["resourceVersion"]}}},
            {"spec", spec},
            {"status", status}};
  }

  bool is_scalable(const Place& place) const {
    return std::ranges::any_of(scalables,
                               [&](const Scalable& one) { return place.collection.ends_with("/" + one.resource); });
  }

  Answer write_scale(const Place& place, json object, const Request& request, const json& body) {
    if (!is_scalable(place)) return status_answer(404, "NotFound", "the server could not find the requested resource");
    if (is_conflict(object, body)) return status_answer(409, "Conflict", "the object has been modified");
    if (request.content_type == "application/json-patch+json") return json_patch(place, object, body);
    object["spec"]["replicas"] = body["spec"]["replicas"];
    return {200, scale_of(place, store(place, object))};
  }

  Answer read(const Place& place) {
    if (place.is_discovery) return discovery(place);
    if (place.name.empty()) return list(place);
    const auto found = objects.find(place.object());
    if (found == objects.end() || (place.subresource == "scale" && !is_scalable(place)))
      return status_answer(404, "NotFound", place.object() + " not found");
    if (place.subresource == "log") return {200, {}, {}, logs[place.object()]};
    return {200, place.subresource == "scale" ? scale_of(place, found->second) : found->second};
  }

  Answer discovery(const Place& place) const {
    json resources = json::array();
    for (const Scalable& one : scalables) {
      if (!place.collection.ends_with("/" + one.api_version)) continue;
      resources.push_back({{"name", one.resource}, {"kind", one.kind}, {"namespaced", true}});
      resources.push_back({{"name", one.resource + "/scale"}, {"kind", "Scale"}, {"namespaced", true}});
    }
    if (resources.empty()) return status_answer(404, "NotFound", "the server could not find the requested resource");
    resources.push_back({{"name", "controllerrevisions"}, {"kind", "ControllerRevision"}, {"namespaced", true}});
    return {200, {{"kind", "APIResourceList"}, {"resources", resources}}};
  }

  /// A continue token is `VERSION:NAME OF THE LAST`.
  Answer list(const Place& place) {
    const std::string token = place.value("continue");
    const auto limit = std::stoul("0" + place.value("limit"));
    std::string after;
    std::int64_t of_version = version;
    if (!token.empty()) {
      of_version = std::stoll(token);
      after = token.substr(token.find(':') + 1);
      if (of_version < oldest) return status_answer(410, "Expired", "The provided continue parameter is too old");
    }
    json items = json::array();
    std::string next, last;
    for (const auto& [path, object] : objects) {
      if (!path.starts_with(place.collection + "/") || !is_selected(object, place)) continue;
      const std::string name = object["metadata"]["name"];
      if (!after.empty() && name <= after) continue;
      if (limit > 0 && items.size() == limit) {
        next = cat(of_version, ":", last);
        break;
      }
      items.push_back(object);
      last = name;
    }
    json meta = {{"resourceVersion", std::to_string(of_version)}};
    if (!next.empty()) meta["continue"] = next;
    return {200, {{"kind", "List"}, {"apiVersion", "v1"}, {"metadata", meta}, {"items", items}}};
  }
};

FakeApiServer::FakeApiServer(std::optional<FakeTls> tls) : impl_(std::make_unique<Impl>()) {
  if (tls) {
    signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to clients that have gone
    impl_->context = SSL_CTX_new(TLS_server_method());
    SSL_CTX* context = impl_->context;
    MPCA_CHECK(SSL_CTX_use_certificate_chain_file(context, tls->certificate_file.c_str()) == 1 &&
                   SSL_CTX_use_PrivateKey_file(context, tls->key_file.c_str(), SSL_FILETYPE_PEM) == 1,
               "a certificate for the fake API server");
    if (!tls->client_ca_file.empty()) {
      MPCA_CHECK(SSL_CTX_load_verify_locations(context, tls->client_ca_file.c_str(), nullptr) == 1, "a client CA");
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
  }
  impl_->listen_on_loopback();
}

FakeApiServer::~FakeApiServer() { impl_->stop(); }

int FakeApiServer::port() const { return impl_->port; }
std::string FakeApiServer::url() const {
  return cat(impl_->context != nullptr ? "https" : "http", "://127.0.0.1:", impl_->port);
}
kube::Connection FakeApiServer::connection() const {
  kube::Connection connection;
  connection.description = "fake";
  connection.server = url();
  return connection;
}

void FakeApiServer::accept_tokens(std::vector<std::string> tokens) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->tokens = std::move(tokens);
}

void FakeApiServer::forbid(const std::string& verb, const std::string& resource) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->forbidden.emplace(verb, resource);
}

void FakeApiServer::make_scalable(const std::string& api_version, const std::string& kind,
                                  const std::string& resource) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->scalables.push_back({api_version, kind, resource});
}

void FakeApiServer::put_object(const std::string& path, const std::string& object) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->store(Place(path), json::parse(object));
}

void FakeApiServer::put_log(const std::string& pod_path, const std::string& text) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->logs[pod_path] = text;
}

void FakeApiServer::delete_object(const std::string& path) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->erase(Place(path));
}

std::string FakeApiServer::object(const std::string& path) const {
  const std::scoped_lock lock(impl_->mutex);
  const auto found = impl_->objects.find(Place(path).object());
  return found == impl_->objects.end() ? std::string() : found->second.dump();
}

void FakeApiServer::add_fault(Fault fault) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->faults.push_back(std::move(fault));
}

void FakeApiServer::clear_faults() {
  const std::scoped_lock lock(impl_->mutex);
  impl_->faults.clear();
  ++impl_->fault_epoch;
  impl_->changed.notify_all();
}

void FakeApiServer::compact() {
  const std::scoped_lock lock(impl_->mutex);
  impl_->oldest = ++impl_->version;
  impl_->changes.clear();
}

void FakeApiServer::bookmark() {
  const std::scoped_lock lock(impl_->mutex);
  ++impl_->bookmarks;
  impl_->changed.notify_all();
}

void FakeApiServer::end_watches() {
  const std::scoped_lock lock(impl_->mutex);
  ++impl_->watch_epoch;
  impl_->changed.notify_all();
}

void FakeApiServer::cut_connections() { impl_->cut(); }

void FakeApiServer::go_away() {
  impl_->stop_listening();
  impl_->cut();
}

void FakeApiServer::come_back() { impl_->listen_on_loopback(); }

std::vector<FakeApiServer::Request> FakeApiServer::requests() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->requests;
}

int FakeApiServer::count(std::string_view method, std::string_view part) const {
  const std::scoped_lock lock(impl_->mutex);
  return static_cast<int>(std::ranges::count_if(impl_->requests, [&](const Request& request) {
    return request.method == method && request.path.find(part) != std::string::npos;
  }));
}

int FakeApiServer::open_watches() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->watches;
}

int FakeApiServer::accepted_connections() const { return impl_->accepted; }

}  // namespace mpca::test
