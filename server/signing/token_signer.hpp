#pragma once

#include "base/result.hpp"
#include "keys/jwk.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// What the rest of the server needs of the key that signs its JWTs.
namespace rekey::server::signing {

// The public keys that a JWT of ours may be signed with at one moment: next, current and previous.
// Never changes.
class VerifyingKeys {
  public:
    // `change` grows by at least one whenever the set of keys changes, so that a verdict about a
    // signature that was remembered together with it can be told from one about other keys.
    VerifyingKeys(std::uint64_t change, std::vector<keys::Jwk> keys);

    [[nodiscard]] std::uint64_t change() const { return change_; }
    // By the kid of a JWS header; null if there is none. Valid as long as this object.
    [[nodiscard]] const keys::PublicKey* find(std::string_view kid) const;
    [[nodiscard]] const std::vector<keys::Jwk>& keys() const { return keys_; }
    // The body of /.well-known/jwks.json.
    [[nodiscard]] const std::string& jwks_text() const { return jwks_text_; }

  private:
    std::uint64_t change_;
    std::vector<keys::Jwk> keys_;
    std::string jwks_text_;
};

// Safe from any thread; nothing here waits for the store or a disk.
class TokenSigner {
  public:
    virtual ~TokenSigner() = default;
    // A compact JWS by the active key: EdDSA, its kid in the header, `typ` such as "at+jwt".
    // Errors: unavailable.
    [[nodiscard]] virtual Result<std::string> sign(std::string_view typ,
                                                   std::string_view payload) const = 0;
    // Take it once a request.
    [[nodiscard]] virtual std::shared_ptr<const VerifyingKeys> verifying_keys() const = 0;
};

}  // namespace rekey::server::signing
