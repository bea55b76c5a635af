#pragma once

#include "protocol/methods/capabilities.hpp"
#include "protocol/methods/pages.hpp"
#include "protocol/methods/reports_view.hpp"

// Admin methods about agents.
namespace rekey::protocol {

inline constexpr Rule kLabelsRule{.max_items = limits::kLabels};
inline constexpr Rule kMetadataRule{.max_bytes = limits::kMetadataBytes};

struct PendingRotation {
    std::string rotation_id;
    std::uint64_t generation = 0;
    static constexpr auto fields() {
        return std::tuple{
            field("rotation_id", &PendingRotation::rotation_id, "Names the minting.", kUuid),
            field("generation", &PendingRotation::generation, "Of the offered token.",
                  kGeneration)};
    }
};

// What the agent's newest connection reported.
struct SessionView {
    Time connected_at{};
    std::string address;
    std::string version;
    std::string hostname;
    std::string os;
    std::uint64_t generation = 0;
    std::vector<std::string> methods;
    static constexpr auto fields() {
        return std::tuple{
            field("connected_at", &SessionView::connected_at, "Since when."),
            field("address", &SessionView::address, "From where."),
            field("version", &SessionView::version, "Of the agent's program."),
            field("hostname", &SessionView::hostname, "Of its machine."),
            field("os", &SessionView::os, "Its operating system."),
            field("generation", &SessionView::generation, "Of the token it is bound to.",
                  Rule{.min = 0}),
            field("methods", &SessionView::methods, "What agents.call may call on it.",
                  Rule{.max_items = limits::kReportedMethods})};
    }
};

// A row of agents.list, and what every change of an agent answers.
struct AgentSummary {
    std::string agent_id;
    std::string name;
    std::string type;
    AgentStatus status = AgentStatus::active;
    bool enrolled = false;
    bool connected = false;
    std::optional<std::string> owner;
    std::map<std::string, std::string> labels;
    Time created_at{};
    std::optional<Time> last_seen_at;
    std::uint64_t generation = 0;
    std::uint64_t activated_generation = 0;
    std::optional<Time> token_expires_at;
    std::optional<PendingRotation> pending;
    std::uint64_t row_version = 0;
    static constexpr auto fields() {
        return std::tuple{
            field("agent_id", &AgentSummary::agent_id, "Its id.", kUuid),
            field("name", &AgentSummary::name, "Its unique name.", kName),
            field("type", &AgentSummary::type, "What kind of agent it is.", kName),
            field("status", &AgentSummary::status, "Whether it is let in."),
            field("enrolled", &AgentSummary::enrolled, "It has enrolled at least once."),
            field("connected", &AgentSummary::connected, "It has a live session."),
            field("owner", &AgentSummary::owner, "Who is responsible for it."),
            field("labels", &AgentSummary::labels, "For selection.", kLabelsRule),
            field("created_at", &AgentSummary::created_at, "When it was created."),
            field("last_seen_at", &AgentSummary::last_seen_at, "When it was last heard."),
            field("generation", &AgentSummary::generation,
                  "Of its current token; 0 before its first connect.", Rule{.min = 0}),
            field("activated_generation", &AgentSummary::activated_generation,
                  "The newest one that the agent said it confirmed.", Rule{.min = 0}),
            field("token_expires_at", &AgentSummary::token_expires_at,
                  "When its current token expires."),
            field("pending", &AgentSummary::pending, "A token offered and not yet proven."),
            field("row_version", &AgentSummary::row_version,
                  "Grows with each change, rotations too; for agents.update.",
                  Rule{.presence = Presence::defaulted, .min = 0})};
    }
};

struct AgentDetail {
    AgentSummary summary;
    boost::json::object metadata;
    std::optional<Time> enrolled_at;
    std::optional<Time> token_issued_at;
    std::optional<Time> rotate_at;
    std::optional<std::uint64_t> previous_generation;
    std::optional<Time> previous_retire_after;
    std::uint64_t rotation_count = 0;
    std::optional<std::string> identity_key;
    std::optional<SessionView> session;
    std::vector<GrantView> capabilities;
    AgentReports reports;
    static constexpr auto fields() {
        return std::tuple_cat(
            inlined(&AgentDetail::summary),
            std::tuple{
                field("metadata", &AgentDetail::metadata, "Free for the admin's use.",
                      kMetadataRule),
                field("enrolled_at", &AgentDetail::enrolled_at, "When it last enrolled."),
                field("token_issued_at", &AgentDetail::token_issued_at,
                      "When the life of its current token began."),
                field("rotate_at", &AgentDetail::rotate_at, "When the next rotation is due."),
                field("previous_generation", &AgentDetail::previous_generation,
                      "Of the token before, while it is still accepted.", kGeneration),
                field("previous_retire_after", &AgentDetail::previous_retire_after,
                      "When that one stops; absent until the new one is activated."),
                field("rotation_count", &AgentDetail::rotation_count, "Rotations so far."),
                field("identity_key", &AgentDetail::identity_key,
                      "Its Ed25519 public key, raw, in base64url."),
                field("session", &AgentDetail::session, "Its live connection."),
                field("capabilities", &AgentDetail::capabilities, "What it may, by name.",
                      Rule{.presence = Presence::defaulted,
                           .max_items = limits::kCapabilitiesAnAgent}),
                field("reports", &AgentDetail::reports,
                      "What it says of itself; gives it no right.",
                      Rule{.presence = Presence::defaulted})});
    }
};

struct AgentIdParams {
    std::string agent_id;
    static constexpr auto fields() {
        return std::tuple{field("agent_id", &AgentIdParams::agent_id, "The agent.", kUuid)};
    }
};

struct AgentChangeParams {
    std::string agent_id;
    std::optional<std::string> reason;
    static constexpr auto fields() {
        return std::tuple{field("agent_id", &AgentChangeParams::agent_id, "The agent.", kUuid),
                          field("reason", &AgentChangeParams::reason, "Why, for the audit.")};
    }
};

struct AgentsCreate {
    static constexpr std::string_view name = "agents.create";
    static constexpr std::string_view summary = "Creates an agent; it enrolls with a code.";
    static constexpr Access access{
        .capability = "agents:write", .audited = Audited::yes, .mcp = Mcp::shown};
    static constexpr Rest rest{"POST", "/agents", 201};
    struct Params {
        std::string name;
        std::string type = "agent";
        std::optional<std::string> owner;
        std::map<std::string, std::string> labels;
        boost::json::object metadata;
        static constexpr auto fields() {
            constexpr Rule kOptionalName{.presence = Presence::defaulted, .form = Form::name};
            Rule labels_rule = kLabelsRule;
            labels_rule.presence = Presence::defaulted;
            Rule metadata_rule = kMetadataRule;
            metadata_rule.presence = Presence::defaulted;
            return std::tuple{
                field("name", &Params::name, "Unique among all agents.", kName),
                field("type", &Params::type, "What kind of agent it is.", kOptionalName),
                field("owner", &Params::owner, "Who is responsible for it."),
                field("labels", &Params::labels, "For selection.", labels_rule),
                field("metadata", &Params::metadata, "Free for your use.", metadata_rule)};
        }
    };
    using Result = AgentSummary;
};

struct AgentsList {
    static constexpr std::string_view name = "agents.list";
    static constexpr std::string_view summary = "Lists agents, a page at a time.";
    static constexpr Access access{.capability = "agents:read", .mcp = Mcp::shown};
    static constexpr Rest rest{"GET", "/agents"};
    struct Params {
        std::optional<AgentStatus> status;
        std::optional<std::string> type;
        std::optional<std::string> name;
        std::optional<std::string> owner;
        std::optional<std::map<std::string, std::string>> labels;
        std::optional<std::string> capability;
        std::optional<bool> enrolled;
        std::optional<bool> connected;
        std::optional<std::string> cursor;
        std::int64_t limit = kDefaultPage;
        static constexpr auto fields() {
            return std::tuple{
                field("status", &Params::status, "Only those with this status."),
                field("type", &Params::type, "Only those of this type.", kName),
                field("name", &Params::name, "Only the one with this name.", kName),
                field("owner", &Params::owner, "Only those of this owner."),
                field("labels", &Params::labels, "Only those with all of these.", kLabelsRule),
                field("capability", &Params::capability,
                      "Only those who may this, by its name or by a wildcard.", kCapabilityRule),
                field("enrolled", &Params::enrolled,
                      "Only those that have, or have not, enrolled."),
                field("connected", &Params::connected, "Only those with, or without, a session."),
                field("cursor", &Params::cursor, "next_cursor of the page before.", kUuid),
                field("limit", &Params::limit, "Rows a page.", kPageRule)};
        }
    };
    struct Result {
        std::vector<AgentSummary> agents;
        std::optional<std::string> next_cursor;
        static constexpr auto fields() {
            return std::tuple{
                field("agents", &Result::agents, "By id.", Rule{.max_items = limits::kPageRows}),
                field("next_cursor", &Result::next_cursor,
                      "For the next page; absent on the last.")};
        }
    };
};

struct AgentsGet {
    static constexpr std::string_view name = "agents.get";
    static constexpr std::string_view summary = "Shows one agent.";
    static constexpr Access access{.capability = "agents:read", .mcp = Mcp::shown};
    static constexpr Rest rest{"GET", "/agents/{agent_id}"};
    using Params = AgentIdParams;
    using Result = AgentDetail;
};

struct AgentsSuspend {
    static constexpr std::string_view name = "agents.suspend";
    static constexpr std::string_view summary =
        "Closes an agent's sessions and refuses it until it is reactivated; its tokens stay.";
    static constexpr Access access{
        .capability = "admin:*", .audited = Audited::yes, .mcp = Mcp::shown};
    static constexpr Rest rest{"POST", "/agents/{agent_id}/suspend"};
    using Params = AgentChangeParams;
    using Result = AgentSummary;
};

struct AgentsReactivate {
    static constexpr std::string_view name = "agents.reactivate";
    static constexpr std::string_view summary = "Lets a suspended agent in again.";
    static constexpr Access access{
        .capability = "admin:*", .audited = Audited::yes, .mcp = Mcp::shown};
    static constexpr Rest rest{"POST", "/agents/{agent_id}/reactivate"};
    using Params = AgentChangeParams;
    using Result = AgentSummary;
};

struct AgentsRevoke {
    static constexpr std::string_view name = "agents.revoke";
    static constexpr std::string_view summary =
        "Ends an agent and all of its credentials for ever: it cannot enroll again.";
    static constexpr Access access{
        .capability = "admin:*", .audited = Audited::yes, .mcp = Mcp::shown};
    static constexpr Rest rest{"POST", "/agents/{agent_id}/revoke"};
    using Params = AgentChangeParams;
    using Result = AgentSummary;
};

struct AgentsEnrollmentCode {
    static constexpr std::string_view name = "agents.enrollment_code";
    static constexpr std::string_view summary =
        "Makes a one-time code and the join string that carries it. Shown once.";
    // admin:* is needed as well to enroll an agent again; the handler sees to that.
    static constexpr Access access{.capability = "agents:write", .audited = Audited::yes};
    static constexpr Rest rest{"POST", "/agents/{agent_id}/enrollment-code", 201};
    using Params = AgentIdParams;
    struct Result {
        Secret code;
        Secret join_string;
        Time expires_at{};
        static constexpr auto fields() {
            return std::tuple{
                field("code", &Result::code, "The enrollment code.",
                      Rule{.max_bytes = limits::kCredentialBytes}),
                field("join_string", &Result::join_string, "All that rekey-agent enroll needs.",
                      Rule{.max_bytes = limits::kJoinStringBytes}),
                field("expires_at", &Result::expires_at, "Until when it works.")};
        }
    };
};

}  // namespace rekey::protocol
