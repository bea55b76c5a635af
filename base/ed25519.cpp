#include "base/ed25519.hpp"

#include "base/contract.hpp"
#include "base/openssl_owner.hpp"

#include <openssl/pem.h>

#include <limits>
#include <utility>

namespace rekey {
namespace {

// OpenSSL would otherwise ask the terminal for the password of an encrypted key.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) { return -1; }

}  // namespace

struct Ed25519Key::Pair {
    KeyPtr key;
};

Ed25519Key::Ed25519Key(std::unique_ptr<Pair> pair) : pair_(std::move(pair)) {
    std::size_t size = public_key_.size();
    REKEY_ASSERT(pair_->key != nullptr &&
                 EVP_PKEY_get_raw_public_key(pair_->key.get(), public_key_.data(), &size) == 1 &&
                 size == public_key_.size());
}

Ed25519Key::Ed25519Key(Ed25519Key&& other) noexcept = default;
Ed25519Key& Ed25519Key::operator=(Ed25519Key&& other) noexcept = default;
Ed25519Key::~Ed25519Key() = default;

Ed25519Key Ed25519Key::generate() {
    return Ed25519Key(
        std::make_unique<Pair>(Pair{KeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))}));
}

Ed25519Key Ed25519Key::from_seed(const Bytes32& seed) {
    return Ed25519Key(std::make_unique<Pair>(Pair{KeyPtr(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()))}));
}

Result<Ed25519Key> Ed25519Key::from_pem(const Secret& pem) {
    Error unreadable(Code::corrupt, "not an Ed25519 private key in unencrypted PKCS#8 PEM");
    const std::string_view text = pem.expose();
    if (text.empty() || text.size() > std::numeric_limits<int>::max()) return unreadable;
    const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
    if (key == nullptr || EVP_PKEY_is_a(key.get(), "ED25519") != 1) return unreadable;
    return Ed25519Key(std::make_unique<Pair>(Pair{std::move(key)}));
}

Secret Ed25519Key::to_pem() const {
    // Memory that OpenSSL wipes when it frees it.
    const BioPtr bio(BIO_new(BIO_s_secmem()));
    REKEY_ASSERT(bio != nullptr &&
                 PEM_write_bio_PKCS8PrivateKey(bio.get(), pair_->key.get(), nullptr, nullptr, 0,
                                               nullptr, nullptr) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    REKEY_ASSERT(size > 0);
    return Secret(std::string_view(data, static_cast<std::size_t>(size)));
}

Ed25519Signature Ed25519Key::sign(std::string_view message) const {
    const DigestContextPtr context(EVP_MD_CTX_new());
    const ByteView bytes = as_bytes(message);
    Ed25519Signature signature{};
    std::size_t size = signature.size();
    const bool ok =
        EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, pair_->key.get()) == 1 &&
        EVP_DigestSign(context.get(), signature.data(), &size, bytes.data(), bytes.size()) == 1;
    REKEY_ASSERT(ok && size == signature.size());
    return signature;
}

bool ed25519_verify(const Bytes32& public_key, std::string_view message, ByteView signature) {
    const KeyPtr key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, public_key.data(),
                                                 public_key.size()));
    const DigestContextPtr context(EVP_MD_CTX_new());
    const ByteView bytes = as_bytes(message);
    return key != nullptr &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes.data(),
                            bytes.size()) == 1;
}

}  // namespace rekey
