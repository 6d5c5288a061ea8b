// What one client shows the API server, kept fresh.
#pragma once

#include <optional>
#include <string>

#include "kube/connection.h"

namespace mpca::kube::internal {

class Credentials {
 public:
  explicit Credentials(const Connection& connection) : connection_(connection) {}

  /// Reads the token file when it was last read a minute ago, asks the exec plugin when its credential is about to
  /// expire. What was good before stays when that fails.
  ///   errors   nothing was ever there, with the reason
  Result<void> refresh(TimePoint now);
  /// After a 401: forgets; the next refresh() reads in any case. False when nothing else can come of it.
  bool renew();

  const std::string& token() const { return token_; }
  /// With the plugin's certificate, if it gave one.
  net::TlsSettings tls() const;
  /// Counts the certificates that were handed out.
  int certificate_version() const { return certificate_version_; }

 private:
  Result<void> read_token_file(TimePoint now);
  Result<void> ask_plugin(TimePoint now);

  const Connection& connection_;
  std::string token_;
  std::optional<TimePoint> read_at_;
  std::optional<TimePoint> expires_;
  net::Pem certificate_, key_;
  int certificate_version_ = 0;
};

}  // namespace mpca::kube::internal
