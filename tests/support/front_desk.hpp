#pragma once

#include "server/rpc/access_tokens.hpp"
#include "server/rpc/authenticator.hpp"
#include "server/rpc/key_use.hpp"
#include "tests/support/test_token_signer.hpp"

namespace rekey::testing {

// Who tells callers of a server by their credentials, on a store of the test's.
struct FrontDesk {
    FrontDesk(storage::Store& store, const Clock& clock, Random& random)
        : tokens({signer, clock, random, "https://rekey.example.com:7443"}),
          authenticator({store, clock, tokens, key_uses}) {}

    TestTokenSigner signer;
    server::rpc::AccessTokens tokens;
    server::rpc::KeyUse key_uses;
    server::rpc::Authenticator authenticator;
};

}  // namespace rekey::testing
