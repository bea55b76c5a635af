#include "server/enrollment/enrollment.hpp"

#include "base/ed25519.hpp"
#include "base/hash.hpp"
#include "base/limits.hpp"
#include "keys/seal.hpp"
#include "protocol/proof.hpp"
#include "protocol/token.hpp"
#include "server/rpc/capabilities.hpp"

#include <algorithm>
#include <utility>

namespace rekey::server::enrollment {
namespace {

Error unknown_code() {
    return Error(Code::unknown_credential,
                 "the enrollment code is not known, or has expired: ask for a new one");
}

Error used_by_another() {
    return Error(Code::conflict,
                 "the enrollment code was used already: ask for a new one; the agent that used it "
                 "is not touched");
}

Enrolled describe(const storage::AgentRow& row, Secret token) {
    const storage::PendingToken& pending = *row.credentials.pending;
    Enrolled enrolled;
    enrolled.agent_id = row.agent_id;
    enrolled.rotation_id = pending.rotation_id;
    enrolled.generation = pending.generation;
    enrolled.token = std::move(token);
    enrolled.issued_at = pending.offered_at;
    return enrolled;
}

// The answer was lost, perhaps: the same bytes once more.
Result<Enrolled> repeat(storage::Transaction& transaction, const Parts& parts,
                        const Attempt& attempt, const storage::EnrollmentCodeRow& code) {
    REKEY_TRY_ASSIGN(row, transaction.agents().find(code.agent_id));
    const storage::Credentials& credentials = row.credentials;
    if (credentials.status == storage::AgentStatus::revoked) {
        return Error(Code::agent_revoked, "the agent is revoked");
    }
    if (credentials.status == storage::AgentStatus::suspended) {
        return Error(Code::agent_suspended, "the agent is suspended");
    }
    const bool waits = credentials.pending && credentials.pending->rotation_id == code.rotation_id;
    const bool in_time =
        code.used_at && attempt.now - *code.used_at < Milliseconds(limits::kEnrollmentRepeat);
    if (!waits || !in_time) return used_by_another();
    const keys::TokenContext context{row.agent_id, code.rotation_id,
                                     credentials.pending->generation};
    REKEY_TRY_ASSIGN(
        token, keys::open_token(parts.master_key, context, credentials.pending->sealed_token));
    return describe(row, std::move(token));
}

Result<> bury_identity(storage::Transaction& transaction, const storage::AgentRow& row,
                       const Attempt& attempt) {
    if (!row.identity_public_key || *row.identity_public_key == attempt.public_key) return {};
    storage::Tombstone tombstone;
    tombstone.agent_id = row.agent_id;
    tombstone.kind = storage::TombstoneKind::identity_key;
    tombstone.hash = sha256(*row.identity_public_key);
    tombstone.retired_at = attempt.now;
    return transaction.tombstones().insert(tombstone);
}

// The agent was granted more since than the maker of the code could: whoever has the code would be
// that agent, so it is worthless. A holder who enrolled before is the one whom that grant was for.
Result<> require_no_more_than_its_maker(storage::Transaction& transaction,
                                        const storage::EnrollmentCodeRow& code) {
    REKEY_TRY_ASSIGN(held, transaction.capabilities().list(code.agent_id));
    for (const std::string& capability : held)
        if (!rpc::covers(code.maker_capabilities, capability)) return unknown_code();
    return {};
}

Result<Enrolled> first_use(storage::Transaction& transaction, const Parts& parts,
                           const Attempt& attempt, const storage::EnrollmentCodeRow& code) {
    REKEY_TRY_ASSIGN(row, transaction.agents().find(code.agent_id));
    REKEY_TRY(require_no_more_than_its_maker(transaction, code));
    rotation::Cause cause = rotation::came_from(row.agent_id, attempt.origin.address);
    if (!attempt.origin.request_id.empty()) cause.details["request_id"] = attempt.origin.request_id;
    cause.details["code_id"] = code.code_id;
    cause.minted_for = storage::RotationCause::enrollment;

    REKEY_TRY_ASSIGN(retired, rotation::enroll(row.credentials));
    REKEY_TRY(bury_identity(transaction, row, attempt));
    row.identity_public_key = attempt.public_key;
    row.enrolled_at = attempt.now;
    row.hostname = attempt.hostname;
    row.version = attempt.version;
    REKEY_TRY(rotation::apply(transaction, row, retired, cause, attempt.now));

    REKEY_TRY_ASSIGN(generation,
                     rotation::may_begin(row.credentials, cause.minted_for, attempt.now));
    rotation::FreshToken fresh = parts.coordinator.mint(row.agent_id, generation);
    const auto begun = rotation::begin(row.credentials, fresh.minted, attempt.now);
    REKEY_TRY(rotation::apply(transaction, row, begun, cause, attempt.now));

    const auto bound = transaction.enrollment_codes().bind(code.code_id, attempt.public_key,
                                                           attempt.now, fresh.minted.rotation_id);
    if (bound.has_error()) {
        return bound.error().code() == Code::conflict ? used_by_another() : bound.error();
    }
    Enrolled enrolled = describe(row, std::move(fresh.token));
    enrolled.retired = std::move(retired);
    return enrolled;
}

Result<Attempt> read_attempt(const protocol::EnrollParams& params, Time now) {
    const auto parsed = protocol::parse_token(params.code.expose());
    if (!parsed || parsed->kind != protocol::TokenKind::enrollment_code) return unknown_code();
    const auto key = from_base64url(params.public_key);
    Attempt attempt;
    if (!key || key->size() != attempt.public_key.size()) {
        return protocol::bad_field({"public_key", "32 bytes in base64url without padding"});
    }
    std::copy(key->begin(), key->end(), attempt.public_key.begin());
    attempt.code_id = std::string(parsed->id);
    attempt.code_hash = protocol::token_hash(params.code);
    attempt.hostname = params.hostname;
    attempt.version = params.version;
    attempt.now = now;
    return attempt;
}

Result<> check_signature(const protocol::EnrollParams& params, const Attempt& attempt) {
    const auto signature = from_base64url(params.signature);
    const std::string message = protocol::enrollment_message(attempt.code_id, params.public_key);
    if (signature && ed25519_verify(attempt.public_key, message, *signature)) return {};
    return Error(Code::unknown_credential,
                 "the signature is not public_key's over the enrollment message");
}

}  // namespace

Result<storage::EnrollmentCodeRow> find_code(storage::Transaction& transaction,
                                             const Attempt& attempt) {
    auto row = transaction.enrollment_codes().find(attempt.code_id);
    if (row.has_error() && row.error().code() != Code::not_found) return row.error();
    const Bytes32 stored = row.has_error() ? Bytes32{} : row->code_hash;
    const bool matches = equal_in_constant_time(attempt.code_hash, stored);
    if (row.has_error() || !matches) return unknown_code();
    // Expiry ends the first use; a repeat has its own time.
    if (!row->bound_public_key && attempt.now >= row->expires_at) return unknown_code();
    return row;
}

Result<Enrolled> enroll_in(storage::Transaction& transaction, const Parts& parts,
                           const Attempt& attempt) {
    REKEY_TRY_ASSIGN(code, find_code(transaction, attempt));
    if (!code.bound_public_key) return first_use(transaction, parts, attempt, code);
    if (*code.bound_public_key != attempt.public_key) return used_by_another();
    return repeat(transaction, parts, attempt, code);
}

rpc::Task<Result<protocol::EnrollResult>> enroll(const Parts& parts, protocol::EnrollParams params,
                                                 Origin origin) {
    using Answer = Result<protocol::EnrollResult>;
    auto attempt = read_attempt(params, parts.clock.now());
    if (attempt.has_error()) co_return Answer(attempt.error());
    attempt->origin = std::move(origin);
    // A look first, so that strangers with no code never reach the one writer; then the costly
    // signature; then the decision, which looks again.
    auto look = [&attempt](storage::Transaction& transaction) {
        return find_code(transaction, *attempt);
    };
    const auto code =
        co_await rpc::read_from<storage::EnrollmentCodeRow>(parts.store, std::move(look));
    if (code.has_error()) co_return Answer(code.error());
    const auto signed_well = check_signature(params, *attempt);
    if (signed_well.has_error()) co_return Answer(signed_well.error());
    // A first use comes once; only the agent itself can repeat it, so nobody else spends its
    // minute.
    if (code->bound_public_key == attempt->public_key) {
        const auto allowed = parts.calls.count_by_agent(code->agent_id);
        if (allowed.has_error()) co_return Answer(allowed.error());
    }

    auto decide = [&parts, &attempt](storage::Transaction& transaction) {
        return enroll_in(transaction, parts, *attempt);
    };
    auto enrolled = co_await rpc::write_to<Enrolled>(parts.store, std::move(decide));
    if (enrolled.has_error()) co_return Answer(enrolled.error());
    rotation::close_sessions(parts.sessions, enrolled->agent_id, enrolled->retired);
    parts.log.info("agent.enrolled", {{"agent_id", enrolled->agent_id},
                                      {"rotation_id", enrolled->rotation_id},
                                      {"generation", enrolled->generation}});
    protocol::EnrollResult result;
    result.agent_id = std::move(enrolled->agent_id);
    result.token = std::move(enrolled->token);
    result.generation = enrolled->generation;
    result.rotation_id = std::move(enrolled->rotation_id);
    result.expires_at =
        enrolled->issued_at + parts.settings.snapshot()->rotation_policy().token_life;
    result.server_ca = parts.server_ca();
    co_return Answer(std::move(result));
}

}  // namespace rekey::server::enrollment
