#pragma once

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/limits.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "server/signing/token_signer.hpp"

#include <cstdint>
#include <cstring>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// Access tokens: JWTs of ours (RFC 9068; docs/authentication.md, "Access tokens").
namespace rekey::server::rpc {

// What a token of ours says about whoever shows it. It is no proof that any of it still holds.
struct TokenFacts {
    std::string agent_id;
    std::uint64_t epoch = 0;  // of the agent's row when it was made
    std::string key_id;       // of the API key that it was made with; empty: an agent's session
    std::string signing_kid;
    Time not_before{};
    Time expires_at{};

    // Judged at every call. Errors: `token_expired`, `unknown_credential` before its time; both
    // with limits::kJwtLeeway.
    [[nodiscard]] Result<> check_times(Time now) const;
};

// Issues and verifies them. Safe from any thread.
class AccessTokens {
  public:
    struct Parts {
        const signing::TokenSigner& signer;
        const Clock& clock;
        Random& random;
        std::string issuer;  // a URL; also the audience of our own doors
    };
    explicit AccessTokens(Parts parts) : parts_(std::move(parts)) {}

    struct Wish {
        std::string agent_id;
        std::uint64_t epoch = 0;
        std::string key_id;
        std::vector<std::string> scope;  // informative; left out over limits::kTokenScopeBytes
        std::string audience;            // empty: our own doors
        Milliseconds life{};
    };
    // Errors: the signer's.
    [[nodiscard]] Result<Secret> issue(const Wish& wish) const;

    // Signature, kind, issuer, audience and times. Only the verdict about the signature is
    // remembered, by the SHA-256 of the text, for as long as the set of public keys stays what it
    // was. `unknown_credential` for whatever is not ours; `token_expired`.
    [[nodiscard]] Result<std::shared_ptr<const TokenFacts>> verify(std::string_view text) const;

    // Of one whose signature was verified lately and is remembered: the API key that it was made
    // with, else its agent. Empty for every other text. No proof that any of it still holds.
    [[nodiscard]] std::string claimed_id(std::string_view text) const;

    // Is this key still among those that sign for us? For a socket that was opened with a token.
    [[nodiscard]] bool trusts(std::string_view signing_kid) const;

    [[nodiscard]] const std::string& issuer() const { return parts_.issuer; }
    [[nodiscard]] std::size_t remembered() const;

  private:
    struct Verdict {
        Bytes32 text_hash{};
        std::uint64_t keys_change = 0;
        std::shared_ptr<const TokenFacts> facts;
    };
    struct HashOfHash {
        std::size_t operator()(const Bytes32& hash) const {
            std::size_t first = 0;
            std::memcpy(&first, hash.data(), sizeof first);
            return first;
        }
    };
    using Verdicts = std::list<Verdict>;

    [[nodiscard]] std::shared_ptr<const TokenFacts> recall(const Bytes32& text_hash,
                                                           std::uint64_t keys_change) const;
    void remember(Verdict verdict) const;

    Parts parts_;
    mutable std::mutex mutex_;
    mutable Verdicts newest_first_;
    mutable std::unordered_map<Bytes32, Verdicts::iterator, HashOfHash> by_hash_;
};

}  // namespace rekey::server::rpc
