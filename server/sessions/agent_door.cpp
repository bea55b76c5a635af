#include "server/sessions/agent_door.hpp"

#include "base/contract.hpp"
#include "base/limits.hpp"
#include "protocol/errors.hpp"
#include "protocol/token.hpp"
#include "server/sessions/session_host.hpp"

#include <utility>

namespace rekey::server::sessions {

// What the database says about a token.
struct LookedUp {
    Admission admission;
    rotation::TokenSlot slot = rotation::TokenSlot::current;
    storage::Credentials credentials;
    std::optional<storage::Tombstone> buried;
};

namespace {

// For an agent that does not exist the same is done with an empty row.
Result<> look_up(storage::Transaction& transaction, LookedUp& found, Time now) {
    const std::string& agent_id = found.admission.agent_id;
    const Bytes32& token_hash = found.admission.token_hash;
    auto row = transaction.agents().find(agent_id);
    if (row.has_error()) {
        if (row.error().code() != Code::not_found) return row.error();
        row = storage::AgentRow{};
    }
    auto buried = transaction.tombstones().find(agent_id, token_hash);
    if (buried.has_value())
        found.buried = *std::move(buried);
    else if (buried.error().code() != Code::not_found)
        return buried.error();
    found.credentials = std::move(row->credentials);
    const auto tombstone =
        found.buried ? rotation::TombstoneMatch::yes : rotation::TombstoneMatch::no;
    REKEY_TRY_ASSIGN(accepted,
                     rotation::authenticate(found.credentials, token_hash, tombstone, now));
    found.slot = accepted.slot;
    found.admission.name = std::move(row->name);
    found.admission.generation = accepted.generation;
    found.admission.rotation_id = std::move(accepted.rotation_id);
    found.admission.epoch = found.credentials.epoch;
    return {};
}

}  // namespace

AgentDoor::AgentDoor(Parts parts) : parts_(parts) {
    parts_.shards.for_each([this](Shard& shard) {
        hosts_.push_back(std::make_unique<SessionHost>(shard, parts_, sightings_));
    });
}

AgentDoor::~AgentDoor() = default;

void AgentDoor::authenticate(Shard& shard, const Visit& visit,
                             std::function<void(Result<Admission>)> done) {
    // One way out, back on the shard and never inside this call.
    auto answer = [this, &shard, address = visit.remote_address,
                   done = std::move(done)](Result<Admission> admission) {
        shard.post([this, address, done, admission = std::move(admission)]() mutable {
            if (admission.has_error())
                parts_.log.debug("agent.refused",
                                 {{"error", protocol::error_name(admission.error().code())},
                                  {"remote_address", address}});
            done(std::move(admission));
        });
    };
    if (hosts_.at(shard.index())->draining())
        return answer(Error(Code::unavailable, "the server is about to stop")
                          .with_retry_after(
                              std::chrono::seconds{parts_.settings.snapshot()->drain_seconds + 1}));
    const auto parsed = protocol::parse_token(visit.token);
    if (!parsed || parsed->kind != protocol::TokenKind::agent)
        return answer(Error(Code::unknown_credential, "no such credential"));

    auto found = std::make_shared<LookedUp>();
    found->admission.agent_id = std::string(parsed->id);
    found->admission.address = visit.remote_address;
    found->admission.token_hash = protocol::token_hash(visit.token);
    parts_.store.read(
        [this, found](storage::Transaction& transaction) {
            return look_up(transaction, *found, parts_.clock.now());
        },
        [this, found, address = visit.remote_address, awaited_since = visit.awaited_since,
         answer = std::move(answer)](const Result<>& result) {
            if (result.has_error()) {
                auto refuse = [answer, error = result.error()] { answer(error); };
                if (!found->buried) return refuse();
                return look_at_retired(*found, {{}, address, awaited_since}, std::move(refuse));
            }
            const Admission& admission = found->admission;
            // Before the promotion, which writes.
            const auto allowed = parts_.calls.count_by_agent(admission.agent_id);
            if (allowed.has_error()) return answer(allowed.error());
            if (found->slot != rotation::TokenSlot::pending)
                return answer(std::move(found->admission));
            parts_.coordinator.promote_at_connect(
                admission.agent_id, admission.token_hash, admission.address,
                [found, answer](const Result<rotation::Accepted>& accepted) {
                    if (accepted.has_error()) return answer(accepted.error());
                    answer(std::move(found->admission));
                });
        });
}

// Only one who knows the secret of a token of this agent comes this far. A stranger costs no write,
// and this one at most limits::kSightingsAnAgent in a window while the alarm is open.
void AgentDoor::look_at_retired(const LookedUp& found, const Visit& visit,
                                std::function<void()> done) {
    const storage::Tombstone& buried = *found.buried;
    if (buried.kind != storage::TombstoneKind::token) return done();
    const Moment now = Moment::of(parts_.clock);
    const auto clock = visit.awaited_since.jump_until(now) > limits::kClockJump
                           ? rotation::WallClock::jumped
                           : rotation::WallClock::steady;
    const auto verdict =
        rotation::judge_reuse(found.credentials, {.generation = buried.generation,
                                                  .retired_at = buried.retired_at,
                                                  .accepted_at = visit.awaited_since.wall,
                                                  .clock = clock});
    parts_.log.info("agent.retired_token", {{"agent_id", buried.agent_id},
                                            {"generation", buried.generation},
                                            {"verdict", rotation::name_of(verdict)},
                                            {"remote_address", visit.remote_address}});
    if (verdict != rotation::ReuseVerdict::reuse) return done();
    const bool is_new = sightings_.is_new(
        buried.agent_id, {SightingWindow::Kind::retired, buried.generation, visit.remote_address},
        now.steady);
    const bool suspends =
        parts_.settings.snapshot()->reuse_policy == protocol::ReusePolicy::suspend &&
        found.credentials.status == storage::AgentStatus::active;
    if (found.credentials.reuse && !is_new && !suspends) return done();
    rotation::ShownAgain shown{.agent_id = buried.agent_id,
                               .token_hash = buried.hash,
                               .address = visit.remote_address,
                               .holder_address = {},
                               .accepted_at = visit.awaited_since.wall,
                               .clock = clock};
    parts_.registry.describe(
        buried.agent_id, [this, shown = std::move(shown),
                          done = std::move(done)](const std::optional<SessionFacts>& holder) {
            rotation::ShownAgain complete = shown;
            if (holder) complete.holder_address = holder->remote_address;
            parts_.coordinator.report_reuse(std::move(complete), [this, agent_id = shown.agent_id,
                                                                  done](const Result<>& written) {
                if (written.has_error()) sightings_.forget(agent_id);
                done();
            });
        });
}

void AgentDoor::adopt(Shard& shard, net::WebSocket socket, Admission admission) {
    adopt(shard, std::make_unique<WebSocketWire>(std::move(socket)), std::move(admission));
}

void AgentDoor::adopt(Shard& shard, std::unique_ptr<Wire> wire, Admission admission) {
    hosts_.at(shard.index())->adopt(std::move(wire), std::move(admission));
}

void AgentDoor::drain(Milliseconds window, std::function<void()> done) {
    auto drain = std::make_shared<Drain>();
    drain->window = window;
    drain->done = std::move(done);
    drain->shards_left = hosts_.size();
    for (const auto& host : hosts_)
        host->shard().post([&host = *host, drain] { host.drain(drain); });
}

}  // namespace rekey::server::sessions
