#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "keys/master_key.hpp"
#include "protocol/methods/recover.hpp"
#include "server/recovery/audit_pause.hpp"
#include "server/recovery/challenge.hpp"
#include "server/rotation/coordinator.hpp"
#include "server/rotation/recover.hpp"
#include "server/rpc/call_limiter.hpp"
#include "server/rpc/task.hpp"
#include "server/settings.hpp"
#include "storage/store.hpp"

#include <functional>
#include <string>
#include <string_view>

// POST /recover: an agent's identity key for its pending token (docs/rotation.md, "Recovery";
// docs/protocol.md). Nothing that is accepted is dropped, so that it may be repeated at will.
namespace rekey::server::recovery {

struct Parts {
    storage::Store& store;
    rotation::Coordinator& coordinator;
    const keys::MasterKey& master_key;
    const Challenges& challenges;
    AuditPause& audit_pause;
    rpc::CallLimiter& calls;
    const LiveSettings& settings;
    const Clock& clock;
    const Log& log;
    // What the agent trusts from now on, in PEM; empty without TLS.
    std::function<std::string()> server_ca;
};

// Everybody gets one, also in the name of an agent that is not there. `unavailable` when the store
// is.
[[nodiscard]] rpc::Task<Result<protocol::RecoverChallengeResult>> challenge(
    const Parts& parts, protocol::RecoverChallengeParams params);

// Errors: `unknown_credential` for a wrong signature, a challenge that is outdated or another
// agent's, an agent that is not there or has no identity key: alike, after the same work. Then, for
// one who has shown the identity key, `rate_limited` and those of rotation::plan_recovery().
// `address` is the peer's, for the audit. `parts` must outlive the task.
[[nodiscard]] rpc::Task<Result<protocol::RecoverResult>> recover(const Parts& parts,
                                                                 protocol::RecoverParams params,
                                                                 std::string address,
                                                                 std::string request_id = {});

// What rotation::plan_recovery() needs to know besides the row. Also for agents.recover.
[[nodiscard]] Result<rotation::RecoveryTerms> read_terms(storage::Transaction& transaction,
                                                         std::string_view agent_id,
                                                         const SettingValues& settings, Time now);

}  // namespace rekey::server::recovery
