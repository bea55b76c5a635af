#pragma once

#include "protocol/methods/pages.hpp"

// Admin methods about what agents may. The grammar of a capability's name is the server's to check
// (server/rpc/capabilities.hpp): whoever else reads one takes it as text.
namespace rekey::protocol {

inline constexpr Rule kCapabilityRule{.max_bytes = limits::kCapabilityBytes};

// A row of the registry.
struct CapabilityView {
    std::string capability_id;
    std::string name;
    std::string description;
    bool built_in = false;
    std::optional<std::string> created_by;
    std::optional<Time> created_at;
    static constexpr auto fields() {
        return std::tuple{
            field("capability_id", &CapabilityView::capability_id, "Its id.", kUuid),
            field("name", &CapabilityView::name, "What is granted, prefix:name.", kCapabilityRule),
            field("description", &CapabilityView::description, "What it lets somebody do."),
            field("built_in", &CapabilityView::built_in, "A method of Rekey's own asks for it."),
            field("created_by", &CapabilityView::created_by, "Who registered it; not of Rekey's."),
            field("created_at", &CapabilityView::created_at, "When; not of Rekey's own.")};
    }
};

// One grant. A wildcard stands in no registry, so it has no id.
struct GrantView {
    std::string capability;
    std::optional<std::string> capability_id;
    std::string granted_by;
    Time granted_at{};
    static constexpr auto fields() {
        return std::tuple{
            field("capability", &GrantView::capability, "What was granted.", kCapabilityRule),
            field("capability_id", &GrantView::capability_id,
                  "Its id in the registry; absent for a wildcard.", kUuid),
            field("granted_by", &GrantView::granted_by, "Who granted it; `system` for rekeyd."),
            field("granted_at", &GrantView::granted_at, "When.")};
    }
};

struct CapabilitiesCreate {
    static constexpr std::string_view name = "capabilities.create";
    static constexpr std::string_view summary =
        "Registers a capability, so that it can be granted.";
    static constexpr Access access{
        .capability = "admin:*", .audited = Audited::yes, .mcp = Mcp::shown};
    static constexpr Rest rest{"POST", "/capabilities", 201};
    struct Params {
        std::string name;
        std::optional<std::string> description;
        static constexpr auto fields() {
            return std::tuple{
                field("name", &Params::name, "prefix:name, both [a-z0-9._-]{1,64}.",
                      kCapabilityRule),
                field("description", &Params::description, "What it lets somebody do.")};
        }
    };
    using Result = CapabilityView;
};

struct CapabilitiesList {
    static constexpr std::string_view name = "capabilities.list";
    static constexpr std::string_view summary = "Lists what can be granted, a page at a time.";
    static constexpr Access access{.capability = "agents:read", .mcp = Mcp::shown};
    static constexpr Rest rest{"GET", "/capabilities"};
    struct Params {
        std::optional<std::string> cursor;
        std::int64_t limit = kDefaultPage;
        static constexpr auto fields() {
            return std::tuple{field("cursor", &Params::cursor, "next_cursor of the page before.",
                                    kCapabilityRule),
                              field("limit", &Params::limit, "Rows a page.", kPageRule)};
        }
    };
    struct Result {
        std::vector<CapabilityView> capabilities;
        std::optional<std::string> next_cursor;
        static constexpr auto fields() {
            return std::tuple{field("capabilities", &Result::capabilities, "By name.",
                                    Rule{.max_items = limits::kPageRows}),
                              field("next_cursor", &Result::next_cursor,
                                    "For the next page; absent on the last.")};
        }
    };
};

struct CapabilitiesGrant {
    static constexpr std::string_view name = "capabilities.grant";
    static constexpr std::string_view summary =
        "Lets an agent do something: a registered capability, or prefix:* over registered ones.";
    static constexpr Access access{
        .capability = "admin:*", .audited = Audited::yes, .mcp = Mcp::shown};
    static constexpr Rest rest{"POST", "/agents/{agent_id}/capabilities", 201};
    struct Params {
        std::string agent_id;
        std::optional<std::string> capability;
        std::optional<std::string> capability_id;
        [[nodiscard]] std::optional<BadField> check() const {
            if (capability.has_value() != capability_id.has_value()) return std::nullopt;
            return BadField{"capability", "exactly one of capability and capability_id"};
        }
        static constexpr auto fields() {
            return std::tuple{
                field("agent_id", &Params::agent_id, "Who gets it.", kUuid),
                field("capability", &Params::capability, "By name, or a wildcard.",
                      kCapabilityRule),
                field("capability_id", &Params::capability_id, "Or by its id.", kUuid)};
        }
    };
    struct Result {
        std::string agent_id;
        GrantView grant;
        bool already_granted = false;
        static constexpr auto fields() {
            return std::tuple_cat(
                std::tuple{field("agent_id", &Result::agent_id, "Who has it.", kUuid)},
                inlined(&Result::grant),
                std::tuple{field("already_granted", &Result::already_granted,
                                 "It had it before; that grant stands.")});
        }
    };
};

struct CapabilitiesRevoke {
    static constexpr std::string_view name = "capabilities.revoke";
    static constexpr std::string_view summary =
        "Takes a capability from an agent, also from its keys and the JWTs it holds.";
    static constexpr Access access{
        .capability = "admin:*", .audited = Audited::yes, .mcp = Mcp::shown};
    static constexpr Rest rest{"DELETE", "/agents/{agent_id}/capabilities/{cap_id}", 204};
    struct Params {
        std::string agent_id;
        std::optional<std::string> capability;
        std::optional<std::string> cap_id;
        [[nodiscard]] std::optional<BadField> check() const {
            if (capability.has_value() != cap_id.has_value()) return std::nullopt;
            return BadField{"capability", "exactly one of capability and cap_id"};
        }
        static constexpr auto fields() {
            return std::tuple{field("agent_id", &Params::agent_id, "Who loses it.", kUuid),
                              field("capability", &Params::capability, "By name.", kCapabilityRule),
                              field("cap_id", &Params::cap_id,
                                    "Or by its id in the registry, or its name.", kCapabilityRule)};
        }
    };
    struct Result {
        std::string agent_id;
        std::string capability;
        static constexpr auto fields() {
            return std::tuple{field("agent_id", &Result::agent_id, "Who lost it.", kUuid),
                              field("capability", &Result::capability, "What.", kCapabilityRule)};
        }
    };
};

}  // namespace rekey::protocol
