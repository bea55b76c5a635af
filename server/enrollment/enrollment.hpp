#pragma once

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "keys/master_key.hpp"
#include "protocol/methods/enroll.hpp"
#include "server/rotation/apply.hpp"
#include "server/rotation/coordinator.hpp"
#include "server/rpc/call_limiter.hpp"
#include "server/rpc/task.hpp"
#include "server/settings.hpp"
#include "storage/store.hpp"

#include <functional>
#include <string>
#include <string_view>

// POST /enroll: an agent's identity key against an enrollment code, for its first token
// (rotation.md, A0; protocol.md, "Enrollment").
namespace rekey::server::enrollment {

struct Parts {
    storage::Store& store;
    rotation::Coordinator& coordinator;
    rotation::ConnectedAgents& sessions;
    const keys::MasterKey& master_key;
    rpc::CallLimiter& calls;
    const LiveSettings& settings;
    const Clock& clock;
    const Log& log;
    // What the agent trusts from now on, in PEM; empty without TLS.
    std::function<std::string()> server_ca;
};

// Where an attempt came from, for its audit rows.
struct Origin {
    std::string address;     // without the port
    std::string request_id;  // empty: none
};

// Errors: `unknown_credential` for a code that is unknown, mistyped or expired, or a signature that
// is not the key's; `conflict` for a code that another key has used, or that was used up by a
// connect; `agent_suspended`, `agent_revoked`; `rate_limited` for the key that the code is bound
// to, when it repeats too often. `parts` must outlive the task.
[[nodiscard]] rpc::Task<Result<protocol::EnrollResult>> enroll(const Parts& parts,
                                                               protocol::EnrollParams params,
                                                               Origin origin);

// The parts of it that are decided inside a transaction.
struct Attempt {
    std::string code_id;
    Bytes32 code_hash{};
    Bytes32 public_key{};
    std::string hostname;
    std::string version;
    Origin origin;
    Time now{};
};

// The code's row, if `attempt` shows its secret and it may still be used or repeated by somebody.
// After the same work for a code that does not exist.
[[nodiscard]] Result<storage::EnrollmentCodeRow> find_code(storage::Transaction& transaction,
                                                           const Attempt& attempt);

struct Enrolled {
    std::string agent_id;
    std::string rotation_id;
    std::uint64_t generation = 0;
    Secret token;
    Time issued_at{};
    rotation::Transition retired;  // what an earlier enrollment held; to be closed after the commit
};

// The first use binds the code, retires what an earlier enrollment held and begins with a fresh
// token; a repeat by the same key gets the same token again, until the agent's first connect and at
// most for limits::kEnrollmentRepeat.
[[nodiscard]] Result<Enrolled> enroll_in(storage::Transaction& transaction, const Parts& parts,
                                         const Attempt& attempt);

}  // namespace rekey::server::enrollment
