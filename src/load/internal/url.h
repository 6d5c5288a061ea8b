// An absolute http or https URL, cut where a client needs it. RFC 3986 as far as a load generator goes: no user info.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace mpca::load {

struct Url {
  bool is_https = false;
  std::string host;  // without the brackets of an IPv6 address
  std::uint16_t port = 80;
  std::string authority;  // as the Host header wants it: with brackets, with the port unless it is the scheme's
  std::string path;       // path and query, begins with /
  bool operator==(const Url&) const = default;
};

///   errors   invalid_argument  `"TEXT" is no URL: ` and what is wrong
Result<Url> parse_url(std::string_view text);

}  // namespace mpca::load
