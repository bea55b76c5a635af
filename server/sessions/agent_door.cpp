#include "server/sessions/agent_door.hpp"

#include "base/contract.hpp"
#include "protocol/errors.hpp"
#include "protocol/token.hpp"
#include "server/sessions/session_host.hpp"

#include <utility>

namespace rekey::server::sessions {

namespace {

struct Found {
    Admission admission;
    rotation::TokenSlot slot = rotation::TokenSlot::current;
};

// What the row says about this token. For an agent that does not exist the same is done with an
// empty row.
Result<Found> look_up(storage::Transaction& transaction, const std::string& agent_id,
                      const Bytes32& token_hash, Time now) {
    auto row = transaction.agents().find(agent_id);
    if (row.has_error()) {
        if (row.error().code() != Code::not_found) return row.error();
        row = storage::AgentRow{};
    }
    REKEY_TRY_ASSIGN(retired, transaction.tombstones().contains(agent_id, token_hash));
    const auto tombstone = retired ? rotation::TombstoneMatch::yes : rotation::TombstoneMatch::no;
    REKEY_TRY_ASSIGN(accepted,
                     rotation::authenticate(row->credentials, token_hash, tombstone, now));
    return Found{.admission = {.agent_id = agent_id,
                               .name = std::move(row->name),
                               .generation = accepted.generation,
                               .rotation_id = std::move(accepted.rotation_id),
                               .token_hash = token_hash,
                               .epoch = row->credentials.epoch},
                 .slot = accepted.slot};
}

}  // namespace

AgentDoor::AgentDoor(Parts parts) : parts_(parts) {
    parts_.shards.for_each(
        [this](Shard& shard) { hosts_.push_back(std::make_unique<SessionHost>(shard, parts_)); });
}

AgentDoor::~AgentDoor() = default;

void AgentDoor::authenticate(Shard& shard, std::string_view token, std::string_view remote_address,
                             std::function<void(Result<Admission>)> done) {
    // One way out, back on the shard and never inside this call.
    auto answer = [this, &shard, address = std::string(remote_address),
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
    const auto parsed = protocol::parse_token(token);
    if (!parsed || parsed->kind != protocol::TokenKind::agent)
        return answer(Error(Code::unknown_credential, "no such credential"));

    auto found = std::make_shared<Found>();
    const std::string agent_id(parsed->id);
    const Bytes32 token_hash = protocol::token_hash(token);
    parts_.store.read(
        [this, found, agent_id, token_hash](storage::Transaction& transaction) -> Result<> {
            REKEY_TRY_ASSIGN(seen, look_up(transaction, agent_id, token_hash, parts_.clock.now()));
            *found = std::move(seen);
            return {};
        },
        [this, found, answer = std::move(answer)](const Result<>& result) {
            if (result.has_error()) return answer(result.error());
            if (found->slot != rotation::TokenSlot::pending)
                return answer(std::move(found->admission));
            const Admission& admission = found->admission;
            parts_.coordinator.promote_at_connect(
                admission.agent_id, admission.token_hash,
                [found, answer](const Result<rotation::Accepted>& accepted) {
                    if (accepted.has_error()) return answer(accepted.error());
                    answer(std::move(found->admission));
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
