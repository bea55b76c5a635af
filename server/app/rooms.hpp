#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "keys/master_key.hpp"
#include "server/app/app.hpp"
#include "server/app/front.hpp"
#include "server/audit/caretaker.hpp"
#include "server/bootstrap/data_directory.hpp"
#include "server/bootstrap/server_certificate.hpp"
#include "server/config/config.hpp"
#include "server/enrollment/enrollment.hpp"
#include "server/http/doors.hpp"
#include "server/methods/parts.hpp"
#include "server/recovery/recovery.hpp"
#include "server/revocation/journal.hpp"
#include "server/rotation/coordinator.hpp"
#include "server/rpc/access_tokens.hpp"
#include "server/rpc/authenticator.hpp"
#include "server/rpc/dispatcher.hpp"
#include "server/rpc/failure_limiter.hpp"
#include "server/rpc/key_use.hpp"
#include "server/rpc/refused_authentications.hpp"
#include "server/rpc/registry.hpp"
#include "server/scheduler/scheduler.hpp"
#include "server/sessions/agent_door.hpp"
#include "server/sessions/agent_requests.hpp"
#include "server/sessions/registry.hpp"
#include "server/settings.hpp"
#include "server/shard.hpp"
#include "server/signing/signing_keys.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace rekey::server::app {

// Everything, in the order in which it is built; members are destroyed in reverse.
struct App::Rooms {
    Rooms(config::Config given, const Log& log_to);

    int run();

    config::Config config;
    const Log& log;
    SystemClock clock;
    SystemRandom random;
    bootstrap::DataDirectory directory;
    std::unique_ptr<storage::Store> store;
    keys::MasterKey master_key;
    LiveSettings settings;
    std::unique_ptr<bootstrap::ServerCertificate> certificate;  // null: plain HTTP
    Shards shards;
    signing::SigningKeys signing_keys;
    Listeners listeners;
    config::HostPort advertised;
    sessions::SessionRegistry registry;
    rotation::Coordinator coordinator;
    rpc::CallLimiter calls;
    sessions::AgentRequests agent_requests;
    sessions::AgentDoor agent_door;
    Scheduler scheduler;
    std::unique_ptr<revocation::RevocationJournal> revocations;
    audit::CheckpointKey audit_key;
    audit::Checkpoints checkpoints;
    audit::Retention retention;
    audit::Caretaker audit_caretaker;
    methods::ServerFacts facts;
    rpc::AccessTokens access_tokens;
    methods::Parts method_parts;
    rpc::Registry methods;
    rpc::KeyUse key_uses;
    rpc::Authenticator authenticator;
    rpc::Dispatcher dispatcher;
    rpc::FailureLimiter failures;
    rpc::RefusedAuthentications refusals;
    enrollment::Parts enrollment_parts;
    recovery::Challenges challenges;
    recovery::AuditPause audit_pause;
    recovery::Parts recovery_parts;
    std::atomic<bool> draining{false};
    http::HostGate host_gate;
    http::Places admin_socket_places{http::AdminSockets::kMostOfOneIdentity};
    http::Parts http_parts;
    std::vector<std::unique_ptr<Front>> fronts;
    std::unique_ptr<Timers::Handle> next_certificate_check;  // of shard 0
    std::unique_ptr<Timers::Handle> next_key_check;          // of shard 0
    std::unique_ptr<Timers::Handle> next_key_use_flush;      // of shard 0

    // The main thread's own: signals, and the end of the drain.
    boost::asio::io_context main_context{1};
    boost::asio::signal_set signals{main_context};

  private:
    [[nodiscard]] std::unique_ptr<storage::Store> open_store();
    [[nodiscard]] std::unique_ptr<revocation::RevocationJournal> open_revocations();
    [[nodiscard]] SettingValues read_settings();
    [[nodiscard]] std::unique_ptr<bootstrap::ServerCertificate> open_certificate();
    [[nodiscard]] methods::ServerFacts make_facts();
    [[nodiscard]] Secret join_string(const Secret& code) const;
    // On every shard, soon.
    void with_admin_sockets(const std::function<void(http::AdminSockets&)>& action);
    void check_certificate_later();
    void check_keys_later();
    // The last of the audit, on the main thread, when nothing else is written any more.
    void close_audit();
    void flush_key_uses_later();
    [[nodiscard]] std::string token_issuer() const;
    void announce();
    void stop_accepting();
    void drain();
    // Ends the main loop once what is open has been answered and closed, or at `deadline`.
    void stop_when_quiet(SteadyTime deadline);
};

}  // namespace rekey::server::app
