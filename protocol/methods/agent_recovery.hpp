#pragma once

#include "protocol/methods/agents.hpp"

// What an admin does about an agent's recovery (recover.hpp is what the agent does).
namespace rekey::protocol {

struct AgentsRecover {
    static constexpr std::string_view name = "agents.recover";
    static constexpr std::string_view summary =
        "Grants an agent one more recovery; with bar_tokens its identity key alone brings it back.";
    static constexpr Access access{
        .capability = "admin:*", .audited = Audited::yes, .mcp = Mcp::shown};
    struct Params {
        std::string agent_id;
        bool bar_tokens = false;
        std::optional<std::string> reason;
        static constexpr auto fields() {
            return std::tuple{
                field("agent_id", &Params::agent_id, "The agent.", kUuid),
                field("bar_tokens", &Params::bar_tokens,
                      "Refuse all of its tokens from now on, and close its connections.",
                      Rule{.presence = Presence::defaulted}),
                field("reason", &Params::reason, "Why, for the audit.")};
        }
    };
    struct Result {
        AgentSummary summary;
        std::uint64_t recoveries_left = 0;
        std::uint64_t recoveries_granted = 0;
        static constexpr auto fields() {
            return std::tuple_cat(
                inlined(&Result::summary),
                std::tuple{field("recoveries_left", &Result::recoveries_left,
                                 "What its budget still pays for now.", Rule{.min = 0}),
                           field("recoveries_granted", &Result::recoveries_granted,
                                 "What admins granted beyond it.", Rule{.min = 0})});
        }
    };
};

}  // namespace rekey::protocol
