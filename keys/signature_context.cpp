#include "keys/signature_context.hpp"

#include "base/contract.hpp"
#include "keys/openssl.hpp"

#include <openssl/rsa.h>

#include <array>

namespace rekey::keys {
namespace {

constexpr std::size_t kHalf = 32;  // of an ECDSA P-256 signature
constexpr int kPssSaltBytes = 32;  // RFC 7518, section 3.5: the size of the hash

// Ed25519 hashes inside; the others sign a SHA-256.
const char* digest_of(Algorithm algorithm) {
    return algorithm == Algorithm::ed25519 ? nullptr : "SHA256";
}

bool set_padding(EVP_PKEY_CTX* context, Algorithm algorithm) {
    return algorithm != Algorithm::rsa_pss ||
           (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(context, kPssSaltBytes) == 1 &&
            EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, "SHA256", nullptr) == 1);
}

// RFC 7518, section 3.4: OpenSSL speaks DER, a JWS has the two numbers beside each other.
Bytes raw_of_der(ByteView der) {
    const std::uint8_t* from = der.data();
    const EcdsaSignaturePtr signature(d2i_ECDSA_SIG(nullptr, &from, static_cast<long>(der.size())));
    REKEY_ASSERT(signature != nullptr);
    Bytes raw(2 * kHalf);
    REKEY_ASSERT(BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), kHalf) >= 0 &&
                 BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + kHalf, kHalf) >= 0);
    return raw;
}

// Empty if it is not 64 bytes.
Bytes der_of_raw(ByteView raw) {
    if (raw.size() != 2 * kHalf) return {};
    const EcdsaSignaturePtr signature(ECDSA_SIG_new());
    REKEY_ASSERT(signature != nullptr);
    BignumPtr r(BN_bin2bn(raw.data(), kHalf, nullptr));
    BignumPtr s(BN_bin2bn(raw.data() + kHalf, kHalf, nullptr));
    REKEY_ASSERT(r != nullptr && s != nullptr);
    // The signature owns them from here on.
    REKEY_ASSERT(ECDSA_SIG_set0(signature.get(), r.release(), s.release()) == 1);
    std::uint8_t* der = nullptr;
    const int size = i2d_ECDSA_SIG(signature.get(), &der);
    REKEY_ASSERT(size > 0);
    Bytes bytes(der, der + size);
    OPENSSL_free(der);
    return bytes;
}

std::size_t size_of_signature(EVP_PKEY* key, Algorithm algorithm) {
    return algorithm == Algorithm::rsa_pss ? static_cast<std::size_t>(EVP_PKEY_get_size(key))
                                           : 2 * kHalf;
}

}  // namespace

Bytes make_signature(EVP_PKEY* key, Algorithm algorithm, ByteView message) {
    const DigestContextPtr context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* options = nullptr;
    std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key));
    Bytes signature(size);
    const bool done =
        context != nullptr &&
        EVP_DigestSignInit_ex(context.get(), &options, digest_of(algorithm), nullptr, nullptr, key,
                              nullptr) == 1 &&
        set_padding(options, algorithm) &&
        EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1;
    REKEY_ASSERT(done);
    signature.resize(size);
    return algorithm == Algorithm::ecdsa_p256 ? raw_of_der(signature) : signature;
}

bool verify_signature(EVP_PKEY* key, Algorithm algorithm, ByteView message, ByteView signature) {
    if (signature.size() != size_of_signature(key, algorithm)) return false;
    Bytes der;
    if (algorithm == Algorithm::ecdsa_p256) {
        der = der_of_raw(signature);
        signature = der;
    }
    const DigestContextPtr context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* options = nullptr;
    return context != nullptr &&
           EVP_DigestVerifyInit_ex(context.get(), &options, digest_of(algorithm), nullptr, nullptr,
                                   key, nullptr) == 1 &&
           set_padding(options, algorithm) &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                            message.size()) == 1;
}

}  // namespace rekey::keys
