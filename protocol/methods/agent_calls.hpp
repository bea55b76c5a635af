#pragma once

#include "protocol/methods/agent.hpp"

// Admin methods that reach a connected agent on its socket.
namespace rekey::protocol {

inline constexpr std::int64_t kDefaultCallSeconds = 30;
inline constexpr Rule kCallSecondsRule{
    .presence = Presence::defaulted, .min = 1, .max = limits::kAgentCallSeconds};

struct AgentsCall {
    static constexpr std::string_view name = "agents.call";
    static constexpr std::string_view summary = "Calls a method that an agent itself serves.";
    static constexpr Access access{
        .capability = "agents:call", .audited = Audited::yes, .mcp = Mcp::shown};
    struct Params {
        std::string agent_id;
        std::string method;
        std::optional<boost::json::value> params;
        std::int64_t timeout_seconds = kDefaultCallSeconds;
        static constexpr auto fields() {
            return std::tuple{
                field("agent_id", &Params::agent_id, "The agent.", kUuid),
                field("method", &Params::method,
                      "As agent.hello named it; never one of the protocol's own.",
                      Rule{.max_bytes = limits::kMethodNameBytes}),
                field("params", &Params::params, "An object or an array, for the agent.",
                      Rule{.max_bytes = limits::kMessageBytes}),
                field("timeout_seconds", &Params::timeout_seconds, "How long it may take.",
                      kCallSecondsRule)};
        }
    };
    struct Result {
        boost::json::value result;
        static constexpr auto fields() {
            return std::tuple{field("result", &Result::result, "What the agent answered.",
                                    Rule{.max_bytes = limits::kMessageBytes})};
        }
    };
};

struct AgentsPing {
    static constexpr std::string_view name = "agents.ping";
    static constexpr std::string_view summary = "Asks a connected agent for a sign of life.";
    static constexpr Access access{.capability = "agents:read", .mcp = Mcp::shown};
    struct Params {
        std::string agent_id;
        std::int64_t timeout_seconds = kDefaultCallSeconds;
        static constexpr auto fields() {
            return std::tuple{field("agent_id", &Params::agent_id, "The agent.", kUuid),
                              field("timeout_seconds", &Params::timeout_seconds,
                                    "How long it may take.", kCallSecondsRule)};
        }
    };
    struct Result {
        std::string agent_id;
        Ok status = Ok::ok;
        std::int64_t uptime_seconds = 0;
        std::int64_t round_trip_ms = 0;
        static constexpr auto fields() {
            return std::tuple{
                field("agent_id", &Result::agent_id, "The agent.", kUuid),
                field("status", &Result::status, "Always \"ok\"."),
                field("uptime_seconds", &Result::uptime_seconds, "Since the agent's start."),
                field("round_trip_ms", &Result::round_trip_ms, "From request to answer.")};
        }
    };
};

struct AgentsConfigure {
    static constexpr std::string_view name = "agents.configure";
    static constexpr std::string_view summary =
        "Changes settings of a running agent, until its next connect.";
    static constexpr Access access{
        .capability = "agents:call", .audited = Audited::yes, .mcp = Mcp::shown};
    struct Params {
        std::string agent_id;
        AgentSettings settings;
        static constexpr auto fields() {
            return std::tuple{field("agent_id", &Params::agent_id, "The agent.", kUuid),
                              field("settings", &Params::settings, "Only what changes.")};
        }
    };
    struct Result {
        std::string agent_id;
        Applied status = Applied::applied;
        static constexpr auto fields() {
            return std::tuple{field("agent_id", &Result::agent_id, "The agent.", kUuid),
                              field("status", &Result::status, "Always \"applied\".")};
        }
    };
};

}  // namespace rekey::protocol
