// A Prometheus that is reached by its own address.
#pragma once

#include <string>

#include "net/http_client.h"
#include "prom/transport.h"

namespace mpca::prom {

class HttpTransport final : public Transport {
 public:
  /// `origin` is `http://127.0.0.1:9090`: what stands before the path of a request. Certificates and proxies are the
  /// client's settings, the time limit is the request's.
  HttpTransport(const std::string& origin, const net::HttpClientSettings& settings);
  Result<Reply> request(const Request& request) override;

 private:
  std::string origin_;
  net::HttpClient client_;
};

}  // namespace mpca::prom
