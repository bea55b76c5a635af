#pragma once

#include "keys/jws.hpp"
#include "keys/private_key.hpp"
#include "server/signing/token_signer.hpp"

#include <memory>
#include <string>
#include <utility>

namespace rekey::testing {

// A TokenSigner with one Ed25519 key in memory, which a test may replace.
class TestTokenSigner final : public server::signing::TokenSigner {
  public:
    TestTokenSigner() { rotate(); }

    [[nodiscard]] Result<std::string> sign(std::string_view typ,
                                           std::string_view payload) const override {
        return keys::jws_sign(*signer_, typ, payload);
    }
    [[nodiscard]] std::shared_ptr<const server::signing::VerifyingKeys> verifying_keys()
        const override {
        return keys_;
    }

    // Another key; the one before no longer verifies.
    void rotate() {
        ++change_;
        signer_ = std::make_unique<Signer>("test-key." + std::to_string(change_));
        std::vector<keys::Jwk> jwks{{signer_->key.public_key(), signer_->name}};
        keys_ = std::make_shared<server::signing::VerifyingKeys>(change_, std::move(jwks));
    }

  private:
    struct Signer final : keys::JwsSigner {
        explicit Signer(std::string kid) : name(std::move(kid)) {}
        [[nodiscard]] keys::Algorithm algorithm() const override { return key.algorithm(); }
        [[nodiscard]] const std::string& kid() const override { return name; }
        [[nodiscard]] Result<Bytes> sign(std::string_view message) const override {
            return key.sign(message);
        }
        keys::PrivateKey key = *keys::PrivateKey::generate(keys::Algorithm::ed25519);
        std::string name;
    };

    std::uint64_t change_ = 0;
    std::unique_ptr<Signer> signer_;
    std::shared_ptr<const server::signing::VerifyingKeys> keys_;
};

}  // namespace rekey::testing
