#pragma once

#include "protocol/methods/agents.hpp"

// Admin methods about rotations.
namespace rekey::protocol {

// What rotations.start did for one agent. For an agent that is offline nothing is minted:
// at_next_connect, without rotation_id and generation, unless a token was pending already.
struct StartedRotation {
    std::string agent_id;
    std::optional<RotationStatus> status;
    std::optional<std::string> rotation_id;
    std::optional<std::uint64_t> generation;
    std::optional<bool> already_pending;
    std::optional<Time> not_before;
    std::optional<boost::json::object> error;
    static constexpr auto fields() {
        return std::tuple{
            field("agent_id", &StartedRotation::agent_id, "The agent.", kUuid),
            field("status", &StartedRotation::status,
                  "How far it came; absent with error, but for in_grace."),
            field("rotation_id", &StartedRotation::rotation_id, "Names the minting.", kUuid),
            field("generation", &StartedRotation::generation, "Of the new token.", kGeneration),
            field("already_pending", &StartedRotation::already_pending,
                  "True: it is the one that was under way already."),
            field("not_before", &StartedRotation::not_before,
                  "With in_grace: when the grace of the last rotation is over."),
            field("error", &StartedRotation::error,
                  "Of many agents: why this one was refused, as in error.data.",
                  Rule{.max_bytes = limits::kErrorBytes})};
    }
};

struct RotationView {
    std::string agent_id;
    RotationStatus status = RotationStatus::offered;
    std::optional<std::string> rotation_id;
    std::optional<std::uint64_t> generation;
    std::optional<std::string> cause;
    std::optional<std::string> actor;
    std::optional<Time> started_at;
    std::optional<Time> committed_at;
    std::optional<Time> activated_at;
    std::int64_t attempts = 0;
    std::optional<Time> offered_at;
    std::optional<std::string> last_reason;
    static constexpr auto fields() {
        return std::tuple{
            field("agent_id", &RotationView::agent_id, "The agent.", kUuid),
            field("status", &RotationView::status, "How far it came."),
            field("rotation_id", &RotationView::rotation_id, "Absent while it waits.", kUuid),
            field("generation", &RotationView::generation, "Of the new token.", kGeneration),
            field("cause", &RotationView::cause, "Schedule, admin, agent, ..."),
            field("actor", &RotationView::actor, "Who asked for it."),
            field("started_at", &RotationView::started_at, "When it began."),
            field("committed_at", &RotationView::committed_at, "When the agent proved it."),
            field("activated_at", &RotationView::activated_at, "When the agent confirmed it."),
            field("attempts", &RotationView::attempts, "Offers so far."),
            field("offered_at", &RotationView::offered_at, "The newest offer."),
            field("last_reason", &RotationView::last_reason,
                  "Why the newest offer that failed was not completed.")};
    }
};

struct RotationsStart {
    static constexpr std::string_view name = "rotations.start";
    static constexpr std::string_view summary = "Rotates the tokens of one, some or all agents.";
    static constexpr Access access{
        .capability = "rotations:write", .audited = Audited::yes, .mcp = Mcp::shown};
    static constexpr Rest rest{"POST", "/agents/{agent_id}/rotate"};
    struct Params {
        std::optional<std::string> agent_id;
        std::optional<std::vector<std::string>> agent_ids;
        bool all = false;
        bool force = false;
        static constexpr auto fields() {
            constexpr Rule kFlag{.presence = Presence::defaulted};
            return std::tuple{
                field("agent_id", &Params::agent_id, "One agent.", kUuid),
                field("agent_ids", &Params::agent_ids, "Several agents.",
                      Rule{.form = Form::uuid, .max_items = limits::kAgentsARequest}),
                field("all", &Params::all, "Every active agent.", kFlag),
                field("force", &Params::force,
                      "An emergency: does not wait for the grace of the last rotation.", kFlag)};
        }
        [[nodiscard]] std::optional<BadField> check() const {
            const int selectors = (agent_id ? 1 : 0) + (agent_ids ? 1 : 0) + (all ? 1 : 0);
            if (selectors == 1) return std::nullopt;
            return BadField{"agent_id", "exactly one of agent_id, agent_ids and all: true"};
        }
    };
    // For one agent_id the fields of StartedRotation; otherwise `rotations`.
    struct Result {
        std::optional<std::string> agent_id;
        std::optional<RotationStatus> status;
        std::optional<std::string> rotation_id;
        std::optional<std::uint64_t> generation;
        std::optional<bool> already_pending;
        std::optional<std::vector<StartedRotation>> rotations;
        static constexpr auto fields() {
            return std::tuple{
                field("agent_id", &Result::agent_id, "The agent.", kUuid),
                field("status", &Result::status, "How far it came."),
                field("rotation_id", &Result::rotation_id, "Names the minting.", kUuid),
                field("generation", &Result::generation, "Of the new token.", kGeneration),
                field("already_pending", &Result::already_pending,
                      "True: it is the one that was under way already."),
                field("rotations", &Result::rotations, "One an agent, for several.",
                      Rule{.max_items = limits::kRotationsAnAnswer})};
        }
    };
};

struct RotationsList {
    static constexpr std::string_view name = "rotations.list";
    static constexpr std::string_view summary = "Lists rotations, newest first.";
    static constexpr Access access{.capability = "rotations:write", .mcp = Mcp::shown};
    struct Params {
        std::optional<std::string> agent_id;
        std::optional<RotationStatus> status;
        std::optional<std::string> cursor;
        std::int64_t limit = kDefaultPage;
        static constexpr auto fields() {
            return std::tuple{
                field("agent_id", &Params::agent_id, "Only those of this agent.", kUuid),
                field("status", &Params::status, "Only those that came this far."),
                field("cursor", &Params::cursor, "next_cursor of the page before."),
                field("limit", &Params::limit, "Rows a page.", kPageRule)};
        }
    };
    struct Result {
        std::vector<RotationView> rotations;
        std::optional<std::string> next_cursor;
        static constexpr auto fields() {
            return std::tuple{field("rotations", &Result::rotations, "Newest first.",
                                    Rule{.max_items = limits::kPageRows}),
                              field("next_cursor", &Result::next_cursor,
                                    "For the next page; absent on the last.")};
        }
    };
};

struct RotationsGet {
    static constexpr std::string_view name = "rotations.get";
    static constexpr std::string_view summary = "Shows one rotation.";
    static constexpr Access access{.capability = "rotations:write", .mcp = Mcp::shown};
    struct Params {
        std::string rotation_id;
        static constexpr auto fields() {
            return std::tuple{field("rotation_id", &Params::rotation_id, "The rotation.", kUuid)};
        }
    };
    using Result = RotationView;
};

struct RotationsCancel {
    static constexpr std::string_view name = "rotations.cancel";
    static constexpr std::string_view summary =
        "Cancels a rotation that was not offered yet; an offered token may have been saved.";
    static constexpr Access access{
        .capability = "rotations:write", .audited = Audited::yes, .mcp = Mcp::shown};
    struct Params {
        std::optional<std::string> rotation_id;
        std::optional<std::string> agent_id;
        static constexpr auto fields() {
            return std::tuple{
                field("rotation_id", &Params::rotation_id, "The rotation.", kUuid),
                field("agent_id", &Params::agent_id, "The agent whose rotation waits.", kUuid)};
        }
        [[nodiscard]] std::optional<BadField> check() const {
            if (rotation_id.has_value() != agent_id.has_value()) return std::nullopt;
            return BadField{"rotation_id", "exactly one of rotation_id and agent_id"};
        }
    };
    struct Result {
        Cancelled status = Cancelled::cancelled;
        std::string agent_id;
        static constexpr auto fields() {
            return std::tuple{field("status", &Result::status, "Always \"cancelled\"."),
                              field("agent_id", &Result::agent_id, "The agent.", kUuid)};
        }
    };
};

}  // namespace rekey::protocol
