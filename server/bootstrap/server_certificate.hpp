#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "keys/master_key.hpp"
#include "net/tls_context.hpp"
#include "storage/store.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace rekey::server::bootstrap {

// The certificate that is served, kept fresh in the running process.
class ServerCertificate {
  public:
    virtual ~ServerCertificate() = default;

    [[nodiscard]] const std::shared_ptr<net::ServerTls>& tls() const { return tls_; }
    // What agents trust from their enrollment on: the last certificate of the served chain, in PEM.
    // Safe from any thread.
    [[nodiscard]] std::string trust_anchor_pem() const {
        const std::lock_guard lock(mutex_);
        return trust_anchor_pem_;
    }

    // Looks whether it is time for another one and, if so, serves that to new handshakes; open
    // connections stay. What cannot be done is logged and tried again at the next call. Called
    // every limits::kCertificateCheck; one thread at a time.
    virtual void check() = 0;

  protected:
    void trust(std::string anchor_pem) {
        const std::lock_guard lock(mutex_);
        trust_anchor_pem_ = std::move(anchor_pem);
    }
    std::shared_ptr<net::ServerTls> tls_;

  private:
    mutable std::mutex mutex_;
    std::string trust_anchor_pem_;
};

struct OwnCertificateParts {
    storage::Store& store;
    const keys::MasterKey& master_key;
    const Clock& clock;
    Random& random;
    const Log& log;
    std::string ca_file;          // DIR/ca.pem, written at each start
    std::string advertised_host;  // the leaf names it, and localhost and loopback
};

// A leaf below our own CA. CA and leaf live in the database, their private keys sealed under the
// master key; the CA is made at the first start. The leaf is issued anew when it does not name the
// advertised host, at two thirds of its life, or when the clock stands before its begin. Throws
// StartupError. Blocks; check() does not.
[[nodiscard]] std::unique_ptr<ServerCertificate> open_own_certificate(OwnCertificateParts parts);

// The user's own files; check() serves what they hold then. Throws StartupError.
[[nodiscard]] std::unique_ptr<ServerCertificate> open_certificate_files(
    std::string certificate, std::string key, const Clock& clock, Random& random, const Log& log);

}  // namespace rekey::server::bootstrap
