#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rekey::server::rpc {

struct TokenFacts;

// Who calls an admin method: an agent row (type admin, mostly) through one of its API keys, an
// access token made with one, or an access token made over the agent's session.
struct Caller {
    std::string agent_id;
    std::string key_id;       // empty for a token over a session
    std::string address;      // without the port
    std::string request_id;   // of the request that the call came in; empty if its door has none
    std::uint64_t epoch = 0;  // of the agent when this was read
    std::vector<std::string> capabilities;
    // A key may hold less than its agent; absent: all of it.
    std::optional<std::vector<std::string>> key_capabilities;
    std::shared_ptr<const TokenFacts> token;  // null: it showed the API key itself
    bool key_is_unused = false;               // when this was read
    std::optional<Time> key_ends_at;          // by expiry or rotation

    [[nodiscard]] bool may(std::string_view capability) const;
    // All that it may, through this key.
    [[nodiscard]] std::vector<std::string> effective() const;
};

// An audit event of the caller's with outcome "ok" and, in its details, where the call came from:
// address, request_id and api_key_id, each if there is one.
[[nodiscard]] storage::AuditEvent audit_event(const Caller& caller, std::string action,
                                              std::string subject, Time now);
// These details by themselves.
[[nodiscard]] boost::json::object audit_details(const Caller& caller);

[[nodiscard]] Error permission_denied(std::string_view needed_capability);

// The caller behind the text of an API key, found by the id in it, the hash compared in constant
// time. `unknown_credential` for a wrong, revoked or missing one; only for the right secret:
// `token_expired`, `agent_suspended`, `agent_revoked`.
[[nodiscard]] Result<Caller> authenticate(storage::Transaction& transaction, std::string_view key,
                                          Time now);

// The caller behind an access token whose signature was verified: its times, the agent's status,
// the epoch, which has to be the row's, and the API key that it was made with. Errors as above.
[[nodiscard]] Result<Caller> authenticate_token(storage::Transaction& transaction,
                                                const std::shared_ptr<const TokenFacts>& facts,
                                                Time now);

// The same caller at a later moment: key, status, epoch and capabilities may have changed since.
[[nodiscard]] Result<Caller> read_again(storage::Transaction& transaction, const Caller& caller,
                                        Time now);

// Inside the transaction of a change: `read_again`, then the capability.
[[nodiscard]] Result<> require_still(storage::Transaction& transaction, const Caller& caller,
                                     std::string_view capability, Time now);

}  // namespace rekey::server::rpc
