#pragma once

#include "protocol/methods/agents.hpp"

// Admin methods that change what an agent is called, or take it away.
namespace rekey::protocol {

struct AgentsUpdate {
    static constexpr std::string_view name = "agents.update";
    static constexpr std::string_view summary =
        "Changes an agent's name, type, owner, labels or metadata.";
    // admin:* is needed as well for the type `admin`, and all that the agent may for any change;
    // the handler sees to that.
    static constexpr Access access{
        .capability = "agents:write", .audited = Audited::yes, .mcp = Mcp::shown};
    static constexpr Rest rest{"PATCH", "/agents/{agent_id}"};
    // What is absent stays. There is no null: an empty text, object or list takes a value away.
    struct Params {
        std::string agent_id;
        std::optional<std::string> name;
        std::optional<std::string> type;
        std::optional<std::string> owner;
        std::optional<std::map<std::string, std::string>> labels;
        std::optional<boost::json::object> metadata;
        std::optional<std::uint64_t> row_version;
        static constexpr auto fields() {
            return std::tuple{
                field("agent_id", &Params::agent_id, "The agent.", kUuid),
                field("name", &Params::name, "Unique among all agents.", kName),
                field("type", &Params::type, "What kind of agent it is.", kName),
                field("owner", &Params::owner, "Who is responsible for it; empty: nobody."),
                field("labels", &Params::labels, "All of them, in place of those before.",
                      kLabelsRule),
                field("metadata", &Params::metadata, "All of it, in place of what was before.",
                      kMetadataRule),
                field("row_version", &Params::row_version,
                      "Only if it is still this one; else conflict.", Rule{.min = 0})};
        }
    };
    using Result = AgentSummary;
};

struct AgentsDelete {
    static constexpr std::string_view name = "agents.delete";
    static constexpr std::string_view summary =
        "Revokes an agent and removes it: its trail stays, its name is free.";
    static constexpr Access access{
        .capability = "admin:*", .audited = Audited::yes, .mcp = Mcp::shown};
    static constexpr Rest rest{"DELETE", "/agents/{agent_id}", 204};
    using Params = AgentChangeParams;
    using Result = AgentSummary;
};

}  // namespace rekey::protocol
