// Texts inside URLs.
#pragma once

#include <string>
#include <string_view>

namespace mpca::net {

/// RFC 3986: every byte that is not unreserved becomes %XX, so the result is one path segment or one query value.
std::string percent_encoded(std::string_view text);

}  // namespace mpca::net
