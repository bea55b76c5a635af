#include "base/fail_point.hpp"
#include "base/limits.hpp"
#include "protocol/close_codes.hpp"
#include "protocol/methods/agent_requests.hpp"
#include "server/sessions/agent_session_parts.hpp"

// From the upgrade to the answered hello: registered, read again, the older connection asked
// whether it lives, welcomed, heard.
namespace rekey::server::sessions {

using protocol::CloseCode;

namespace {

constexpr auto code_of(CloseCode code) { return static_cast<std::uint16_t>(code); }

// Why a token that was good before the upgrade is not good any more.
CloseCode close_code_for(Code code) {
    switch (code) {
        case Code::agent_suspended:
            return CloseCode::suspended;
        case Code::agent_revoked:
            return CloseCode::revoked;
        case Code::unknown_credential:
        case Code::token_expired:
        case Code::not_found:
            // The next upgrade says what it is, as an HTTP status.
            return CloseCode::re_authenticate;
        default:
            return CloseCode::internal_error;
    }
}

}  // namespace

void AgentSession::begin(SessionHost::List::iterator place) {
    place_ = place;
    host_.parts().registry.add(host_.shard(), shared_from_this());
    host_.shard().wheel().arm(*this, last_frame(), limits::kHelloTimeout);
    wire_->start(*this);
    read_row_again();
}

// Only what happens before registering can be missed by a revoke that closes the registered
// sessions; so the row is read after it (I4).
void AgentSession::read_row_again() {
    auto row = std::make_shared<storage::AgentRow>();
    host_.parts().store.read(
        [row, agent_id = agent_id_](storage::Transaction& transaction) -> Result<> {
            REKEY_TRY_ASSIGN(found, transaction.agents().find(agent_id));
            *row = std::move(found);
            return {};
        },
        [row, weak = weak_from_this(), &shard = host_.shard()](Result<> result) {
            shard.post([row, weak, result = std::move(result)] {
                const auto self = weak.lock();
                if (!self || self->phase_ != Phase::arriving) return;
                if (result.has_error()) return self->on_row(result.error());
                self->on_row(std::move(*row));
            });
        });
}

void AgentSession::on_row(const Result<storage::AgentRow>& row) {
    if (row.has_error()) return close(code_of(close_code_for(row.error().code())), "not now");
    const Admission& admission = arrival_->admission;
    const auto still =
        rotation::authenticate(row->credentials, admission.token_hash,
                               rotation::TombstoneMatch::yes, host_.parts().clock.now());
    if (still.has_error()) {
        const auto code = code_of(close_code_for(still.error().code()));
        return close(code, protocol::close_name(code));
    }
    if (row->credentials.epoch != admission.epoch)
        return close(code_of(CloseCode::re_authenticate), "re_authenticate");
    arrival_->hostname = row->hostname;
    arrival_->version = row->version;
    arrival_->last_address = row->last_address;
    arrival_->contest_is_open = row->credentials.contested.has_value();
    meet_older();
}

void AgentSession::meet_older() {
    const auto older = host_.parts().registry.older_than(agent_id_, connection_);
    if (!older) return welcome();
    // There and back: the older one may live on another shard.
    auto back = [weak = weak_from_this(), &shard = host_.shard()](
                    Life life, const std::string& holder_address) {
        shard.post([weak, life, holder_address] {
            const auto self = weak.lock();
            if (self && self->phase_ == Phase::arriving) self->on_older(life, holder_address);
        });
    };
    older->shard->post([&registry = host_.parts().registry, agent_id = agent_id_,
                        connection = older->connection, back = std::move(back)] {
        const auto session = registry.find(agent_id, connection);
        if (!session) return back(Life::silent, {});
        session->probe([back, holder_address = session->facts().remote_address](Life life) {
            back(life, holder_address);
        });
    });
}

void AgentSession::on_older(Life life, const std::string& holder_address) {
    // One that is silent is gone by now; there may be one more before it.
    if (life == Life::silent) return meet_older();
    note_contest(holder_address);
    close(code_of(CloseCode::contested), "contested");
}

// Two live holders of one token: the first one stays, and an administrator has to know.
void AgentSession::note_contest(const std::string& holder_address) {
    const std::string& address = wire_->remote_address();
    host_.parts().log.warning("agent.contested", {{"agent_id", agent_id_},
                                                  {"connection", connection_},
                                                  {"remote_address", address},
                                                  {"holder_address", holder_address}});
    storage::Sighting sighting{.seen_at = {},
                               .generation = bound_generation_,
                               .address = address_,
                               .holder_address = holder_address,
                               .answer = {}};
    const bool is_new = host_.sightings().is_new(
        agent_id_, {SightingWindow::Kind::contested, sighting.generation, sighting.address},
        host_.shard().now());
    if (arrival_->contest_is_open && !is_new) return;
    host_.parts().coordinator.report_contest(
        agent_id_, std::move(sighting),
        [&sightings = host_.sightings(), agent_id = agent_id_](const Result<>& written) {
            if (written.has_error()) sightings.forget(agent_id);
        });
}

std::string AgentSession::greeting_for(const protocol::RequestId* id) const {
    const Admission& admission = arrival_->admission;
    protocol::Welcome welcome{.agent_id = agent_id_,
                              .name = admission.name,
                              .generation = admission.generation,
                              .rotation_id = admission.rotation_id,
                              .server_time = host_.parts().clock.now(),
                              .heartbeat_seconds = host_.settings().heartbeat_seconds,
                              .settings = {}};
    welcome.settings.heartbeat_seconds = host_.settings().heartbeat_seconds;
    std::string frame;
    if (id == nullptr) {
        protocol::append_notification(frame, protocol::AgentWelcome::name, welcome);
        return frame;
    }
    protocol::AgentHello::Result answer;
    answer.welcome = std::move(welcome);
    protocol::append_result(frame, *id, answer);
    return frame;
}

void AgentSession::welcome() {
    phase_ = Phase::greeting;
    host_.shard().wheel().arm(*this, host_.shard().now(), limits::kHelloTimeout);
    fail_point::reached(fail_point::Point::server_send_welcome);
    wire_->send(greeting_for(nullptr));
    for (const std::string& message : std::exchange(arrival_->held_back, {})) on_text(message);
}

void AgentSession::hold_back(std::string_view message) {
    // Empty messages cost as well.
    arrival_->held_back_bytes += message.size() + sizeof(std::string);
    if (arrival_->held_back_bytes > limits::kMessageBytes)
        return close(code_of(CloseCode::protocol_violation), "too much before the welcome");
    arrival_->held_back.emplace_back(message);
}

void AgentSession::on_hello(const protocol::Request& request) {
    fail_point::reached(fail_point::Point::server_receive_hello);
    if (!request.id)
        return close(code_of(CloseCode::protocol_violation), "agent.hello must be a request");
    auto hello = params_of<protocol::AgentHello>(request);
    if (!hello) return;
    fail_point::reached(fail_point::Point::server_send_hello_answer);
    wire_->send(greeting_for(&*request.id));
    os_ = std::move(hello->os);
    methods_ = std::move(hello->methods);
    const auto arrival = std::move(arrival_);
    phase_ = Phase::ready;
    host_.shard().wheel().arm(*this, last_frame(), host_.silence());
    host_.parts().registry.set_ready(agent_id_, connection_, true);
    host_.parts().log.info("agent.connected", {{"agent_id", agent_id_},
                                               {"name", arrival->admission.name},
                                               {"connection", connection_},
                                               {"generation", arrival->admission.generation},
                                               {"remote_address", wire_->remote_address()}});
    std::string address = address_;
    if (hello->hostname != arrival->hostname || hello->version != arrival->version ||
        address != arrival->last_address)
        note_report(std::move(hello->hostname), std::move(hello->version), std::move(address));
    if (probe_) probe_->ask();
    host_.parts().coordinator.on_ready(*this);
}

void AgentSession::note_report(std::string hostname, std::string version, std::string address) {
    host_.parts().store.write(
        [agent_id = agent_id_, hostname = std::move(hostname), version = std::move(version),
         address = std::move(address)](storage::Transaction& transaction) -> Result<> {
            REKEY_TRY_ASSIGN(row, transaction.agents().find(agent_id));
            row.hostname = hostname;
            row.version = version;
            row.last_address = address;
            return transaction.agents().update(row);
        },
        // A lost race is made good by the next hello.
        [](const Result<>&) {});
}

}  // namespace rekey::server::sessions
