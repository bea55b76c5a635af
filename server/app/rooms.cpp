#include "server/app/rooms.hpp"

#include "base/limits.hpp"
#include "protocol/join_string.hpp"
#include "server/bootstrap/admin_identity.hpp"
#include "server/bootstrap/blocking.hpp"
#include "server/bootstrap/checkpoint_key.hpp"
#include "server/bootstrap/master_key.hpp"
#include "server/revocation/file_journal.hpp"
#include "server/revocation/merge.hpp"
#include "storage/sqlite/migrations.hpp"
#include "storage/sqlite/sqlite_store.hpp"

#include <sysexits.h>
#include <utility>

namespace rekey::server::app {
namespace {

config::HostPort advertised_address(const config::ProcessOptions& options,
                                    const config::HostPort& listening) {
    config::HostPort advertised = options.advertise.value_or(listening);
    if (advertised.port == 0) advertised.port = listening.port;
    return advertised;
}

http::HostGate::Known known_hosts(const config::ProcessOptions& options,
                                  const config::HostPort& advertised) {
    http::HostGate::Known known;
    known.hosts = options.allowed_hosts;
    known.hosts.push_back(http::host_of(advertised.text()));
    known.hosts.push_back(http::host_of(options.listen.text()));
    known.every_address = config::is_wildcard(options.listen.host);
    known.origins = options.cors_origins;
    return known;
}

}  // namespace

App::Rooms::Rooms(config::Config given, const Log& log_to)
    : config(std::move(given)),
      log(log_to),
      directory(bootstrap::DataDirectory::open(config.options.data_dir)),
      store(open_store()),
      master_key(bootstrap::open_master_key(directory.master_key(), *store, random)),
      settings(read_settings()),
      certificate(open_certificate()),
      shards(config.options.shards, clock),
      signing_keys({*store, master_key, settings, clock, random, log}),
      listeners(shards, config.options.listen),
      advertised(advertised_address(config.options, listeners.where())),
      registry(shards),
      coordinator({*store, master_key, clock, random, settings, log, registry}),
      calls(clock, random, settings),
      agent_door({shards, *store, coordinator, settings, clock, random, log, registry,
                  agent_requests, calls}),
      scheduler({clock, shards.at(0).timers(), registry, coordinator, settings}),
      revocations(open_revocations()),
      audit_key(bootstrap::open_checkpoint_key(*store, master_key, random, log)),
      checkpoints({*store, audit_key, clock, log}),
      retention({*store, audit_key, clock, settings, log}),
      audit_caretaker(
          {checkpoints, retention, shards.at(0).timers(),
           [this](std::function<void()> action) { shards.at(0).post(std::move(action)); }, log}),
      facts(make_facts()),
      access_tokens({signing_keys, clock, random, token_issuer()}),
      method_parts{*store,
                   coordinator,
                   registry,
                   settings,
                   config.settings,
                   clock,
                   random,
                   log,
                   facts,
                   *revocations,
                   signing_keys,
                   audit_key,
                   [this](const std::string& key_id) {
                       with_admin_sockets(
                           [key_id](http::AdminSockets& sockets) { sockets.close_of_key(key_id); });
                   },
                   master_key,
                   access_tokens,
                   checkpoints},
      authenticator({*store, clock, access_tokens, key_uses}),
      dispatcher({methods, *store, clock, log, calls, authenticator, {}}),
      failures(clock, random),
      refusals({*store, clock, log}),
      enrollment_parts{*store,
                       coordinator,
                       registry,
                       master_key,
                       calls,
                       settings,
                       clock,
                       log,
                       [this] { return certificate ? certificate->trust_anchor_pem() : ""; }},
      challenges(master_key),
      audit_pause(clock),
      recovery_parts{*store, coordinator, master_key, challenges, audit_pause,
                     calls,  settings,    clock,      log,        enrollment_parts.server_ca},
      host_gate(known_hosts(config.options, advertised)),
      http_parts{
          *store,           authenticator,  dispatcher, agent_door, registry,
          enrollment_parts, recovery_parts, failures,   refusals,   calls,
          signing_keys,     settings,       clock,      log,        config.options.trusted_proxies,
          facts.started_at, draining,       random,     host_gate,  admin_socket_places} {
    registry.when_all_close([this](std::string_view agent_id, std::uint16_t code) {
        with_admin_sockets([agent_id = std::string(agent_id), code](http::AdminSockets& sockets) {
            sockets.close(agent_id, code);
        });
    });
    bootstrap::ensure_admin_identity({*store, clock, random, log, directory.admin_key()});
    methods::bind_all(methods, method_parts);
    methods::bind_agent_requests(agent_requests, method_parts);
    auto gate = std::make_shared<http::AddressGate>(limits::kUnauthenticatedConnectionsAnAddress);
    for (std::size_t index = 0; index < shards.size(); ++index) {
        fronts.push_back(std::make_unique<Front>(shards.at(index), http_parts,
                                                 certificate ? certificate->tls() : nullptr, gate));
        listeners.serve(index, fronts.back()->server);
    }
}

std::unique_ptr<storage::Store> App::Rooms::open_store() {
    storage::SqliteOptions options{directory.database(), clock, log};
    options.readers_here = config.options.shards;
    return storage::open_sqlite_store(options);
}

// Before anybody is let in.
std::unique_ptr<revocation::RevocationJournal> App::Rooms::open_revocations() {
    auto journal = revocation::FileJournal::open(directory.revocations(), log);
    revocation::merge_revocations(*store, *journal, clock, log);
    return journal;
}

SettingValues App::Rooms::read_settings() {
    auto all = [](storage::Transaction& transaction) { return transaction.settings().all(); };
    const auto set = bootstrap::read_now<boost::json::object>(*store, all);
    std::vector<std::string> ignored;
    auto values = config.settings.combine(set.value(), &ignored);
    for (const std::string& name : ignored) {
        log.warning("setting.ignored", {{"name", name}, {"source", "set"}});
    }
    if (values.has_error()) {
        throw StartupError("the settings contradict each other: " + values.error().message(),
                           EX_CONFIG);
    }
    return *values;
}

std::unique_ptr<bootstrap::ServerCertificate> App::Rooms::open_certificate() {
    const config::ProcessOptions& options = config.options;
    if (options.transport != config::Transport::tls) return nullptr;
    if (!options.certificate_file.empty()) {
        return bootstrap::open_certificate_files(options.certificate_file, options.key_file, clock,
                                                 random, log);
    }
    return bootstrap::open_own_certificate(
        {*store, master_key, clock, random, log, directory.ca_certificate(),
         options.advertise ? options.advertise->host : options.listen.host});
}

// What verifies a token reads the public keys below it. A proxy that ends TLS is what clients see.
std::string App::Rooms::token_issuer() const {
    const bool plain = certificate == nullptr && protocol::is_loopback_host(advertised.host);
    return (plain ? "http://" : "https://") + advertised.text();
}

methods::ServerFacts App::Rooms::make_facts() {
    methods::ServerFacts made;
    made.started_at = clock.now();
    made.schema_version = storage::sqlite::embedded_migrations().back().version;
    made.listen = listeners.where().text();
    made.advertise = advertised.text();
    config::ProcessOptions options = config.options;
    options.listen = listeners.where();
    options.advertise = advertised;
    made.flags = config::describe(options);
    made.pin = [this] { return certificate ? certificate->tls()->pin() : std::string(); };
    made.join_string = [this](const Secret& code) { return join_string(code); };
    return made;
}

Secret App::Rooms::join_string(const Secret& code) const {
    protocol::JoinString join;
    join.host = advertised.host;
    join.port = advertised.port;
    join.code = code;
    if (certificate) {
        join.trust = protocol::PinnedCa{protocol::parse_pin(certificate->tls()->pin()).value()};
    } else if (protocol::is_loopback_host(advertised.host)) {
        join.trust = protocol::PlainLoopback{};
    } else {
        // A proxy in front does TLS, with a certificate that only the system's CAs can vouch for.
        join.trust = protocol::SystemCa{};
    }
    return protocol::format_join_string(join);
}

void App::Rooms::with_admin_sockets(const std::function<void(http::AdminSockets&)>& action) {
    for (std::size_t index = 0; index < fronts.size(); ++index) {
        shards.at(index).post(
            [&doors = fronts[index]->doors, action] { action(doors.admin_sockets()); });
    }
}

}  // namespace rekey::server::app
