#pragma once

#include "protocol/methods/capabilities.hpp"

// agent.verify: may I? An agent asks before it does something that its own machine could not refuse
// it, and the answer leaves a trail.
namespace rekey::protocol {

// Why it is allowed, or not. `unknown_capability`: none of this name is registered, so nobody was
// refused anything by it; often a misspelling.
enum class VerifyReason : std::uint8_t {
    granted,
    not_granted,
    unknown_capability,
    suspended,
    revoked,
};
constexpr auto names_of(VerifyReason) {
    return std::to_array<std::string_view>(
        {"granted", "not_granted", "unknown_capability", "suspended", "revoked"});
}

struct AgentVerify {
    static constexpr std::string_view name = "agent.verify";
    static constexpr std::string_view summary =
        "Asks whether the agent may use a capability, on a resource if it names one.";
    static constexpr Access access{.caller = Caller::agent, .audited = Audited::yes};
    struct Params {
        std::string capability;
        std::optional<std::string> resource;
        std::optional<boost::json::object> context;
        static constexpr auto fields() {
            return std::tuple{
                field("capability", &Params::capability, "As prefix:name.", kCapabilityRule),
                field("resource", &Params::resource, "What it would be used on, for the trail.",
                      Rule{.max_bytes = limits::kDetailBytes}),
                field("context", &Params::context, "Anything more, for the trail.",
                      Rule{.max_bytes = limits::kMetadataBytes})};
        }
    };
    struct Result {
        bool allowed = false;
        VerifyReason reason = VerifyReason::not_granted;
        std::string verification_id;
        static constexpr auto fields() {
            return std::tuple{field("allowed", &Result::allowed, "Whether it may."),
                              field("reason", &Result::reason, "Why."),
                              field("verification_id", &Result::verification_id,
                                    "Where it stands in the audit: its row's subject.", kUuid)};
        }
    };
};

}  // namespace rekey::protocol
