// An authority of a test's own and certificates signed by it, made by the openssl program.
#pragma once

#include <cstdlib>
#include <string>

#include "core/result.h"
#include "support/temporary_directory.h"

namespace mpca::test {

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "test-ca") {
    run("req -x509 " + kKey + " -days 2 -subj /CN=" + name + " -keyout " + file("ca.key") + " -out " + ca_file());
  }

  std::string ca_file() const { return file("ca.pem"); }
  std::string file(const std::string& name) const { return directory_.file(name); }

  /// Writes NAME.pem and NAME.key. `alternatives`: `IP:127.0.0.1,DNS:api.test`.
  void sign(const std::string& name, const std::string& alternatives) const {
    run("req " + kKey + " -subj /CN=" + name + " -addext subjectAltName=" + alternatives + " -keyout " +
        file(name + ".key") + " -out " + file(name + ".csr"));
    run("x509 -req -days 2 -copy_extensions copy -CAcreateserial -in " + file(name + ".csr") + " -CA " + ca_file() +
        " -CAkey " + file("ca.key") + " -out " + file(name + ".pem"));
  }

 private:
  static void run(const std::string& arguments) {
    MPCA_CHECK(std::system(("openssl " + arguments + " 2>/dev/null").c_str()) == 0, "openssl makes a certificate");
  }

  inline static const std::string kKey = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  TemporaryDirectory directory_;
};

}  // namespace mpca::test
