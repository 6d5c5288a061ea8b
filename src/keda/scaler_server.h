// KEDA's external scaler over gRPC (package `externalscaler`, external_scaler.proto), so that KEDA's users get the
// forecast as a scaler with KEDA's own bounds and fallback.
//
// The port is open only while this process leads. A gRPC client keeps the connection that it has: one to a process that
// stands by would be answered UNAVAILABLE for as long as it lives, while a closed port sends the client on to the next
// address of the Service.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "core/settings.h"
#include "core/time.h"
#include "keda/scaler_answer.h"

namespace mpca::keda {

struct ScalerServerSettings {
  std::string listen;  // HOST:PORT or :PORT; empty: no server
  // PEM files, read again when they change. Without a certificate: plaintext. While those of now cannot be used (a pair
  // of which one half is changed already), those before stay in use, and the port open.
  std::string tls_certificate, tls_key;
  std::string tls_client_authorities;  // given: clients have to show a certificate of theirs
  Duration files_read_every = std::chrono::seconds(10);
  Duration look_every = std::chrono::seconds(1);  // whether this process leads
};

SettingsTable settings_of(ScalerServerSettings& settings);
/// What is wrong with them by themselves: all of it.
Result<void> check(const ScalerServerSettings& settings);

class ScalerServer {
 public:
  /// Opens the port whenever `source.is_leading()`, looking every `look_every`, until destroyed; a client's streams end
  /// then with UNAVAILABLE. Answers on gRPC's threads.
  ///   log      a line for people, of any thread
  ///   errors   invalid_argument  as check() has them, or a certificate and key that do not go together
  ///            not_found, io     a file of TLS; the address is in use or not of this machine
  ///            unsupported       this program was built without gRPC
  static Result<ScalerServer> start(const ScalerServerSettings& settings, Source source,
                                    std::function<void(const std::string&)> log);
  ScalerServer(ScalerServer&&) noexcept;
  ScalerServer& operator=(ScalerServer&&) noexcept;
  ~ScalerServer();

  /// What port 0 became. The same while this lives.
  int port() const;

 private:
  struct Impl;
  explicit ScalerServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mpca::keda
