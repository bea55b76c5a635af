#pragma once

#include "agent/rotation/transitions.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "protocol/join_string.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rekey::agent {

// Where the server is and how it is believed; from the join string.
struct ServerAddress {
    std::string host;  // an IPv6 address without its brackets
    std::uint16_t port = 0;
    protocol::ServerTrust trust;
    friend bool operator==(const ServerAddress&, const ServerAddress&) = default;
};
// "host:port", "[::1]:7443"
[[nodiscard]] std::string to_string(const ServerAddress& server);

// What the state file holds (docs/agent.md has an example).
struct AgentState {
    std::string agent_id;
    ServerAddress server;
    std::string identity_public_key;   // base64url; whose private half is FILE.key
    std::string enrolled_code_sha256;  // hex; tells a repeated `enroll` from another one
    rotation::HeldTokens tokens;
    friend bool operator==(const AgentState&, const AgentState&) = default;
};

[[nodiscard]] Secret encode_state(const AgentState& state);

// Strict: `corrupt` for anything that encode_state() would not write, naming the field and never
// its value; an unknown format number says that the file is a newer program's. A file that cannot
// be read is never "not enrolled" (A5).
[[nodiscard]] Result<AgentState> decode_state(const Secret& text);

}  // namespace rekey::agent
