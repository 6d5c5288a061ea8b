// Base64 of RFC 4648: of credentials in headers and of certificates in kubeconfig files.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mpca::net {

std::string base64_encoded(std::string_view bytes);

/// Line breaks and spaces are passed over; nullopt when it is no base64.
std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace mpca::net
