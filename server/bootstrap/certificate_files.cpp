#include "base/durable_file.hpp"
#include "base/limits.hpp"
#include "base/time_format.hpp"
#include "net/certificates.hpp"
#include "server/bootstrap/server_certificate.hpp"

#include <sysexits.h>
#include <utility>

namespace rekey::server::bootstrap {
namespace {

// From the last "-----BEGIN CERTIFICATE-----" on.
std::string last_certificate(const std::string& chain) {
    const auto begin = chain.rfind("-----BEGIN CERTIFICATE-----");
    return begin == std::string::npos ? std::string() : chain.substr(begin);
}

int exit_code_for(Code code) {
    // Others can read the key.
    if (code == Code::permission_denied) return EX_NOPERM;
    return code == Code::invalid_params ? EX_CONFIG : EX_NOINPUT;
}

class CertificateFiles final : public ServerCertificate {
  public:
    CertificateFiles(std::string certificate, std::string key, const Clock& clock, Random& random,
                     const Log& log)
        : certificate_file_(std::move(certificate)), key_file_(std::move(key)), log_(log) {
        auto loaded = read();
        if (loaded.has_error())
            throw StartupError("--cert, --key: " + loaded.error().message(),
                               exit_code_for(loaded.error().code()));
        auto tls = net::ServerTls::make(loaded->certificate_pem, loaded->key_pem, clock, random);
        if (tls.has_error()) {
            throw StartupError("--cert " + certificate_file_ + ", --key " + key_file_ + ": " +
                                   tls.error().message(),
                               EX_CONFIG);
        }
        tls_ = *std::move(tls);
        trust(last_certificate(loaded->certificate_pem));
        served_pem_ = std::move(loaded->certificate_pem);
    }

    // Whoever renews them (an ACME client) writes the files anew.
    void check() override {
        auto loaded = read();
        if (loaded.has_error()) {
            log_.error("certificate.not_renewed", {{"error", loaded.error().message()}});
            return;
        }
        if (loaded->certificate_pem == served_pem_) return;
        const auto served = tls_->replace(loaded->certificate_pem, loaded->key_pem);
        if (served.has_error()) {
            log_.error("certificate.not_renewed", {{"error", served.error().message()}});
            return;
        }
        trust(last_certificate(loaded->certificate_pem));
        served_pem_ = std::move(loaded->certificate_pem);
        const auto facts = net::read_certificate(served_pem_);
        log_.info("certificate.renewed",
                  {{"file", certificate_file_},
                   {"not_after", facts.has_value() ? to_rfc3339(facts->not_after) : ""}});
    }

  private:
    [[nodiscard]] Result<net::KeyedCertificate> read() const {
        REKEY_TRY(require_private(key_file_));
        REKEY_TRY_ASSIGN(certificate, read_file(certificate_file_, limits::kConfigFileBytes));
        REKEY_TRY_ASSIGN(key, read_file(key_file_, limits::kConfigFileBytes));
        net::KeyedCertificate loaded;
        loaded.certificate_pem = std::move(certificate);
        loaded.key_pem = Secret(key);
        wipe_string(key);
        return loaded;
    }

    std::string certificate_file_;
    std::string key_file_;
    std::string served_pem_;
    const Log& log_;
};

}  // namespace

std::unique_ptr<ServerCertificate> open_certificate_files(std::string certificate, std::string key,
                                                          const Clock& clock, Random& random,
                                                          const Log& log) {
    return std::make_unique<CertificateFiles>(std::move(certificate), std::move(key), clock, random,
                                              log);
}

}  // namespace rekey::server::bootstrap
