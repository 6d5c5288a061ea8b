// Any bytes from a client of toy-load: how they are cut into pieces changes nothing of what is answered, and what is
// answered is HTTP. The first byte chooses the pieces, the second whether answers come at once.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/internal/http_session.h"
#include "workload/json_log.h"
#include "workload/routes.h"
#include "workload/work_request.h"

namespace {

using mpca::net::internal::HttpSession;

/// Routes as toy-load does; the work itself takes no time here.
struct Client final : HttpSession::Requests {
  HttpSession session{{.max_bytes = 512, .max_fields = 8}};
  mpca::net::internal::HttpOutput output;
  std::string all;
  std::string body;
  int status = 200;
  bool answers_at_once = true;

  void on_request(const mpca::net::HttpRequest& request) override {
    const auto route = mpca::workload::route_of(request.path, "/metrics");
    const auto work = mpca::workload::parse_work_query(request.query, 16);
    body = mpca::workload::label_of(route, "/metrics");
    body += mpca::workload::kMethodLabels[mpca::workload::method_index(request.method)];
    body += work ? mpca::workload::json_text(work->id) : work.error().message;
    status = work ? 200 : 400;
    if (answers_at_once) answer();
  }
  void answer() { session.answer({.status = status, .body = body}, {}, false, output); }
  /// Reads what there is to read, and answers what waits.
  void go_on() {
    while (true) {
      all += output.bytes;
      output = {};
      if (session.is_working())
        answer();
      else if (session.has_kept_bytes())
        session.resume(*this, output);
      if (output.empty() && !session.is_working()) return;
    }
  }
};

std::string conversation(std::string_view text, std::size_t piece_bytes, bool answers_at_once) {
  Client client;
  client.answers_at_once = answers_at_once;
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, piece_bytes);
    client.session.receive(piece, client, client.output);
    client.go_on();
    text.remove_prefix(piece.size());
  }
  MPCA_CHECK(client.all.empty() || client.all.starts_with("HTTP/1.1 "), "an answer is HTTP");
  return client.all + (client.session.is_closing() ? "closing" : "open");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string whole = conversation(text, text.size() + 1, true);
  const std::string pieces = conversation(text, 1 + data[0] % 32u, data[1] % 2 == 0);
  // Cut into pieces, garbage may be recognised earlier: then the reason may differ, the answers before it may not.
  const std::size_t same = whole.rfind("HTTP/1.1 ");
  if (whole.ends_with("closing") && same != std::string::npos)
    MPCA_CHECK(pieces.starts_with(whole.substr(0, same)), "pieces change no answer before the last");
  else
    MPCA_CHECK(pieces == whole, "pieces change nothing");
  return 0;
}
