#include "net/tls_tickets.hpp"

#include "base/contract.hpp"
#include "base/secret.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <cstring>

namespace rekey::net {
namespace {

constexpr auto kKeyLife = std::chrono::hours{24};

// OpenSSL hands a callback the context only; this slot of it leads back to the keys.
int context_slot() {
    static const int slot =
        CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, nullptr, nullptr, nullptr, nullptr);
    return slot;
}

bool set_mac(EVP_MAC_CTX* mac, std::array<std::uint8_t, 32>& key) {
    char digest[] = "SHA256";
    const std::array<OSSL_PARAM, 3> params{
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.data(), key.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(mac, params.data()) == 1;
}

}  // namespace

TicketKeys::Key::~Key() {
    wipe_memory(cipher_key.data(), cipher_key.size());
    wipe_memory(mac_key.data(), mac_key.size());
}

void TicketKeys::install(SSL_CTX* context) {
    REKEY_ASSERT(SSL_CTX_set_ex_data(context, context_slot(), this) == 1);
    REKEY_ASSERT(SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &TicketKeys::on_ticket) == 1);
}

void TicketKeys::change_when_due() {
    const SteadyTime now = clock_.steady_now();
    if (current_ && now - current_->made < kKeyLife) return;
    // Nobody connected for two days: what was current is too old to be the previous.
    const bool recent = current_ && now - current_->made < 2 * kKeyLife;
    previous_ = recent ? current_ : std::nullopt;
    Key fresh;
    random_.fill(fresh.name);
    random_.fill(fresh.cipher_key);
    random_.fill(fresh.mac_key);
    fresh.made = now;
    current_ = fresh;
}

TicketKeys::Key TicketKeys::key_for_sealing() {
    const std::scoped_lock lock(mutex_);
    change_when_due();
    return *current_;
}

std::optional<TicketKeys::Key> TicketKeys::key_named(const unsigned char* name, bool& is_current) {
    const std::scoped_lock lock(mutex_);
    change_when_due();
    for (const std::optional<Key>* key : {&current_, &previous_}) {
        if (!*key || !std::equal((*key)->name.begin(), (*key)->name.end(), name)) continue;
        is_current = key == &current_;
        return *key;
    }
    return std::nullopt;
}

// SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1 goes on, 2 goes on and renews the ticket, 0 has no
// such key (a full handshake follows), -1 fails.
int TicketKeys::on_ticket(SSL* session, unsigned char* name, unsigned char* iv,
                          EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int encrypting) {
    auto* keys =
        static_cast<TicketKeys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), context_slot()));
    if (encrypting != 0) {
        Key key = keys->key_for_sealing();
        std::array<std::uint8_t, 16> nonce{};
        {
            const std::scoped_lock lock(keys->mutex_);
            keys->random_.fill(nonce);
        }
        std::memcpy(name, key.name.data(), key.name.size());
        std::memcpy(iv, nonce.data(), nonce.size());
        const bool ready =
            EVP_EncryptInit_ex2(cipher, EVP_aes_256_cbc(), key.cipher_key.data(), iv, nullptr) == 1;
        return ready && set_mac(mac, key.mac_key) ? 1 : -1;
    }
    bool is_current = false;
    std::optional<Key> key = keys->key_named(name, is_current);
    if (!key) return 0;
    const bool ready =
        EVP_DecryptInit_ex2(cipher, EVP_aes_256_cbc(), key->cipher_key.data(), iv, nullptr) == 1;
    if (!ready || !set_mac(mac, key->mac_key)) return -1;
    return is_current ? 1 : 2;
}

}  // namespace rekey::net
