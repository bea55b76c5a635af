#include "base/hash.hpp"

#include "base/contract.hpp"
#include "base/openssl_owner.hpp"
#include "base/secret.hpp"

#include <openssl/crypto.h>

#include <array>

namespace rekey {
namespace {

constexpr std::size_t kBlockBytes = 64;  // FIPS 180-4: SHA-256 works on 512-bit blocks

const EVP_MD* fetched_sha256() {
    static const DigestPtr digest(EVP_MD_fetch(nullptr, "SHA256", nullptr));
    REKEY_ASSERT(digest != nullptr);
    return digest.get();
}

EVP_MD_CTX* thread_context() {
    thread_local const DigestContextPtr context(EVP_MD_CTX_new());
    REKEY_ASSERT(context != nullptr);
    return context.get();
}

Bytes32 sha256_of(std::initializer_list<ByteView> parts) {
    EVP_MD_CTX* context = thread_context();
    Bytes32 digest{};
    bool ok = EVP_DigestInit_ex2(context, fetched_sha256(), nullptr) == 1;
    for (const ByteView part : parts)
        ok = ok && EVP_DigestUpdate(context, part.data(), part.size()) == 1;
    ok = ok && EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1;
    REKEY_ASSERT(ok);
    return digest;
}

}  // namespace

Bytes32 sha256(ByteView data) { return sha256_of({data}); }

// RFC 2104. OpenSSL's own EVP_MAC costs a fetch and an allocation a call, this two hashes.
Bytes32 hmac_sha256(ByteView key, ByteView message) {
    std::array<std::uint8_t, kBlockBytes> inner{};
    std::array<std::uint8_t, kBlockBytes> outer{};
    if (key.size() > kBlockBytes) {
        const Bytes32 short_key = sha256(key);
        std::copy(short_key.begin(), short_key.end(), inner.begin());
    } else {
        std::copy(key.begin(), key.end(), inner.begin());
    }
    for (std::size_t i = 0; i < kBlockBytes; ++i) {
        outer[i] = static_cast<std::uint8_t>(inner[i] ^ 0x5cU);
        inner[i] = static_cast<std::uint8_t>(inner[i] ^ 0x36U);
    }
    const Bytes32 digest = sha256_of({outer, sha256_of({inner, message})});
    wipe_memory(inner.data(), inner.size());
    wipe_memory(outer.data(), outer.size());
    return digest;
}

bool equal_in_constant_time(ByteView left, ByteView right) {
    return left.size() == right.size() &&
           CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace rekey
