#pragma once

#include "base/ids.hpp"
#include "protocol/token.hpp"
#include "server/bootstrap/blocking.hpp"
#include "server/enrollment/enrollment.hpp"
#include "server/methods/parts.hpp"
#include "server/recovery/recovery.hpp"
#include "server/revocation/file_journal.hpp"
#include "server/rpc/dispatcher.hpp"
#include "server/rpc/registry.hpp"
#include "server/sessions/registry.hpp"
#include "server/setting_layers.hpp"
#include "storage/memory/memory_store.hpp"
#include "storage/sqlite/sqlite_store.hpp"
#include "tests/support/front_desk.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/server/support/fake_session.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What the tests of the doors run on: a real store (either engine), a real coordinator and
// registry, one shard that only the test runs, and all admin methods behind their dispatcher.
namespace rekey::server::testing {

enum class Engine : std::uint8_t { memory, sqlite };

struct DoorWorld {
    explicit DoorWorld(Engine engine = Engine::memory) : store(open(engine)) {
        facts.advertise = "rekey.example.com:7443";
        facts.pin = [] { return std::string(); };
        facts.join_string = [](const Secret& code) {
            return Secret("rekey://example/?code=" + std::string(code.expose()));
        };
        methods::bind_all(registry, parts);
        sessions.when_all_close([this](std::string_view agent_id, std::uint16_t code) {
            closed_admin_sockets.emplace_back(agent_id, code);
        });
    }
    ~DoorWorld() { store->stop(); }

    [[nodiscard]] std::unique_ptr<storage::Store> open(Engine engine) const {
        if (engine == Engine::memory) {
            return std::make_unique<storage::MemoryStore>(
                std::make_shared<storage::MemoryDatabase>());
        }
        return storage::open_sqlite_store({folder.file("rekey.db"), clock, *log});
    }

    // Runs a coroutine to its end on the shard.
    template <class T>
    T run(rpc::Task<T> task) {
        auto& context = shards.at(0).context();
        context.restart();
        auto work = boost::asio::make_work_guard(context);
        std::optional<T> result;
        auto keep = [](rpc::Task<T> inner, std::optional<T>& kept,
                       boost::asio::io_context& until) -> rpc::Task<void> {
            kept.emplace(co_await std::move(inner));
            until.stop();
        };
        rpc::spawn(context.get_executor(), keep(std::move(task), result, context));
        context.run();
        poll();
        BOOST_REQUIRE(result.has_value());
        return *std::move(result);
    }
    // What was posted to the shard: closing sockets, for example.
    void poll() {
        shards.at(0).context().restart();
        shards.at(0).context().poll();
    }

    // The result, or the error as a client would get it.
    Result<boost::json::value> call(const rpc::Caller& caller, std::string_view method,
                                    const boost::json::value& params = boost::json::object()) {
        const auto answer = run(dispatcher.call(caller, method, &params));
        if (answer.has_error()) return answer.error();
        return parse(*answer);
    }
    boost::json::object ok(const rpc::Caller& caller, std::string_view method,
                           const boost::json::value& params = boost::json::object()) {
        auto answer = call(caller, method, params);
        BOOST_REQUIRE_MESSAGE(answer.has_value(), method << " failed");
        return answer->as_object();
    }
    Code refused(const rpc::Caller& caller, std::string_view method,
                 const boost::json::value& params = boost::json::object()) {
        const auto answer = call(caller, method, params);
        BOOST_REQUIRE_MESSAGE(answer.has_error(), method << " succeeded");
        return answer.error().code();
    }

    template <class T, class Unit>
    T write(Unit unit) {
        return bootstrap::write_now<T>(*store, std::move(unit)).value();
    }
    template <class T, class Unit>
    T read(Unit unit) {
        return bootstrap::read_now<T>(*store, std::move(unit)).value();
    }
    storage::AgentRow row(const std::string& agent_id) {
        return read<storage::AgentRow>(
            [&](storage::Transaction& transaction) { return transaction.agents().find(agent_id); });
    }
    void change_row(const std::string& agent_id,
                    const std::function<void(storage::AgentRow&)>& change) {
        static_cast<void>(write<bool>([&](storage::Transaction& transaction) -> Result<bool> {
            REKEY_TRY_ASSIGN(row, transaction.agents().find(agent_id));
            change(row);
            REKEY_TRY(transaction.agents().update(row));
            return true;
        }));
    }

    // An identity with an API key; the key's text is in `key_texts` by its agent's id.
    rpc::Caller identity(const std::string& name, std::vector<std::string> capabilities,
                         std::optional<std::vector<std::string>> key_capabilities = {}) {
        storage::AgentRow agent;
        agent.agent_id = make_uuid_v7(clock, random);
        agent.name = name;
        agent.type = "admin";
        storage::ApiKeyRow key;
        key.key_id = make_uuid_v7(clock, random);
        key.agent_id = agent.agent_id;
        key.capabilities = std::move(key_capabilities);
        const Secret text = protocol::mint_token(protocol::TokenKind::api_key, key.key_id, random);
        key.key_hash = protocol::token_hash(text);
        key_texts[agent.agent_id] = text;
        static_cast<void>(write<bool>([&](storage::Transaction& transaction) -> Result<bool> {
            REKEY_TRY(transaction.agents().insert(agent));
            for (const auto& one : capabilities) {
                REKEY_TRY(
                    transaction.capabilities().grant(agent.agent_id, one, "test", clock.now()));
            }
            REKEY_TRY(transaction.api_keys().insert(key));
            return true;
        }));
        return read<rpc::Caller>([&](storage::Transaction& transaction) {
            return rpc::authenticate(transaction, text.expose(), clock.now());
        });
    }

    std::string create_agent(const std::string& name) {
        const boost::json::object params{{"name", name}};
        return std::string(ok(admin, "agents.create", params).at("agent_id").as_string());
    }
    // Ready, on generation `bound`.
    std::shared_ptr<FakeSession> connect(const std::string& agent_id, std::uint64_t bound) {
        auto session = std::make_shared<FakeSession>(agent_id, sessions.next_connection(), bound);
        sessions.add(shards.at(0), session);
        sessions.set_ready(agent_id, session->connection_generation(), true);
        return session;
    }

    // How often this was audited, with this outcome.
    std::size_t audited(std::string_view action, std::string_view outcome = "ok") {
        const auto rows =
            read<std::vector<storage::AuditRow>>([&](storage::Transaction& transaction) {
                storage::AuditFilter filter;
                filter.action = std::string(action);
                return transaction.audit().query(filter, limits::kPageRows);
            });
        std::size_t count = 0;
        for (const auto& entry : rows) {
            if (entry.event.outcome == outcome) ++count;
        }
        return count;
    }

    rekey::testing::TemporaryDirectory folder;
    ManualClock clock;
    SeededRandom random{7};
    std::unique_ptr<Log> log = make_silent_log();
    LiveSettings settings{SettingValues{}};
    SettingLayers layers{{{"drain_seconds", 1}}, {{"jwt_minutes", 2}}};
    std::unique_ptr<storage::Store> store;
    keys::MasterKey master_key = keys::MasterKey::generate(random);
    Shards shards{1, clock};
    SystemRandom key_random;  // of the keys' own thread
    signing::SigningKeys signing_keys{{*store, master_key, settings, clock, key_random, *log}};
    sessions::SessionRegistry sessions{shards};
    rotation::Coordinator coordinator{
        {*store, master_key, clock, random, settings, *log, sessions}};
    rekey::testing::FrontDesk desk{*store, clock, random};
    rekey::testing::TestTokenSigner& signer = desk.signer;
    rpc::AccessTokens& tokens = desk.tokens;
    rpc::KeyUse& key_uses = desk.key_uses;
    rpc::Authenticator& authenticator = desk.authenticator;
    methods::ServerFacts facts;
    std::unique_ptr<revocation::FileJournal> revocations =
        revocation::FileJournal::open(folder.file("revocations"), *log);
    audit::CheckpointKey audit_key{keys::PrivateKey::generate(keys::Algorithm::ed25519).value()};
    audit::Checkpoints checkpoints{{*store, audit_key, clock, *log}};
    std::vector<std::pair<std::string, std::uint16_t>> closed_admin_sockets;
    std::vector<std::string> closed_keys;  // whose sockets were
    methods::Parts parts{*store,
                         coordinator,
                         sessions,
                         settings,
                         layers,
                         clock,
                         random,
                         *log,
                         facts,
                         *revocations,
                         signing_keys,
                         audit_key,
                         [this](const std::string& key_id) { closed_keys.push_back(key_id); },
                         master_key,
                         tokens,
                         checkpoints};
    rpc::Registry registry;
    std::vector<rpc::CallFacts> observed;
    rpc::CallLimiter calls{clock, random, settings};
    rpc::Dispatcher dispatcher{{registry, *store, clock, *log, calls, authenticator,
                                [this](const rpc::CallFacts& one) { observed.push_back(one); }}};
    enrollment::Parts enrollment_parts{*store,     coordinator, sessions,
                                       master_key, calls,       settings,
                                       clock,      *log,        [] { return "the CA in PEM"; }};
    recovery::Challenges challenges{master_key};
    recovery::AuditPause audit_pause{clock};
    recovery::Parts recovery_parts{
        *store, coordinator, master_key, challenges, audit_pause,
        calls,  settings,    clock,      *log,       [] { return "the CA in PEM"; }};
    std::map<std::string, Secret> key_texts;
    rpc::Caller admin = identity("admin", {"admin:*"});
};

}  // namespace rekey::server::testing
