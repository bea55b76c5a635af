#include "server/signing/token_signer.hpp"

#include <algorithm>
#include <utility>

namespace rekey::server::signing {

VerifyingKeys::VerifyingKeys(std::uint64_t change, std::vector<keys::Jwk> keys)
    : change_(change), keys_(std::move(keys)), jwks_text_(keys::to_jwks_text(keys_)) {}

const keys::PublicKey* VerifyingKeys::find(std::string_view kid) const {
    const auto found = std::find_if(keys_.begin(), keys_.end(),
                                    [&](const keys::Jwk& jwk) { return jwk.kid == kid; });
    return found == keys_.end() ? nullptr : &found->key;
}

}  // namespace rekey::server::signing
