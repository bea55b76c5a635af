#pragma once

#include "protocol/method.hpp"

// API keys of agents (docs/authentication.md).
namespace rekey::protocol {

inline constexpr Rule kCapabilitiesRule{.max_bytes = limits::kCapabilityBytes,
                                        .max_items = limits::kKeyCapabilities};
inline constexpr Rule kKeptCapabilitiesRule{.max_bytes = limits::kCapabilityBytes,
                                            .max_items = limits::kKeyCapabilitiesKept};
inline constexpr Rule kIdempotencyRule{.max_bytes = limits::kIdempotencyKeyBytes};
inline constexpr std::string_view kIdempotencySummary =
    "Repeats the answer for who lost it: the same text, caller and params.";

// An empty one would be everybody's.
[[nodiscard]] inline std::optional<BadField> check_idempotency_key(
    const std::optional<std::string>& key) {
    if (key && key->empty()) return BadField{"idempotency_key", "a text that is not empty"};
    return std::nullopt;
}

// A row of keys.list. Never the key itself: nobody has it but who was given it.
struct ApiKeyView {
    std::string key_id;
    std::string name;
    std::optional<std::vector<std::string>> capabilities;
    Time created_at{};
    std::optional<std::string> created_by;
    std::optional<Time> expires_at;
    std::optional<Time> first_used_at;
    std::optional<Time> last_used_at;
    std::optional<Time> valid_until;
    std::optional<Time> revoked_at;
    std::optional<std::string> successor_key_id;
    std::optional<std::string> predecessor_key_id;
    bool works = false;
    static constexpr auto fields() {
        return std::tuple{
            field("key_id", &ApiKeyView::key_id, "Its id, which is part of its text.", kUuid),
            field("name", &ApiKeyView::name, "What it is for."),
            field("capabilities", &ApiKeyView::capabilities,
                  "What of its agent's capabilities it has; absent: all of them.",
                  kKeptCapabilitiesRule),
            field("created_at", &ApiKeyView::created_at, "When it was made."),
            field("created_by", &ApiKeyView::created_by, "By which agent; absent: by rekeyd."),
            field("expires_at", &ApiKeyView::expires_at, "Until when it lives; absent: for ever."),
            field("first_used_at", &ApiKeyView::first_used_at, "Absent: never used."),
            field("last_used_at", &ApiKeyView::last_used_at, "To about half a minute."),
            field("valid_until", &ApiKeyView::valid_until,
                  "Until when it works beside its successor; absent: it was not rotated."),
            field("revoked_at", &ApiKeyView::revoked_at, "Since when it is worthless."),
            field("successor_key_id", &ApiKeyView::successor_key_id, "What it was rotated into."),
            field("predecessor_key_id", &ApiKeyView::predecessor_key_id,
                  "What was rotated into it."),
            field("works", &ApiKeyView::works, "Not revoked, not expired, not rotated away.")};
    }
};

struct KeysCreate {
    static constexpr std::string_view name = "keys.create";
    static constexpr std::string_view summary = "Makes an API key of an agent. Shown once.";
    static constexpr Access access{.capability = "keys:manage", .audited = Audited::yes};
    static constexpr Rest rest{"POST", "/agents/{agent_id}/keys", 201};
    struct Params {
        std::string agent_id;
        std::string name;
        std::optional<std::vector<std::string>> capabilities;
        std::optional<Time> expires_at;
        std::optional<std::string> idempotency_key;
        static constexpr auto fields() {
            return std::tuple{
                field("agent_id", &Params::agent_id, "Whose key.", kUuid),
                field("name", &Params::name, "What it is for; need not be unique."),
                field("capabilities", &Params::capabilities,
                      "Only these of the agent's; all of them if left out.", kCapabilitiesRule),
                field("expires_at", &Params::expires_at, "Until when it lives."),
                field("idempotency_key", &Params::idempotency_key, kIdempotencySummary,
                      kIdempotencyRule)};
        }
        [[nodiscard]] std::optional<BadField> check() const {
            if (name.empty()) return BadField{"name", "a text that is not empty"};
            return check_idempotency_key(idempotency_key);
        }
    };
    struct Result {
        std::string key_id;
        Secret key;
        std::string agent_id;
        std::string name;
        std::optional<std::vector<std::string>> capabilities;
        Time created_at{};
        std::optional<Time> expires_at;
        static constexpr auto fields() {
            return std::tuple{
                field("key_id", &Result::key_id, "Names the key.", kUuid),
                field("key", &Result::key, "The key itself; never shown again.",
                      Rule{.max_bytes = limits::kCredentialBytes}),
                field("agent_id", &Result::agent_id, "Whose it is.", kUuid),
                field("name", &Result::name, "What it is for."),
                field("capabilities", &Result::capabilities, "Absent: all of the agent's.",
                      kKeptCapabilitiesRule),
                field("created_at", &Result::created_at, "When it was made."),
                field("expires_at", &Result::expires_at, "Absent: it does not expire.")};
        }
    };
};

struct KeysList {
    static constexpr std::string_view name = "keys.list";
    static constexpr std::string_view summary = "Lists an agent's API keys, never their secrets.";
    static constexpr Access access{.capability = "keys:manage", .mcp = Mcp::shown};
    static constexpr Rest rest{"GET", "/agents/{agent_id}/keys"};
    struct Params {
        std::string agent_id;
        static constexpr auto fields() {
            return std::tuple{field("agent_id", &Params::agent_id, "Whose keys.", kUuid)};
        }
    };
    struct Result {
        std::vector<ApiKeyView> keys;
        static constexpr auto fields() {
            return std::tuple{
                field("keys", &Result::keys, "Oldest first.",
                      Rule{.max_items = limits::kApiKeysAnAgent + limits::kDeadApiKeysAnAgent})};
        }
    };
};

struct KeyParams {
    std::string agent_id;
    std::string key_id;
    static constexpr auto fields() {
        return std::tuple{field("agent_id", &KeyParams::agent_id, "Whose key.", kUuid),
                          field("key_id", &KeyParams::key_id, "Which one.", kUuid)};
    }
};

// What every rotation of an API key answers.
struct RotatedKey {
    std::string key_id;
    Secret key;
    std::optional<Time> expires_at;
    Time previous_valid_until{};
    static constexpr auto fields() {
        return std::tuple{field("key_id", &RotatedKey::key_id, "Names the new key.", kUuid),
                          field("key", &RotatedKey::key, "The new key; never shown again.",
                                Rule{.max_bytes = limits::kCredentialBytes}),
                          field("expires_at", &RotatedKey::expires_at,
                                "Of the new key; absent: it does not expire."),
                          field("previous_valid_until", &RotatedKey::previous_valid_until,
                                "Until when the old key works beside it.")};
    }
};

struct KeysRotate {
    static constexpr std::string_view name = "keys.rotate";
    static constexpr std::string_view summary =
        "Makes an API key's successor; the old key works on for the grace period.";
    static constexpr Access access{.capability = "keys:manage", .audited = Audited::yes};
    static constexpr Rest rest{"POST", "/agents/{agent_id}/keys/{key_id}/rotate"};
    struct Params {
        KeyParams key;
        std::optional<std::int64_t> grace_period_hours;
        std::optional<std::string> idempotency_key;
        static constexpr auto fields() {
            return std::tuple_cat(
                inlined(&Params::key),
                std::tuple{field("grace_period_hours", &Params::grace_period_hours,
                                 "In place of the setting key_rotation_grace_hours; 0: the old key "
                                 "ends now.",
                                 Rule{.min = 0, .max = limits::kKeyGraceHours}),
                           field("idempotency_key", &Params::idempotency_key, kIdempotencySummary,
                                 kIdempotencyRule)});
        }
        [[nodiscard]] std::optional<BadField> check() const {
            return check_idempotency_key(idempotency_key);
        }
    };
    using Result = RotatedKey;
};

struct KeysRevoke {
    static constexpr std::string_view name = "keys.revoke";
    static constexpr std::string_view summary = "Ends an API key, and the JWTs made with it, now.";
    static constexpr Access access{
        .capability = "keys:manage", .audited = Audited::yes, .mcp = Mcp::shown};
    static constexpr Rest rest{"DELETE", "/agents/{agent_id}/keys/{key_id}", 204};
    using Params = KeyParams;
    using Result = ApiKeyView;
};

}  // namespace rekey::protocol
