#include "keys/symmetric.hpp"

#include "base/contract.hpp"
#include "base/hash.hpp"
#include "base/limits.hpp"
#include "keys/openssl.hpp"

#include <algorithm>
#include <array>

namespace rekey::keys {
namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

using CipherContextPtr = std::unique_ptr<EVP_CIPHER_CTX, OpensslFree<EVP_CIPHER_CTX_free>>;

const std::uint8_t* key_bytes(const Secret& key) {
    REKEY_ASSERT(key.size() == kSymmetricKeyBytes);
    return as_bytes(key.expose()).data();
}

}  // namespace

Bytes gcm_encrypt(const Secret& key, ByteView plaintext, ByteView associated, Random& random) {
    Bytes sealed(kNonceBytes + plaintext.size() + kTagBytes);
    random.fill(std::span(sealed).first(kNonceBytes));
    std::uint8_t* const body = sealed.data() + kNonceBytes;
    const CipherContextPtr context(EVP_CIPHER_CTX_new());
    int written = 0;
    const bool done = context != nullptr &&
                      EVP_EncryptInit_ex2(context.get(), EVP_aes_256_gcm(), key_bytes(key),
                                          sealed.data(), nullptr) == 1 &&
                      EVP_EncryptUpdate(context.get(), nullptr, &written, associated.data(),
                                        static_cast<int>(associated.size())) == 1 &&
                      EVP_EncryptUpdate(context.get(), body, &written, plaintext.data(),
                                        static_cast<int>(plaintext.size())) == 1 &&
                      EVP_EncryptFinal_ex(context.get(), body + plaintext.size(), &written) == 1 &&
                      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes,
                                          body + plaintext.size()) == 1;
    REKEY_ASSERT(done);
    return sealed;
}

Result<Secret> gcm_decrypt(const Secret& key, ByteView sealed, ByteView associated) {
    Error refused(Code::invalid_params, "the ciphertext was altered, or belongs to something else");
    if (sealed.size() < kNonceBytes + kTagBytes) return refused;
    const ByteView body = sealed.subspan(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
    std::array<std::uint8_t, kTagBytes> tag{};
    std::copy(sealed.end() - kTagBytes, sealed.end(), tag.begin());
    std::string text(body.size(), '\0');
    auto* const out = reinterpret_cast<std::uint8_t*>(text.data());
    const CipherContextPtr context(EVP_CIPHER_CTX_new());
    int written = 0;
    const bool opened =
        context != nullptr &&
        EVP_DecryptInit_ex2(context.get(), EVP_aes_256_gcm(), key_bytes(key), sealed.data(),
                            nullptr) == 1 &&
        EVP_DecryptUpdate(context.get(), nullptr, &written, associated.data(),
                          static_cast<int>(associated.size())) == 1 &&
        EVP_DecryptUpdate(context.get(), out, &written, body.data(),
                          static_cast<int>(body.size())) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1 &&
        EVP_DecryptFinal_ex(context.get(), out + body.size(), &written) == 1;
    Secret secret(opened ? std::string_view(text) : std::string_view());
    wipe_string(text);
    if (!opened) return refused;
    return secret;
}

Result<Secret> hkdf_sha256(const Secret& input_key, ByteView salt, ByteView info,
                           std::size_t length) {
    if (length == 0 || length > limits::kHkdfBytes)
        return Error(Code::invalid_params, "HKDF-SHA256 gives 1 to 8160 bytes");
    const Bytes32 zeros{};
    Bytes32 extracted =
        hmac_sha256(salt.empty() ? ByteView(zeros) : salt, as_bytes(input_key.expose()));
    std::string output;
    // Never moved while it grows: what is left behind would not be wiped.
    output.reserve(length + extracted.size());
    Bytes block;
    block.reserve(extracted.size() + info.size() + 1);
    for (std::uint8_t counter = 1; output.size() < length; ++counter) {
        block.insert(block.end(), info.begin(), info.end());
        block.push_back(counter);
        Bytes32 next = hmac_sha256(extracted, block);
        output.append(reinterpret_cast<const char*>(next.data()), next.size());
        wipe_memory(block.data(), block.size());
        block.assign(next.begin(), next.end());
        wipe_memory(next.data(), next.size());
    }
    wipe_memory(block.data(), block.size());
    wipe_memory(extracted.data(), extracted.size());
    Secret derived(std::string_view(output).substr(0, length));
    wipe_string(output);
    return derived;
}

}  // namespace rekey::keys
