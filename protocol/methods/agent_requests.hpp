#pragma once

#include "protocol/methods/agent.hpp"

// What an agent asks on its socket. Its messages to the server refuse unknown fields, except in
// agent.hello.
namespace rekey::protocol {

struct AgentHello {
    static constexpr std::string_view name = "agent.hello";
    static constexpr std::string_view summary = "An agent's first frame: what it is and holds.";
    static constexpr Access access{.caller = Caller::agent,
                                   .unknown_params = UnknownFields::ignore};
    struct Params {
        std::string version;
        std::string hostname;
        std::string os;
        std::string boot_id;
        std::vector<HeldToken> tokens_held;
        std::vector<std::string> methods;
        static constexpr auto fields() {
            return std::tuple{
                field("version", &Params::version, "Of the agent's program."),
                field("hostname", &Params::hostname, "Of its machine."),
                field("os", &Params::os, "Its operating system."),
                field("boot_id", &Params::boot_id, "Changes with each start of the machine."),
                field("tokens_held", &Params::tokens_held, "What its state file holds.",
                      Rule{.max_items = limits::kTokensReported}),
                field("methods", &Params::methods, "What agents.call may call on it.",
                      Rule{.max_bytes = limits::kMethodNameBytes,
                           .max_items = limits::kReportedMethods})};
        }
    };
    struct Result {
        Ok status = Ok::ok;
        Welcome welcome;
        static constexpr auto fields() {
            return std::tuple_cat(std::tuple{field("status", &Result::status, "Always \"ok\".")},
                                  inlined(&Result::welcome));
        }
    };
};

struct AgentHeartbeat {
    static constexpr std::string_view name = "agent.heartbeat";
    static constexpr std::string_view summary = "A sign of life, every heartbeat_seconds.";
    static constexpr Access access{.caller = Caller::agent};
    struct Params {
        std::string status;
        std::int64_t uptime_seconds = 0;
        std::uint64_t generation = 0;
        static constexpr auto fields() {
            return std::tuple{field("status", &Params::status, "How the agent is, in its own word.",
                                    Rule{.max_bytes = 64}),
                              field("uptime_seconds", &Params::uptime_seconds, "Since its start."),
                              field("generation", &Params::generation,
                                    "Of the newest token it confirmed.", Rule{.min = 0})};
        }
    };
    struct Result {
        Time server_time{};
        static constexpr auto fields() {
            return std::tuple{field("server_time", &Result::server_time, "The server's clock.")};
        }
    };
};

struct AgentRotationComplete {
    static constexpr std::string_view name = "agent.rotation_complete";
    static constexpr std::string_view summary =
        "Completes a rotation whose request is gone: the token is durably saved.";
    static constexpr Access access{.caller = Caller::agent, .audited = Audited::yes};
    struct Params {
        std::string rotation_id;
        std::uint64_t generation = 0;
        std::string proof;
        static constexpr auto fields() {
            return std::tuple{
                field("rotation_id", &Params::rotation_id, "The offer's.", kUuid),
                field("generation", &Params::generation, "The offer's.", kGeneration),
                field("proof", &Params::proof,
                      "Lower-case hex HMAC-SHA256 by the token as read back.", kProofRule)};
        }
    };
    struct Result {
        Committed status = Committed::committed;
        std::uint64_t generation = 0;
        static constexpr auto fields() {
            return std::tuple{
                field("status", &Result::status, "Always \"committed\"."),
                field("generation", &Result::generation, "The current one.", kGeneration)};
        }
    };
};

struct AgentRotationFailed {
    static constexpr std::string_view name = "agent.rotation_failed";
    static constexpr std::string_view summary =
        "Says that an offered token could not be saved; the offer comes again.";
    static constexpr Access access{.caller = Caller::agent, .audited = Audited::yes};
    struct Params {
        std::string rotation_id;
        std::uint64_t generation = 0;
        RotationFailure reason = RotationFailure::other;
        std::optional<std::string> detail;
        std::optional<std::uint64_t> newest_held;
        static constexpr auto fields() {
            return std::tuple{
                field("rotation_id", &Params::rotation_id, "The offer's.", kUuid),
                field("generation", &Params::generation, "The offer's.", kGeneration),
                field("reason", &Params::reason, "Why."),
                field("detail", &Params::detail, "The same for people.",
                      Rule{.max_bytes = limits::kDetailBytes}),
                field("newest_held", &Params::newest_held,
                      "With stale_generation: the newest generation held.", kGeneration)};
        }
    };
    struct Result {
        Noted status = Noted::noted;
        static constexpr auto fields() {
            return std::tuple{field("status", &Result::status, "Always \"noted\".")};
        }
    };
};

struct AgentKeyStatus {
    static constexpr std::string_view name = "agent.key_status";
    static constexpr std::string_view summary = "How old the agent's own token is.";
    static constexpr Access access{.caller = Caller::agent};
    using Params = Nothing;
    struct Result {
        std::uint64_t generation = 0;
        Time issued_at{};
        std::optional<Time> expires_at;
        std::optional<std::int64_t> days_until_expiration;
        bool should_rotate = false;
        bool in_grace_period = false;
        std::optional<Time> previous_valid_until;
        std::uint64_t rotation_count = 0;
        static constexpr auto fields() {
            return std::tuple{
                field("generation", &Result::generation, "Of the current token.", kGeneration),
                field("issued_at", &Result::issued_at, "When its life began."),
                field("expires_at", &Result::expires_at, "When it ends."),
                field("days_until_expiration", &Result::days_until_expiration,
                      "Whole days left; negative when expired.",
                      Rule{.min = -limits::kDaysOfTime, .max = limits::kDaysOfTime}),
                field("should_rotate", &Result::should_rotate, "A rotation is due."),
                field("in_grace_period", &Result::in_grace_period,
                      "The previous token is still accepted."),
                field("previous_valid_until", &Result::previous_valid_until,
                      "Until when; absent while the new one is not activated."),
                field("rotation_count", &Result::rotation_count, "Rotations so far.")};
        }
    };
};

struct AgentRotateKey {
    static constexpr std::string_view name = "agent.rotate_key";
    static constexpr std::string_view summary =
        "Asks for a new token; agent.rotate with it follows.";
    static constexpr Access access{.caller = Caller::agent, .audited = Audited::yes};
    struct Params {
        std::optional<std::string> reason;
        static constexpr auto fields() {
            return std::tuple{field("reason", &Params::reason, "Why, for the audit.")};
        }
    };
    struct Result {
        RotationStarted status = RotationStarted::rotation_started;
        std::string rotation_id;
        static constexpr auto fields() {
            return std::tuple{
                field("status", &Result::status, "Always \"rotation_started\"."),
                field("rotation_id", &Result::rotation_id, "Of the offer that follows.", kUuid)};
        }
    };
};

struct AgentShutdown {
    static constexpr std::string_view name = "agent.shutdown";
    static constexpr std::string_view summary = "Says good-bye: the agent is about to close.";
    static constexpr Access access{.caller = Caller::agent};
    struct Params {
        std::optional<std::string> reason;
        bool restart = false;
        static constexpr auto fields() {
            return std::tuple{field("reason", &Params::reason, "Why, for the audit."),
                              field("restart", &Params::restart, "It comes back by itself.",
                                    Rule{.presence = Presence::defaulted})};
        }
    };
    using Result = OkAnswer;
};

}  // namespace rekey::protocol
