#pragma once

#include "protocol/method.hpp"

// The methods on an agent's socket (docs/protocol.md, "On the agent's socket").
namespace rekey::protocol {

inline constexpr Rule kProofRule{.form = Form::hex_32_bytes};
inline constexpr Rule kTokenRule{.max_bytes = limits::kCredentialBytes};
inline constexpr Rule kSecondsRule{.min = 0, .max = 31'536'000};

// What the server may change in a running agent: a closed list, never paths, addresses or commands.
struct AgentSettings {
    std::optional<std::int64_t> heartbeat_seconds;
    std::optional<AgentLogLevel> log_level;
    static constexpr auto fields() {
        return std::tuple{
            field("heartbeat_seconds", &AgentSettings::heartbeat_seconds,
                  "Seconds between two heartbeats.", Rule{.min = 5, .max = 600}),
            field("log_level", &AgentSettings::log_level, "How much the agent logs.")};
    }
};

// The first frame of a connection. generation and rotation_id are those of the token that opened
// it.
struct Welcome {
    std::string agent_id;
    std::string name;
    std::uint64_t generation = 0;
    std::string rotation_id;
    Time server_time{};
    std::int64_t heartbeat_seconds = 0;
    AgentSettings settings;
    static constexpr auto fields() {
        return std::tuple{
            field("agent_id", &Welcome::agent_id, "Who the server takes you for.", kUuid),
            field("name", &Welcome::name, "The agent's unique name.", kName),
            field("generation", &Welcome::generation, "Of the token of this connection.",
                  kGeneration),
            field("rotation_id", &Welcome::rotation_id, "Of the token of this connection.", kUuid),
            field("server_time", &Welcome::server_time, "The server's clock."),
            field("heartbeat_seconds", &Welcome::heartbeat_seconds,
                  "Seconds between two heartbeats.", Rule{.min = 1, .max = 86'400}),
            field("settings", &Welcome::settings, "As agent.configure sends them.")};
    }
};

struct HeldToken {
    std::uint64_t generation = 0;
    std::string rotation_id;
    TokenState state = TokenState::confirmed;
    static constexpr auto fields() {
        return std::tuple{
            field("generation", &HeldToken::generation, "Its generation.", kGeneration),
            field("rotation_id", &HeldToken::rotation_id, "Its minting.", kUuid),
            field("state", &HeldToken::state, "How the state file marks it.")};
    }
};

// ---- server -> agent

struct AgentWelcome {
    static constexpr std::string_view name = "agent.welcome";
    static constexpr std::string_view summary = "Tells an agent that it is in, and with what.";
    static constexpr Access access{.caller = Caller::server,
                                   .unknown_params = UnknownFields::ignore};
    using Params = Welcome;
    using Result = NoAnswer;
};

struct RotateOffer {
    std::string rotation_id;
    std::uint64_t generation = 0;
    Secret token;
    Time expires_at{};
    std::int64_t grace_period_seconds = 0;
    static constexpr auto fields() {
        return std::tuple{
            field("rotation_id", &RotateOffer::rotation_id, "Names this minting.", kUuid),
            field("generation", &RotateOffer::generation, "Of the new token.", kGeneration),
            field("token", &RotateOffer::token, "The new token.", kTokenRule),
            field("expires_at", &RotateOffer::expires_at,
                  "About when it will expire; its life starts when it is promoted."),
            field("grace_period_seconds", &RotateOffer::grace_period_seconds,
                  "How long the old token stays valid after the new one is activated.",
                  kSecondsRule)};
    }
};

struct RotateAnswer {
    RotateOutcome status = RotateOutcome::rotation_complete;
    std::string rotation_id;
    std::uint64_t generation = 0;
    std::optional<std::string> proof;
    std::optional<RotationFailure> reason;
    std::optional<std::string> detail;
    std::optional<std::uint64_t> newest_held;
    static constexpr auto fields() {
        return std::tuple{
            field("status", &RotateAnswer::status, "Whether the new token is durably saved."),
            field("rotation_id", &RotateAnswer::rotation_id, "The offer's.", kUuid),
            field("generation", &RotateAnswer::generation, "The offer's.", kGeneration),
            field("proof", &RotateAnswer::proof,
                  "When complete: lower-case hex HMAC-SHA256 by the token as read back.",
                  kProofRule),
            field("reason", &RotateAnswer::reason, "When failed: why."),
            field("detail", &RotateAnswer::detail, "When failed: the same for people.",
                  Rule{.max_bytes = limits::kDetailBytes}),
            field("newest_held", &RotateAnswer::newest_held,
                  "With stale_generation: the newest generation held.", kGeneration)};
    }
    [[nodiscard]] std::optional<BadField> check() const {
        if (status == RotateOutcome::rotation_complete && !proof)
            return BadField{"proof", "string"};
        if (status == RotateOutcome::rotation_failed && !reason)
            return BadField{"reason", "string"};
        return std::nullopt;
    }
};

struct AgentRotate {
    static constexpr std::string_view name = "agent.rotate";
    static constexpr std::string_view summary =
        "Offers a new token: save it durably, read it back, then answer with the proof.";
    static constexpr Access access{.caller = Caller::server,
                                   .unknown_params = UnknownFields::ignore};
    using Params = RotateOffer;
    using Result = RotateAnswer;
};

struct AgentCommit {
    static constexpr std::string_view name = "agent.commit";
    static constexpr std::string_view summary =
        "Says that the token is now the current one: confirm it durably, then answer.";
    static constexpr Access access{.caller = Caller::server,
                                   .unknown_params = UnknownFields::ignore};
    struct Params {
        std::string rotation_id;
        std::uint64_t generation = 0;
        static constexpr auto fields() {
            return std::tuple{
                field("rotation_id", &Params::rotation_id, "Of the promoted token.", kUuid),
                field("generation", &Params::generation, "Of the promoted token.", kGeneration)};
        }
    };
    struct Result {
        Activated status = Activated::activated;
        std::string rotation_id;
        std::uint64_t generation = 0;
        static constexpr auto fields() {
            return std::tuple{
                field("status", &Result::status, "Always \"activated\"."),
                field("rotation_id", &Result::rotation_id, "The commit's.", kUuid),
                field("generation", &Result::generation, "The commit's.", kGeneration)};
        }
    };
};

struct AgentPing {
    static constexpr std::string_view name = "agent.ping";
    static constexpr std::string_view summary = "Asks an agent for a sign of life.";
    static constexpr Access access{.caller = Caller::server,
                                   .unknown_params = UnknownFields::ignore};
    struct Params {
        std::optional<std::string> nonce;
        static constexpr auto fields() {
            return std::tuple{field("nonce", &Params::nonce, "Comes back in the answer.")};
        }
    };
    struct Result {
        Ok status = Ok::ok;
        std::int64_t uptime_seconds = 0;
        std::optional<std::string> nonce;
        static constexpr auto fields() {
            return std::tuple{
                field("status", &Result::status, "Always \"ok\"."),
                field("uptime_seconds", &Result::uptime_seconds, "Since the agent's start."),
                field("nonce", &Result::nonce, "The request's.")};
        }
    };
};

struct AgentConfigure {
    static constexpr std::string_view name = "agent.configure";
    static constexpr std::string_view summary = "Changes settings of a running agent.";
    static constexpr Access access{.caller = Caller::server,
                                   .unknown_params = UnknownFields::ignore};
    struct Params {
        AgentSettings settings;
        static constexpr auto fields() {
            return std::tuple{field("settings", &Params::settings, "Only what changes.")};
        }
    };
    struct Result {
        Applied status = Applied::applied;
        static constexpr auto fields() {
            return std::tuple{field("status", &Result::status, "Always \"applied\".")};
        }
    };
};

struct OkAnswer {
    Ok status = Ok::ok;
    static constexpr auto fields() {
        return std::tuple{field("status", &OkAnswer::status, "Always \"ok\".")};
    }
};

struct AgentReconnect {
    static constexpr std::string_view name = "agent.reconnect";
    static constexpr std::string_view summary =
        "Asks an agent to close and come back: the server is about to restart.";
    static constexpr Access access{.caller = Caller::server,
                                   .unknown_params = UnknownFields::ignore};
    struct Params {
        std::int64_t after_ms = 0;
        static constexpr auto fields() {
            return std::tuple{field("after_ms", &Params::after_ms,
                                    "Milliseconds to wait before connecting again.",
                                    Rule{.min = 0, .max = 3'600'000})};
        }
    };
    using Result = OkAnswer;
};

}  // namespace rekey::protocol
