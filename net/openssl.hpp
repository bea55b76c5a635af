#pragma once

#include "base/openssl_owner.hpp"
#include "base/secret.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

// More owners for OpenSSL's objects. Inside net/ only.
namespace rekey::net {

inline void free_general_names(GENERAL_NAMES* names) noexcept {
    sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
}

using X509Ptr = std::unique_ptr<X509, OpensslFree<X509_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, OpensslFree<X509_EXTENSION_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, OpensslFree<free_general_names>>;
using OctetStringPtr = std::unique_ptr<ASN1_OCTET_STRING, OpensslFree<ASN1_OCTET_STRING_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, OpensslFree<SSL_SESSION_free>>;

// The oldest error of this thread in words; empties the thread's queue.
[[nodiscard]] std::string take_openssl_error();

// All certificates of a PEM text in order; empty if one of them cannot be read.
[[nodiscard]] std::vector<X509Ptr> parse_certificates(std::string_view pem);
// Null if it cannot be read. Never asks a terminal for a pass phrase.
[[nodiscard]] KeyPtr parse_key(const Secret& pem);
// "sha256:<hex>" over the DER.
[[nodiscard]] std::string pin_of(const X509* certificate);

}  // namespace rekey::net
