#include "keys/public_key.hpp"

#include "base/contract.hpp"
#include "base/limits.hpp"
#include "keys/openssl.hpp"
#include "keys/pem.hpp"
#include "keys/signature_context.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

namespace rekey::keys {
namespace {

constexpr std::size_t kCoordinate = 32;
constexpr std::size_t kExponentBytes = 8;
constexpr std::uint64_t kLeastExponent = 65537;  // NIST SP 800-56B, section 6.2

Error invalid(std::string message) { return Error(Code::invalid_params, std::move(message)); }

using Shared = std::shared_ptr<EVP_PKEY>;

Shared shared(EVP_PKEY* key) { return key == nullptr ? Shared() : Shared(key, EVP_PKEY_free); }

// OpenSSL keeps a queue of errors a thread; what we refuse must not be read there later by others.
template <class T>
T with_errors_cleared(T value) {
    ERR_clear_error();
    return value;
}

Shared from_params(const char* type, OSSL_PARAM_BLD* builder) {
    const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder));
    const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
        return {};
    return shared(key);
}

bool is_valid(EVP_PKEY* key) {
    const KeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    return context != nullptr && EVP_PKEY_public_check(context.get()) == 1;
}

Bytes number_of(EVP_PKEY* key, const char* name, std::size_t width) {
    BIGNUM* raw = nullptr;
    REKEY_ASSERT(EVP_PKEY_get_bn_param(key, name, &raw) == 1);
    const BignumPtr number(raw);
    const auto least = static_cast<std::size_t>(BN_num_bytes(number.get()));
    Bytes bytes(std::max(width, least));
    REKEY_ASSERT(BN_bn2binpad(number.get(), bytes.data(), static_cast<int>(bytes.size())) >= 0);
    return bytes;
}

// 65537 or more, odd, at most eight bytes, no leading zero.
bool is_exponent(ByteView exponent) {
    if (exponent.empty() || exponent.size() > kExponentBytes || exponent[0] == 0) return false;
    std::uint64_t value = 0;
    for (const std::uint8_t byte : exponent) value = (value << 8U) | byte;
    return value >= kLeastExponent && value % 2 == 1;
}

bool is_size(std::size_t bits) {
    return bits >= limits::kRsaBitsMin && bits <= limits::kRsaBitsMax;
}

bool is_group_p256(EVP_PKEY* key) {
    std::array<char, 64> name{};
    std::size_t size = 0;
    return EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) == 1 &&
           std::string_view(name.data(), size) == SN_X9_62_prime256v1;
}

}  // namespace

Result<PublicKey> PublicKey::ed25519(ByteView x) {
    if (x.size() != kCoordinate) return invalid("an Ed25519 public key is 32 bytes");
    Shared key = shared(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, x.data(), x.size()));
    REKEY_ASSERT(key != nullptr);
    return PublicKey(Algorithm::ed25519, std::move(key));
}

Result<PublicKey> PublicKey::ecdsa_p256(ByteView x, ByteView y) {
    if (x.size() != kCoordinate || y.size() != kCoordinate)
        return invalid("a P-256 coordinate is 32 bytes");
    Bytes point{POINT_CONVERSION_UNCOMPRESSED};
    point.insert(point.end(), x.begin(), x.end());
    point.insert(point.end(), y.begin(), y.end());
    const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
    REKEY_ASSERT(builder != nullptr &&
                 OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                                 SN_X9_62_prime256v1, 0) == 1 &&
                 OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                                  point.data(), point.size()) == 1);
    Shared key = with_errors_cleared(from_params("EC", builder.get()));
    if (key == nullptr || !with_errors_cleared(is_valid(key.get())))
        return invalid("not a point of the curve P-256");
    return PublicKey(Algorithm::ecdsa_p256, std::move(key));
}

Result<PublicKey> PublicKey::rsa_pss(ByteView modulus, ByteView exponent) {
    if (modulus.empty() || modulus.front() == 0 || modulus.back() % 2 == 0 ||
        modulus.size() > limits::kRsaBitsMax / 8)
        return invalid("not an RSA modulus");
    if (!is_exponent(exponent)) return invalid("not an RSA exponent of 65537 or more");
    const BignumPtr n(BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
    const BignumPtr e(BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), nullptr));
    const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
    REKEY_ASSERT(n != nullptr && e != nullptr && builder != nullptr);
    if (!is_size(static_cast<std::size_t>(BN_num_bits(n.get()))))
        return invalid("an RSA key has 2048 to 4096 bits");
    REKEY_ASSERT(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
                 OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1);
    Shared key = with_errors_cleared(from_params("RSA", builder.get()));
    if (key == nullptr) return invalid("not an RSA public key");
    return PublicKey(Algorithm::rsa_pss, std::move(key));
}

Result<PublicKey> PublicKey::from_pem(std::string_view pem) {
    Error refused = invalid("not a public key in PEM (SubjectPublicKeyInfo)");
    if (!is_one_pem_block(pem, "PUBLIC KEY")) return refused;
    const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    REKEY_ASSERT(bio != nullptr);
    Shared key =
        with_errors_cleared(shared(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr)));
    if (key == nullptr) return refused;
    return from_openssl(std::move(key));
}

Result<PublicKey> PublicKey::from_der(ByteView der) {
    Error refused = invalid("not a public key in DER (SubjectPublicKeyInfo)");
    if (der.empty() || der.size() > limits::kKeyPemBytes) return refused;
    const std::uint8_t* at = der.data();
    Shared key =
        with_errors_cleared(shared(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size()))));
    if (key == nullptr || at != der.data() + der.size()) return refused;
    return from_openssl(std::move(key));
}

Result<PublicKey> PublicKey::from_openssl(Shared key) {
    if (EVP_PKEY_is_a(key.get(), "ED25519") == 1)
        return PublicKey(Algorithm::ed25519, std::move(key));
    if (EVP_PKEY_is_a(key.get(), "EC") == 1 && is_group_p256(key.get())) {
        if (!with_errors_cleared(is_valid(key.get())))
            return invalid("not a point of the curve P-256");
        return PublicKey(Algorithm::ecdsa_p256, std::move(key));
    }
    if (EVP_PKEY_is_a(key.get(), "RSA") == 1)
        return rsa_pss(number_of(key.get(), OSSL_PKEY_PARAM_RSA_N, 0),
                       number_of(key.get(), OSSL_PKEY_PARAM_RSA_E, 0));
    return invalid("neither Ed25519, nor P-256, nor RSA");
}

std::size_t PublicKey::size_bits() const {
    return static_cast<std::size_t>(EVP_PKEY_get_bits(key_.get()));
}

std::string PublicKey::to_pem() const {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    REKEY_ASSERT(bio != nullptr && PEM_write_bio_PUBKEY(bio.get(), key_.get()) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    REKEY_ASSERT(size > 0);
    return {data, static_cast<std::size_t>(size)};
}

Bytes PublicKey::to_der() const {
    std::uint8_t* der = nullptr;
    const int size = i2d_PUBKEY(key_.get(), &der);
    REKEY_ASSERT(size > 0);
    Bytes bytes(der, der + size);
    OPENSSL_free(der);
    return bytes;
}

bool PublicKey::verify(std::string_view message, ByteView signature) const {
    return with_errors_cleared(
        verify_signature(key_.get(), algorithm_, as_bytes(message), signature));
}

std::vector<std::pair<std::string_view, Bytes>> PublicKey::numbers() const {
    EVP_PKEY* key = key_.get();
    switch (algorithm_) {
        case Algorithm::ed25519: {
            Bytes x(kCoordinate);
            std::size_t size = x.size();
            REKEY_ASSERT(EVP_PKEY_get_raw_public_key(key, x.data(), &size) == 1 &&
                         size == kCoordinate);
            return {{"x", std::move(x)}};
        }
        case Algorithm::ecdsa_p256:
            return {{"x", number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, kCoordinate)},
                    {"y", number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, kCoordinate)}};
        default:
            REKEY_ASSERT(algorithm_ == Algorithm::rsa_pss);
            return {{"e", number_of(key, OSSL_PKEY_PARAM_RSA_E, 0)},
                    {"n", number_of(key, OSSL_PKEY_PARAM_RSA_N, 0)}};
    }
}

}  // namespace rekey::keys
