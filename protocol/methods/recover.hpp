#pragma once

#include "protocol/method.hpp"
#include "protocol/methods/enroll.hpp"

// POST /recover/challenge and POST /recover: plain HTTP with JSON bodies, so they are in no
// catalog. Unknown fields are ignored on both sides. What the signature is over: recovery_message()
// in protocol/proof.hpp.
namespace rekey::protocol {

struct RecoverChallengeParams {
    std::string agent_id;  // of any form: an unknown agent gets a challenge too
    static constexpr auto fields() {
        return std::tuple{field("agent_id", &RecoverChallengeParams::agent_id, "Who recovers.")};
    }
};

struct RecoverChallengeResult {
    std::string challenge;
    static constexpr auto fields() {
        return std::tuple{field(
            "challenge", &RecoverChallengeResult::challenge,
            "Opaque; good for this agent, for 60 seconds, and until a token is minted for it.")};
    }
};

struct RecoverParams {
    std::string agent_id;
    std::string challenge;
    std::uint64_t newest_held = 0;
    std::optional<Secret> token;
    std::string signature;
    static constexpr auto fields() {
        return std::tuple{
            field("agent_id", &RecoverParams::agent_id, "Who recovers."),
            field("challenge", &RecoverParams::challenge, "As it was received."),
            field("newest_held", &RecoverParams::newest_held,
                  "The newest generation in the agent's file; 0 if it holds none.", Rule{.min = 0}),
            field("token", &RecoverParams::token,
                  "The token that was refused as expired, else the newest.",
                  Rule{.max_bytes = limits::kCredentialBytes}),
            field("signature", &RecoverParams::signature,
                  "By the identity key over \"rekey-recover-v1\\n\" agent_id \"\\n\" challenge "
                  "\"\\n\" newest_held, in base64url.",
                  Rule{.form = Form::base64url_64_bytes})};
    }
};

// The pending token, to be written as a candidate like any offer.
using RecoverResult = EnrollResult;

}  // namespace rekey::protocol
