#pragma once

#include "protocol/method.hpp"

// POST /enroll: plain HTTP with a JSON body, so it is in no catalog. Unknown fields are ignored on
// both sides.
namespace rekey::protocol {

struct EnrollParams {
    Secret code;
    std::string public_key;
    std::string signature;
    std::string hostname;
    std::string version;
    static constexpr auto fields() {
        return std::tuple{
            field("code", &EnrollParams::code, "The enrollment code.",
                  Rule{.max_bytes = limits::kCredentialBytes}),
            field("public_key", &EnrollParams::public_key,
                  "The agent's own Ed25519 identity key, raw, in base64url without padding.",
                  Rule{.form = Form::base64url_32_bytes}),
            field(
                "signature", &EnrollParams::signature,
                "By that key over \"rekey-enroll-v1\\n\" code_id \"\\n\" public_key, in base64url.",
                Rule{.form = Form::base64url_64_bytes}),
            field("hostname", &EnrollParams::hostname, "Of the agent's machine."),
            field("version", &EnrollParams::version, "Of the agent's program.")};
    }
};

struct EnrollResult {
    std::string agent_id;
    Secret token;
    std::uint64_t generation = 0;
    std::string rotation_id;
    std::optional<Time> expires_at;
    std::string server_ca;
    static constexpr auto fields() {
        return std::tuple{
            field("agent_id", &EnrollResult::agent_id, "Who the agent now is.", kUuid),
            field("token", &EnrollResult::token, "Its first token.",
                  Rule{.max_bytes = limits::kCredentialBytes}),
            field("generation", &EnrollResult::generation, "Of that token.", kGeneration),
            field("rotation_id", &EnrollResult::rotation_id, "Of that token.", kUuid),
            field("expires_at", &EnrollResult::expires_at, "About when it expires."),
            field("server_ca", &EnrollResult::server_ca,
                  "The CA to trust from now on, in PEM; empty for a public CA or without TLS.",
                  Rule{.max_bytes = limits::kCertificateBytes})};
    }
};

}  // namespace rekey::protocol
