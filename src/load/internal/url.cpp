#include "load/internal/url.h"

#include <algorithm>

#include "core/text.h"

namespace mpca::load {

Result<Url> parse_url(std::string_view text) {
  const auto refuse = [&](std::string_view what) {
    return invalid(cat("\"", text.substr(0, 200), "\" is no URL: ", what));
  };
  const bool has_odd_byte = std::any_of(text.begin(), text.end(), [](char character) {
    return static_cast<unsigned char>(character) <= ' ' || character == '\x7f';
  });
  if (has_odd_byte) return refuse("a space or control character; write it as %20");
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
    url.is_https = true;
    url.port = 443;
  } else {
    return refuse("must begin with http:// or https://");
  }
  const std::size_t authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  rest.remove_prefix(authority_end);
  if (authority.find('@') != std::string_view::npos) return refuse("a user name; send it as an Authorization header");

  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return refuse("a [ without ]");
    url.host = authority.substr(1, close - 1);
    const std::string_view after = authority.substr(close + 1);
    if (!after.empty() && !after.starts_with(':')) return refuse("text after ]");
    if (!after.empty()) port = after.substr(1);
  } else {
    const std::size_t colon = authority.find(':');
    if (colon != std::string_view::npos && authority.find(':', colon + 1) != std::string_view::npos) {
      return refuse("an IPv6 address must stand in [ ]");
    }
    url.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
  }
  if (url.host.empty()) return refuse("no host");
  const std::uint16_t usual_port = url.port;
  if (!port.empty()) {
    const bool is_number = std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
    const auto number = is_number ? parse_int(port) : std::nullopt;
    if (!number || *number < 1 || *number > 65535) return refuse("the port must be >= 1 and <= 65535");
    url.port = static_cast<std::uint16_t>(*number);
  }
  const bool is_ipv6 = url.host.find(':') != std::string::npos;
  url.authority = is_ipv6 ? cat("[", url.host, "]") : url.host;
  if (url.port != usual_port) url.authority += cat(":", url.port);
  const std::string_view target = rest.substr(0, rest.find('#'));
  url.path = target.starts_with('/') ? std::string(target) : cat("/", target);
  return url;
}

}  // namespace mpca::load
