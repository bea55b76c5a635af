#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rekey::net {

// A certificate and the private key that belongs to it, both in PEM.
struct KeyedCertificate {
    std::string certificate_pem;
    Secret key_pem;  // PKCS#8, not encrypted
};

// What a certificate says of itself.
struct CertificateFacts {
    std::vector<std::string> names;  // subjectAltName: DNS names and IP addresses, in order
    Time not_before;
    Time not_after;
    std::string pin;  // "sha256:<lower-case hex of SHA-256 over the DER>"
    bool is_ca = false;
};

// A new certification authority: ECDSA P-256, self-signed, 10 years. Keys come from OpenSSL's own
// generator; `random` gives the serial number.
[[nodiscard]] Result<KeyedCertificate> make_ca(std::string_view common_name, const Clock& clock,
                                               Random& random);

// A server certificate below `ca`: ECDSA P-256, 90 days, named `hosts` (DNS names or IP addresses)
// and localhost, 127.0.0.1, ::1. `invalid_params` for a host that is neither. Only the leaf is
// returned: what is served is this PEM followed by the CA's, so that an agent can check its pin.
[[nodiscard]] Result<KeyedCertificate> issue_certificate(const KeyedCertificate& ca,
                                                         const std::vector<std::string>& hosts,
                                                         const Clock& clock, Random& random);

// The first certificate of a PEM text; `invalid_params` if there is none that can be read.
[[nodiscard]] Result<CertificateFacts> read_certificate(std::string_view pem);
// All of them, in order.
[[nodiscard]] Result<std::vector<CertificateFacts>> read_certificates(std::string_view pem);

// `invalid_params` unless `key_pem` is the private key of the first certificate of `pem`.
[[nodiscard]] Result<> require_matching_key(std::string_view pem, const Secret& key_pem);

// Whether the names hold `host` as written (compared without case; no wildcards: ours have none).
[[nodiscard]] bool names_host(const CertificateFacts& facts, std::string_view host);
// Whether two thirds of its life are over, or it has not begun by a wrong clock.
[[nodiscard]] bool is_due_for_renewal(const CertificateFacts& facts, Time now);

// "sha256:" and 64 lower-case hex digits.
[[nodiscard]] bool is_pin(std::string_view text);

}  // namespace rekey::net
