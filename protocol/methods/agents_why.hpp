#pragma once

#include "protocol/methods/agents.hpp"

// agents.why: the state of one agent in words.
namespace rekey::protocol {

// What an administrator should think of it. `alarm`: somebody else may hold its tokens.
enum class FindingLevel : std::uint8_t { ok, waiting, problem, alarm };
constexpr auto names_of(FindingLevel) {
    return std::to_array<std::string_view>({"ok", "waiting", "problem", "alarm"});
}

struct Finding {
    std::string name;
    FindingLevel level = FindingLevel::ok;
    std::string text;
    std::optional<std::string> advice;
    std::optional<Time> since;
    static constexpr auto fields() {
        return std::tuple{
            field("name", &Finding::name, "Stable: suspended, contested, offline, ..."),
            field("level", &Finding::level, "How much it matters."),
            field("text", &Finding::text, "What is so, in a sentence.",
                  Rule{.max_bytes = limits::kFindingBytes}),
            field("advice", &Finding::advice, "What to do; absent if there is nothing to do.",
                  Rule{.max_bytes = limits::kFindingBytes}),
            field("since", &Finding::since, "Since when, if that is known.")};
    }
};

struct AgentsWhy {
    static constexpr std::string_view name = "agents.why";
    static constexpr std::string_view summary =
        "Says in words what state an agent is in, why, and what to do about it.";
    static constexpr Access access{.capability = "agents:read", .mcp = Mcp::shown};
    using Params = AgentIdParams;
    struct Result {
        std::string agent_id;
        std::string name;
        std::vector<Finding> findings;
        static constexpr auto fields() {
            return std::tuple{field("agent_id", &Result::agent_id, "The agent.", kUuid),
                              field("name", &Result::name, "Its name.", kName),
                              field("findings", &Result::findings, "The gravest first.",
                                    Rule{.max_items = limits::kFindings})};
        }
    };
};

}  // namespace rekey::protocol
