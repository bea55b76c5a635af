#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "protocol/methods/keys.hpp"
#include "server/methods/idempotency.hpp"
#include "server/methods/parts.hpp"
#include "server/rpc/caller.hpp"
#include "server/rpc/task.hpp"
#include "storage/store.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

// How an API key is rotated (docs/authentication.md): by keys.rotate for whom the caller has rights
// over, and by an agent for the key that it calls with.
namespace rekey::server::methods {

// A key in nobody's hands and in no table yet.
struct FreshKey {
    std::string key_id;
    Secret text;
};
[[nodiscard]] FreshKey mint_key(const Clock& clock, Random& random);

struct KeyRotation {
    std::string agent_id;
    std::string key_id;          // of the key that ends
    std::chrono::hours grace{};  // that it works on, never beyond its own life
    FreshKey fresh;
    Time now{};
    // What the successor may at most, when the key that ends may all of its agent's; none: all.
    std::optional<std::vector<std::string>> ceiling;
};

// `wrong_state` when as many of the agent's keys work as one may have.
[[nodiscard]] Result<> require_room_for_key(storage::Transaction& transaction,
                                            const std::string& agent_id, Time now);

// Makes the successor of a key that works, with the predecessor's name, capabilities and length of
// life. While a successor was never used, this one takes its place, and the end of the predecessor
// only ever moves nearer: a reply that was lost costs nothing, and rotating again and again does
// not keep an old key alive. Errors: `not_found` (also for a key of another agent), `wrong_state`
// for a key that works no more or whose successor was used. Whether the caller may do this is for
// whoever calls. Writes the audit row.
[[nodiscard]] Result<protocol::RotatedKey> rotate_key_in(storage::Transaction& transaction,
                                                         const rpc::Caller& caller,
                                                         const KeyRotation& rotation);

// The whole of it for the key that authenticated the call: needs no capability. `wrong_state` for a
// caller without one (a JWT over an agent's session).
[[nodiscard]] rpc::Task<Result<protocol::RotatedKey>> rotate_own_key(
    const Parts& parts, const rpc::Caller& caller, std::optional<std::string> idempotency_key);

}  // namespace rekey::server::methods
