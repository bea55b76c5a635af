#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>

namespace rekey::net {

// The keys that seal session tickets: random, in memory only, changed daily; tickets of the day
// before still open and are replaced. Shared by every context and shard of the process.
class TicketKeys {
  public:
    TicketKeys(const Clock& clock, Random& random) : clock_(clock), random_(random) {}

    // Makes `context` use these keys, which must outlive it.
    void install(SSL_CTX* context);

  private:
    struct Key {
        std::array<std::uint8_t, 16> name{};
        std::array<std::uint8_t, 32> cipher_key{};
        std::array<std::uint8_t, 32> mac_key{};
        SteadyTime made{};

        Key() = default;
        Key(const Key&) = default;
        Key& operator=(const Key&) = default;
        ~Key();
    };

    static int on_ticket(SSL* session, unsigned char* name, unsigned char* iv,
                         EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int encrypting);
    [[nodiscard]] Key key_for_sealing();
    [[nodiscard]] std::optional<Key> key_named(const unsigned char* name, bool& is_current);
    void change_when_due();

    const Clock& clock_;
    Random& random_;
    std::mutex mutex_;
    std::optional<Key> current_;
    std::optional<Key> previous_;
};

}  // namespace rekey::net
