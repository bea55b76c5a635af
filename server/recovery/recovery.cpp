#include "server/recovery/recovery.hpp"

#include "base/ed25519.hpp"
#include "base/limits.hpp"
#include "keys/seal.hpp"
#include "protocol/errors.hpp"
#include "protocol/proof.hpp"
#include "protocol/token.hpp"
#include "server/rotation/apply.hpp"
#include "server/rotation/reuse.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace rekey::server::recovery {
namespace {

Error not_proven() {
    return Error(Code::unknown_credential,
                 "the challenge is outdated, or the signature is not the identity key's of this "
                 "agent: ask for a new challenge");
}

// What was asked, as the transactions need it. Shared, because a unit may be run twice.
struct Attempt {
    std::string agent_id;
    std::string challenge;
    rotation::RecoveryClaim claim;
    Bytes signature;
    std::string message;
    std::string address;
    std::string request_id;
    Time now{};
    // Decided once, also when the unit runs again.
    std::optional<std::optional<std::uint64_t>> repeat_row;
};

struct Known {
    bool there = false;
    Bytes32 public_key{};
    std::uint64_t next_generation = 0;
};

struct Recovered {
    std::string rotation_id;
    std::uint64_t generation = 0;
    Secret token;
    std::string_view action;
};

// Whom nobody is: a signature is checked also for an agent that is not there.
const Bytes32& nobodys_key() {
    static const Bytes32 key = Ed25519Key::from_seed(Bytes32{}).public_key();
    return key;
}

// An agent that is not there and one without an identity key are alike.
Result<Known> look(storage::Transaction& transaction, std::string_view agent_id) {
    const auto row = transaction.agents().find(agent_id);
    if (row.has_error() && row.error().code() != Code::not_found) return row.error();
    Known known{.public_key = nobodys_key()};
    if (row.has_error() || !row->identity_public_key) return known;
    known.there = true;
    known.public_key = *row->identity_public_key;
    known.next_generation = row->credentials.next_generation;
    return known;
}

bool proven(const Parts& parts, const Attempt& attempt, const Known& known) {
    const bool fresh = parts.challenges.holds(attempt.challenge, attempt.agent_id,
                                              known.next_generation, attempt.now);
    const bool signed_well = ed25519_verify(known.public_key, attempt.message, attempt.signature);
    return known.there && fresh && signed_well;
}

boost::json::object facts_of(const Attempt& attempt) {
    boost::json::object details;
    details["newest_held"] = attempt.claim.newest_held;
    details["address"] = attempt.address;
    if (!attempt.request_id.empty()) details["request_id"] = attempt.request_id;
    return details;
}

std::string_view name_of(rotation::RecoveryCost cost) {
    switch (cost) {
        case rotation::RecoveryCost::nothing:
            return "nothing";
        case rotation::RecoveryCost::budget:
            return "budget";
        case rotation::RecoveryCost::grant:
            break;
    }
    return "grant";
}

// The answer was lost, perhaps: the same bytes once more.
Result<Recovered> hand_out(storage::Transaction& transaction, const Parts& parts, Attempt& attempt,
                           storage::AgentRow& row) {
    const storage::PendingToken pending = *row.credentials.pending;
    const keys::TokenContext context{row.agent_id, pending.rotation_id, pending.generation};
    REKEY_TRY_ASSIGN(token, keys::open_token(parts.master_key, context, pending.sealed_token));
    // An alarm or a contest that is open is closed once this token is promoted.
    rotation::Transition answering{.after = row.credentials, .action = "recovery.repeated"};
    rotation::answer_sightings(answering.after, storage::RotationCause::recovery);
    if (answering.after != row.credentials) {
        rotation::Cause cause{.actor = row.agent_id, .details = facts_of(attempt)};
        cause.details["rotation_id"] = pending.rotation_id;
        cause.details["generation"] = pending.generation;
        REKEY_TRY(rotation::apply(transaction, row, answering, cause, attempt.now));
        return Recovered{pending.rotation_id, pending.generation, std::move(token),
                         answering.action};
    }
    if (!attempt.repeat_row)
        attempt.repeat_row = parts.audit_pause.admit("recovery.repeated " + pending.rotation_id);
    if (const auto left_out = *attempt.repeat_row) {
        storage::AuditEvent event{.time = attempt.now,
                                  .actor = row.agent_id,
                                  .action = "recovery.repeated",
                                  .subject = row.agent_id,
                                  .outcome = "ok",
                                  .details = facts_of(attempt)};
        event.details["rotation_id"] = pending.rotation_id;
        event.details["generation"] = pending.generation;
        if (*left_out > 0) event.details["left_out_before"] = *left_out;
        transaction.audit().append(std::move(event));
    }
    return Recovered{pending.rotation_id, pending.generation, std::move(token),
                     "recovery.repeated"};
}

Result<Recovered> mint(storage::Transaction& transaction, const Parts& parts,
                       const Attempt& attempt, storage::AgentRow& row,
                       const rotation::RecoveryPlan& plan) {
    rotation::FreshToken fresh = parts.coordinator.mint(row.agent_id, plan.generation);
    const auto minting = rotation::recover(row.credentials, plan, fresh.minted, attempt.now);
    rotation::Cause cause;
    cause.actor = row.agent_id;
    cause.details = facts_of(attempt);
    cause.details["cost"] = name_of(plan.cost);
    cause.minted_for = storage::RotationCause::recovery;
    if (plan.cost == rotation::RecoveryCost::budget)
        REKEY_TRY(
            transaction.recoveries().charge(row.agent_id, attempt.now, fresh.minted.rotation_id));
    if (plan.cost == rotation::RecoveryCost::grant)
        REKEY_TRY(transaction.recoveries().spend_grant(row.agent_id));
    REKEY_TRY(rotation::apply(transaction, row, minting, cause, attempt.now));
    return Recovered{fresh.minted.rotation_id, plan.generation, std::move(fresh.token),
                     minting.action};
}

// Looks again: between the reading and now a token may have been minted, or the agent revoked.
Result<Recovered> recover_in(storage::Transaction& transaction, const Parts& parts,
                             Attempt& attempt) {
    REKEY_TRY_ASSIGN(known, look(transaction, attempt.agent_id));
    if (!proven(parts, attempt, known)) return not_proven();
    REKEY_TRY_ASSIGN(row, transaction.agents().find(attempt.agent_id));
    REKEY_TRY_ASSIGN(
        terms, read_terms(transaction, row.agent_id, *parts.settings.snapshot(), attempt.now));
    REKEY_TRY_ASSIGN(plan,
                     rotation::plan_recovery(row.credentials, attempt.claim, terms, attempt.now));
    if (plan.step == rotation::RecoveryStep::hand_out_pending)
        return hand_out(transaction, parts, attempt, row);
    return mint(transaction, parts, attempt, row, plan);
}

// That the store could not answer is no refusal of this agent.
bool is_refusal(Code code) {
    return code == Code::unknown_credential || code == Code::token_expired ||
           code == Code::agent_suspended || code == Code::agent_revoked ||
           code == Code::rate_limited || code == Code::wrong_state;
}

// In a transaction of its own, which nobody waits for: the refusal comes as fast for an agent that
// is not there.
void audit_refusal(const Parts& parts, const Attempt& attempt, Code code) {
    if (!is_refusal(code)) return;
    const std::string name(protocol::error_row(code).name);
    const auto left_out = parts.audit_pause.admit(name + " " + attempt.agent_id);
    if (!left_out) return;
    storage::AuditEvent event{.time = attempt.now,
                              .actor = attempt.agent_id,
                              .action = "recovery.refused",
                              .subject = attempt.agent_id,
                              .outcome = name,
                              .details = facts_of(attempt)};
    if (*left_out > 0) event.details["left_out_before"] = *left_out;
    parts.log.warning(
        "recovery.refused",
        {{"agent_id", attempt.agent_id}, {"error", name}, {"address", attempt.address}});
    parts.store.write(
        [event](storage::Transaction& transaction) -> Result<> {
            transaction.audit().append(event);
            return {};
        },
        [](const Result<>&) {});
}

std::shared_ptr<Attempt> read_attempt(const protocol::RecoverParams& params, std::string address,
                                      Time now) {
    auto attempt = std::make_shared<Attempt>();
    attempt->agent_id = params.agent_id;
    attempt->challenge = params.challenge;
    attempt->claim.newest_held = params.newest_held;
    if (params.token) attempt->claim.token_hash = protocol::token_hash(*params.token);
    attempt->signature = from_base64url(params.signature).value_or(Bytes{});
    attempt->message =
        protocol::recovery_message(params.agent_id, params.challenge, params.newest_held);
    attempt->address = std::move(address);
    attempt->now = now;
    return attempt;
}

}  // namespace

Result<rotation::RecoveryTerms> read_terms(storage::Transaction& transaction,
                                           std::string_view agent_id, const SettingValues& settings,
                                           Time now) {
    rotation::RecoveryTerms terms;
    if (settings.expired_token_policy == protocol::ExpiredTokenPolicy::reject)
        terms.expired_tokens = rotation::ExpiredTokens::reject;
    const Milliseconds window = std::chrono::days{settings.recovery_window_days};
    const auto budget = static_cast<std::uint64_t>(settings.recovery_budget);
    REKEY_TRY_ASSIGN(charged, transaction.recoveries().charged_since(agent_id, now - window,
                                                                     limits::kRecoveryBudget));
    REKEY_TRY_ASSIGN(granted, transaction.recoveries().grants(agent_id));
    terms.units_granted = granted;
    if (charged.size() < budget) terms.units_left = budget - charged.size();
    // Newest first: when this one leaves the window, there is room for one more.
    if (terms.units_left == 0 && budget > 0) terms.frees_at = charged[budget - 1] + window;
    return terms;
}

rpc::Task<Result<protocol::RecoverChallengeResult>> challenge(
    const Parts& parts, protocol::RecoverChallengeParams params) {
    using Answer = Result<protocol::RecoverChallengeResult>;
    auto unit = [&params](storage::Transaction& transaction) {
        return look(transaction, params.agent_id);
    };
    const auto known = co_await rpc::read_from<Known>(parts.store, std::move(unit));
    if (known.has_error()) co_return Answer(known.error());
    protocol::RecoverChallengeResult result;
    result.challenge =
        parts.challenges.issue(params.agent_id, known->next_generation, parts.clock.now());
    co_return Answer(std::move(result));
}

rpc::Task<Result<protocol::RecoverResult>> recover(const Parts& parts,
                                                   protocol::RecoverParams params,
                                                   std::string address, std::string request_id) {
    using Answer = Result<protocol::RecoverResult>;
    const auto attempt = read_attempt(params, std::move(address), parts.clock.now());
    attempt->request_id = std::move(request_id);
    // A look first, so that strangers never reach the one writer.
    auto unit = [attempt](storage::Transaction& transaction) {
        return look(transaction, attempt->agent_id);
    };
    const auto known = co_await rpc::read_from<Known>(parts.store, std::move(unit));
    if (known.has_error()) co_return Answer(known.error());
    if (!proven(parts, *attempt, *known)) {
        if (known->there) audit_refusal(parts, *attempt, Code::unknown_credential);
        co_return Answer(not_proven());
    }
    const auto allowed = parts.calls.count_by_agent(attempt->agent_id);
    if (allowed.has_error()) co_return Answer(allowed.error());
    auto decide = [&parts, attempt](storage::Transaction& transaction) {
        return recover_in(transaction, parts, *attempt);
    };
    auto recovered = co_await rpc::write_to<Recovered>(parts.store, std::move(decide));
    if (recovered.has_error()) {
        audit_refusal(parts, *attempt, recovered.error().code());
        co_return Answer(recovered.error());
    }
    parts.log.info(recovered->action, {{"agent_id", attempt->agent_id},
                                       {"rotation_id", recovered->rotation_id},
                                       {"generation", recovered->generation},
                                       {"newest_held", attempt->claim.newest_held},
                                       {"address", attempt->address}});
    protocol::RecoverResult result;
    result.agent_id = attempt->agent_id;
    result.token = std::move(recovered->token);
    result.generation = recovered->generation;
    result.rotation_id = std::move(recovered->rotation_id);
    result.expires_at = attempt->now + parts.settings.snapshot()->rotation_policy().token_life;
    result.server_ca = parts.server_ca();
    co_return Answer(std::move(result));
}

}  // namespace rekey::server::recovery
