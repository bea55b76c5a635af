#include "keys/private_key.hpp"

#include "base/contract.hpp"
#include "base/limits.hpp"
#include "keys/openssl.hpp"
#include "keys/pem.hpp"
#include "keys/signature_context.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <utility>

namespace rekey::keys {
namespace {

using Shared = std::shared_ptr<EVP_PKEY>;

// OpenSSL would otherwise ask the terminal for the password of an encrypted key.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) { return -1; }

// The public half alone, so that a copy of it never keeps the private one in memory.
Result<PublicKey> public_half(EVP_PKEY* key) {
    std::uint8_t* der = nullptr;
    const int size = i2d_PUBKEY(key, &der);
    REKEY_ASSERT(size > 0);
    const Bytes bytes(der, der + size);
    OPENSSL_free(der);
    return PublicKey::from_der(bytes);
}

bool halves_belong_together(EVP_PKEY* key, Algorithm algorithm, const PublicKey& half) {
    const KeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    // OpenSSL has no check of its own for Ed25519; a signature shows it for all kinds.
    if (context == nullptr ||
        (algorithm != Algorithm::ed25519 && EVP_PKEY_check(context.get()) != 1))
        return false;
    constexpr std::string_view kMessage = "rekey-key-check-v1";
    return half.verify(kMessage, make_signature(key, algorithm, as_bytes(kMessage)));
}

EVP_PKEY* generated(Algorithm algorithm, std::size_t bits) {
    switch (algorithm) {
        case Algorithm::ed25519:
            return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
        case Algorithm::ecdsa_p256:
            return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
        default:
            return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits);
    }
}

}  // namespace

Result<PrivateKey> PrivateKey::generate(Algorithm algorithm, std::size_t bits) {
    if (class_of(algorithm) != KeyClass::asymmetric)
        return Error(Code::invalid_params, "a symmetric algorithm has no private key");
    if (algorithm == Algorithm::rsa_pss &&
        (bits < limits::kRsaBitsMin || bits > limits::kRsaBitsMax || bits % 8 != 0))
        return Error(Code::invalid_params, "an RSA key has 2048 to 4096 bits");
    Shared key(generated(algorithm, bits), EVP_PKEY_free);
    REKEY_ASSERT(key != nullptr);
    REKEY_TRY_ASSIGN(half, public_half(key.get()));
    return PrivateKey(std::move(key), std::move(half));
}

Result<PrivateKey> PrivateKey::from_pem(const Secret& pem) {
    Error refused(Code::invalid_params,
                  "not an Ed25519, P-256 or RSA private key in unencrypted PKCS#8 PEM");
    const std::string_view text = pem.expose();
    if (!is_one_pem_block(text, "PRIVATE KEY")) return refused;
    const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    REKEY_ASSERT(bio != nullptr);
    Shared key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr), EVP_PKEY_free);
    ERR_clear_error();
    if (key == nullptr) return refused;
    // Size and kind are judged before anything is computed with it: a giant modulus costs minutes.
    if (EVP_PKEY_get_bits(key.get()) > static_cast<int>(limits::kRsaBitsMax)) return refused;
    REKEY_TRY_ASSIGN(half, public_half(key.get()));
    const bool belong = halves_belong_together(key.get(), half.algorithm(), half);
    ERR_clear_error();
    if (!belong)
        return Error(Code::invalid_params, "the two halves of the key do not belong together");
    return PrivateKey(std::move(key), std::move(half));
}

Secret PrivateKey::to_pem() const {
    // Memory that OpenSSL wipes when it frees it.
    const BioPtr bio(BIO_new(BIO_s_secmem()));
    REKEY_ASSERT(bio != nullptr &&
                 PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                               nullptr) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    REKEY_ASSERT(size > 0);
    return Secret(std::string_view(data, static_cast<std::size_t>(size)));
}

Bytes PrivateKey::sign(std::string_view message) const {
    return make_signature(key_.get(), algorithm(), as_bytes(message));
}

}  // namespace rekey::keys
