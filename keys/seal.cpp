#include "keys/seal.hpp"

#include "base/contract.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>

namespace rekey::keys {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kIdBytes = 4;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kHeaderBytes = 1 + kIdBytes + kNonceBytes;

// Fetched once: a fetch takes longer than sealing a token.
const EVP_CIPHER* aes_256_gcm() {
    static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    REKEY_ASSERT(cipher != nullptr);
    return cipher;
}

struct FreeContext {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

// Each part behind its length, so that no two contexts have the same associated data.
class AssociatedData {
  public:
    void part(std::string_view text) {
        number(text.size());
        data_.append(text);
    }
    void number(std::uint64_t value) {
        for (int shift = 56; shift >= 0; shift -= 8)
            data_.push_back(static_cast<char>((value >> shift) & 0xFFU));
    }
    [[nodiscard]] ByteView view() const { return as_bytes(data_); }

  private:
    std::string data_;
};

AssociatedData of_token(const MasterKey& master, const TokenContext& context) {
    AssociatedData data;
    data.part("rekey-sealed-token-v1");
    data.part(context.agent_id);
    data.part(context.rotation_id);
    data.number(context.generation);
    data.part(master.id());
    return data;
}

AssociatedData of_purpose(const MasterKey& master, std::string_view purpose) {
    AssociatedData data;
    data.part("rekey-sealed-v1");
    data.part(purpose);
    data.part(master.id());
    return data;
}

int size_of(std::size_t size) {
    REKEY_ASSERT(size <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
    return static_cast<int>(size);
}

Bytes encrypt(const MasterKey& master, const KeyBytes& key, const AssociatedData& associated,
              const Secret& plaintext, Random& random) {
    const ByteView text = as_bytes(plaintext.expose());
    Bytes sealed(kHeaderBytes + text.size() + kTagBytes);
    sealed[0] = kVersion;
    const auto id = from_hex(master.id());
    REKEY_ASSERT(id && id->size() == kIdBytes);
    std::copy(id->begin(), id->end(), sealed.begin() + 1);
    const std::span<std::uint8_t> nonce(sealed.data() + 1 + kIdBytes, kNonceBytes);
    random.fill(nonce);
    std::uint8_t* const body = sealed.data() + kHeaderBytes;

    const Context context(EVP_CIPHER_CTX_new());
    int written = 0;
    const bool done =
        context != nullptr &&
        EVP_EncryptInit_ex2(context.get(), aes_256_gcm(), key.expose().data(), nonce.data(),
                            nullptr) == 1 &&
        EVP_EncryptUpdate(context.get(), nullptr, &written, associated.view().data(),
                          size_of(associated.view().size())) == 1 &&
        EVP_EncryptUpdate(context.get(), body, &written, text.data(), size_of(text.size())) == 1 &&
        EVP_EncryptFinal_ex(context.get(), body + written, &written) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, body + text.size()) ==
            1;
    // With a key, a nonce and memory there is nothing left that may fail.
    REKEY_ASSERT(done);
    return sealed;
}

Result<Secret> decrypt(const MasterKey& master, const KeyBytes& key,
                       const AssociatedData& associated, ByteView sealed) {
    const auto made_with = sealing_key_id(sealed);
    if (!made_with) return Error(Code::corrupt, "sealed data is cut short or of another version");
    if (*made_with != master.id())
        return Error(Code::corrupt, "sealed with master key " + *made_with +
                                        ", but the loaded one is " + master.id());
    const ByteView nonce = sealed.subspan(1 + kIdBytes, kNonceBytes);
    const ByteView body = sealed.subspan(kHeaderBytes, sealed.size() - kHeaderBytes - kTagBytes);
    std::array<std::uint8_t, kTagBytes> tag{};
    std::copy(sealed.end() - kTagBytes, sealed.end(), tag.begin());

    std::string text(body.size(), '\0');
    auto* const out = reinterpret_cast<std::uint8_t*>(text.data());
    const Context context(EVP_CIPHER_CTX_new());
    int written = 0;
    const bool opened =
        context != nullptr &&
        EVP_DecryptInit_ex2(context.get(), aes_256_gcm(), key.expose().data(), nonce.data(),
                            nullptr) == 1 &&
        EVP_DecryptUpdate(context.get(), nullptr, &written, associated.view().data(),
                          size_of(associated.view().size())) == 1 &&
        EVP_DecryptUpdate(context.get(), out, &written, body.data(), size_of(body.size())) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1 &&
        EVP_DecryptFinal_ex(context.get(), out + written, &written) == 1;
    Secret secret(opened ? std::string_view(text) : std::string_view());
    wipe_string(text);
    if (!opened)
        return Error(Code::corrupt, "sealed data was altered, or belongs to something else");
    return secret;
}

}  // namespace

Bytes seal_token(const MasterKey& master, const TokenContext& context, const Secret& token,
                 Random& random) {
    return encrypt(master, master.token_key(), of_token(master, context), token, random);
}

Result<Secret> open_token(const MasterKey& master, const TokenContext& context, ByteView sealed) {
    return decrypt(master, master.token_key(), of_token(master, context), sealed);
}

Bytes seal(const MasterKey& master, std::string_view purpose, const Secret& plaintext,
           Random& random) {
    return encrypt(master, master.derive(purpose), of_purpose(master, purpose), plaintext, random);
}

Result<Secret> open(const MasterKey& master, std::string_view purpose, ByteView sealed) {
    return decrypt(master, master.derive(purpose), of_purpose(master, purpose), sealed);
}

std::optional<std::string> sealing_key_id(ByteView sealed) {
    if (sealed.size() < kHeaderBytes + kTagBytes || sealed[0] != kVersion) return std::nullopt;
    return to_hex(sealed.subspan(1, kIdBytes));
}

}  // namespace rekey::keys
