#include "core/text.h"
#include "keda/scaler_server.h"

namespace mpca::keda {

SettingsTable settings_of(ScalerServerSettings& settings) {
  return {
      {"keda-listen", &settings.listen,
       "HOST:PORT or :PORT for KEDA, as an external scaler; open while this process leads"},
      {"keda-tls-cert", &settings.tls_certificate, "PEM file; without it, plaintext"},
      {"keda-tls-key", &settings.tls_key, "PEM file with the key of --keda-tls-cert"},
      {"keda-tls-ca", &settings.tls_client_authorities,
       "PEM file; clients have to show a certificate of these authorities"},
  };
}

Result<void> check(const ScalerServerSettings& settings) {
  Problems problems;
  const std::size_t colon = settings.listen.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : parse_int(settings.listen.substr(colon + 1));
  if (!settings.listen.empty() && (!port || *port < 0 || *port > 65535))
    problems.add(cat("--keda-listen is \"", settings.listen, "\"; must be HOST:PORT or :PORT"));
  const bool has_certificate = !settings.tls_certificate.empty();
  if (has_certificate == settings.tls_key.empty())
    problems.add("--keda-tls-cert and --keda-tls-key are of use only together");
  if (!settings.tls_client_authorities.empty() && !has_certificate)
    problems.add("--keda-tls-ca is only of use with --keda-tls-cert");
  if (settings.listen.empty() && has_certificate) problems.add("--keda-tls-cert is only of use with --keda-listen");
  return problems.to_result();
}

}  // namespace mpca::keda
