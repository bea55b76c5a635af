#include "net/openssl.hpp"

#include "base/contract.hpp"
#include "base/encoding.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>

namespace rekey::net {
namespace {

int no_pass_phrase(char*, int, int, void*) { return 0; }

BioPtr read_from(std::string_view text) {
    BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    REKEY_ASSERT(bio != nullptr);
    return bio;
}

}  // namespace

std::string take_openssl_error() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason == nullptr ? "unknown TLS error" : reason;
}

std::vector<X509Ptr> parse_certificates(std::string_view pem) {
    std::vector<X509Ptr> found;
    const BioPtr bio = read_from(pem);
    ERR_clear_error();
    for (;;) {
        X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, no_pass_phrase, nullptr));
        if (!certificate) break;
        found.push_back(std::move(certificate));
    }
    // The end of the text is the one error that is none.
    const unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    if (ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE)
        found.clear();
    return found;
}

KeyPtr parse_key(const Secret& pem) {
    const BioPtr bio = read_from(pem.expose());
    KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr));
    ERR_clear_error();
    return key;
}

std::string pin_of(const X509* certificate) {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    REKEY_ASSERT(X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1);
    return "sha256:" + to_hex(ByteView(digest.data(), size));
}

}  // namespace rekey::net
