#include "tests/simulation/server_machine.hpp"

#include "base/contract.hpp"
#include "base/ids.hpp"
#include "protocol/fields.hpp"
#include "protocol/json_text.hpp"
#include "protocol/methods/enroll.hpp"
#include "protocol/methods/recover.hpp"
#include "protocol/token.hpp"
#include "server/enrollment/enrollment.hpp"
#include "server/http/refusal.hpp"
#include "server/methods/parts.hpp"
#include "server/recovery/recovery.hpp"
#include "server/revocation/merge.hpp"
#include "server/rpc/call_limiter.hpp"
#include "server/rpc/dispatcher.hpp"
#include "server/scheduler/scheduler.hpp"
#include "server/sessions/agent_door.hpp"
#include "server/sessions/agent_requests.hpp"
#include "server/setting_layers.hpp"
#include "tests/simulation/process_timers.hpp"
#include "tests/support/front_desk.hpp"
#include "tests/support/idle_keys.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <utility>

namespace rekey::simulation {

using namespace std::chrono_literals;
using namespace server;

namespace {

// Rarer heartbeats than the default's, so that days pass quickly; all else is as shipped.
SettingValues first_settings() {
    SettingValues values;
    values.heartbeat_seconds = 600;
    return values;
}

}  // namespace

// As server/app/rooms.hpp, without what belongs to the operating system and to HTTP.
struct ServerMachine::Process {
    explicit Process(ServerMachine& owner)
        : machine(owner),
          store(open_store()),
          settings(read_settings()),
          methods_parts{*store,
                        coordinator,
                        registry,
                        settings,
                        layers,
                        owner.clock_,
                        owner.random_,
                        *owner.log_,
                        facts,
                        revocations,
                        idle_keys.signing,
                        idle_keys.audit,
                        [](const std::string&) {},
                        owner.master_key_,
                        desk.tokens,
                        checkpoints},
          enrollment_parts{*store,   coordinator,  registry,    owner.master_key_,           calls,
                           settings, owner.clock_, *owner.log_, [] { return std::string(); }},
          recovery_parts{
              *store, coordinator, owner.master_key_, challenges,  audit_pause,
              calls,  settings,    owner.clock_,      *owner.log_, [] { return std::string(); }} {
        // On a store of its own: at a start nothing else waits for its turn.
        storage::MemoryStore direct(machine.database_);
        revocation::merge_revocations(direct, revocations, owner.clock_, *owner.log_);
        facts.advertise = "rekey.example.com:7443";
        facts.pin = [] { return std::string(); };
        facts.join_string = [](const Secret& code) { return code; };
        methods::bind_all(methods, methods_parts);
        methods::bind_agent_requests(requests, methods_parts);
        scheduler.start();
    }
    ~Process() {
        scheduler.stop();
        next_unit.reset();
        next_tick.reset();
        units.clear();
    }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    std::unique_ptr<storage::Store> open_store() {
        storage::MemoryOptions options;
        options.schedule = [this](std::function<void()> unit) {
            machine.schedule(std::move(unit));
        };
        options.before_commit = [this]() -> Result<> {
            if (machine.parts_.dice.chance(machine.parts_.weather.commit_fails)) {
                machine.parts_.trace.note(kServer, "the disk refuses a commit");
                ++machine.misfortunes_;
                return Error(Code::unavailable, "the disk is full");
            }
            machine.committed_ = true;
            return {};
        };
        auto honest = std::make_unique<storage::MemoryStore>(machine.database_, std::move(options));
        if (!machine.parts_.spoil_store) return honest;
        return machine.parts_.spoil_store(std::move(honest), machine.database_);
    }
    [[nodiscard]] SettingValues read_settings() const {
        boost::json::object set;
        for (const auto& [name, value] : machine.database_->settings) set[name] = value;
        return layers.combine(set).value();
    }

    ServerMachine& machine;
    std::deque<std::function<void()>> units;
    std::unique_ptr<Timers::Handle> next_unit;
    std::unique_ptr<Timers::Handle> next_tick;
    std::unique_ptr<storage::Store> store;
    SettingLayers layers{protocol::settings_json(first_settings()), {}};
    LiveSettings settings;
    Shards shards{2, machine.clock_};
    ProcessTimers timers{machine.parts_.time, machine};
    sessions::SessionRegistry registry{shards};
    rotation::Coordinator coordinator{{*store, machine.master_key_, machine.clock_, machine.random_,
                                       settings, *machine.log_, registry}};
    sessions::AgentRequests requests;
    // Its own: it must not change what the seed means for the rest.
    SeededRandom bucket_random{1};
    rpc::CallLimiter calls{machine.clock_, bucket_random, settings};
    sessions::AgentDoor door{{shards, *store, coordinator, settings, machine.clock_,
                              machine.random_, *machine.log_, registry, requests, calls}};
    Scheduler scheduler{{machine.clock_, timers, registry, coordinator, settings}};
    VirtualJournal revocations{machine.revocations_, [this](std::function<void()> done) {
                                   // At a start nothing else waits for its turn.
                                   if (!machine.process_) return done();
                                   machine.schedule(std::move(done));
                               }};
    rekey::testing::FrontDesk desk{*store, machine.clock_, machine.random_};
    methods::ServerFacts facts;
    rekey::testing::IdleKeys idle_keys{machine.master_key_, settings, machine.clock_,
                                       *machine.log_};
    audit::Checkpoints checkpoints{{*store, idle_keys.audit, machine.clock_, *machine.log_}};
    methods::Parts methods_parts;
    rpc::Registry methods;
    rpc::Dispatcher dispatcher{
        {methods, *store, machine.clock_, *machine.log_, calls, desk.authenticator, {}}};
    enrollment::Parts enrollment_parts;
    recovery::Challenges challenges{machine.master_key_};
    recovery::AuditPause audit_pause{machine.clock_};
    recovery::Parts recovery_parts;
};

ServerMachine::ServerMachine(Parts parts)
    : parts_(std::move(parts)),
      clock_(parts_.time),
      random_(parts_.seed),
      master_key_(keys::MasterKey::generate(random_)),
      database_(std::make_shared<storage::MemoryDatabase>()) {
    make_admin();
}

ServerMachine::~ServerMachine() = default;

// As the first start of the daemon does; written before anybody looks.
void ServerMachine::make_admin() {
    storage::AgentRow agent;
    agent.agent_id = make_uuid_v7(clock_, random_);
    agent.name = "admin";
    agent.type = "admin";
    storage::ApiKeyRow key;
    key.key_id = make_uuid_v7(clock_, random_);
    key.agent_id = agent.agent_id;
    const Secret text = protocol::mint_token(protocol::TokenKind::api_key, key.key_id, random_);
    key.key_hash = protocol::token_hash(text);
    storage::MemoryStore store(database_);
    store.write(
        [&](storage::Transaction& transaction) -> Result<> {
            REKEY_TRY(transaction.agents().insert(agent));
            REKEY_TRY(
                transaction.capabilities().grant(agent.agent_id, "admin:*", "start", clock_.now()));
            REKEY_TRY(transaction.api_keys().insert(key));
            REKEY_TRY_ASSIGN(caller, rpc::authenticate(transaction, text.expose(), clock_.now()));
            admin_ = std::move(caller);
            return {};
        },
        [](const Result<>& result) { REKEY_ASSERT(result.has_value()); });
}

void ServerMachine::start() {
    if (process_) return;
    parts_.trace.note(kServer, "starts");
    ++lives_;
    process_ = std::make_unique<Process>(*this);
    tick();
}

void ServerMachine::crash(std::string_view why) {
    if (!process_) return;
    parts_.trace.note(kServer, "is killed ", why, {});
    ++misfortunes_;
    process_.reset();
    restarting_ = false;
    if (parts_.spoil_after_crash) parts_.spoil_after_crash(*database_);
    parts_.time.later(parts_.dice.spread(100ms, 1h), [this] { start(); });
}

void ServerMachine::back_up() { backup_ = *database_; }

void ServerMachine::restore() {
    if (!process_ || !backup_) return;
    parts_.trace.note(kServer, "is restored from a backup of its database");
    ++misfortunes_;
    process_.reset();
    restarting_ = false;
    *database_ = *backup_;
    if (on_restore) on_restore();
    if (parts_.spoil_revocations) parts_.spoil_revocations(revocations_);
    parts_.time.later(parts_.dice.spread(100ms, 1h), [this] { start(); });
}

void ServerMachine::stop() { process_.reset(); }

void ServerMachine::heal() {
    slow_until_ = {};
    clock_.offset = Milliseconds{0};
    start();
}

void ServerMachine::restart() {
    if (!process_ || std::exchange(restarting_, true)) return;
    parts_.trace.note(kServer, "is asked to stop");
    ++misfortunes_;
    const auto end = [this, life = lives_] {
        if (!process_ || life != lives_) return;
        process_.reset();
        restarting_ = false;
        parts_.time.later(parts_.dice.spread(100ms, 1min), [this] { start(); });
    };
    enter([&] {
        process_->scheduler.stop();
        const std::chrono::seconds window{process_->settings.snapshot()->drain_seconds};
        process_->door.drain(window, [this, end] { parts_.time.later(1ms, end); });
        parts_.time.later(window + 10s, end);
    });
}

void ServerMachine::enter(const std::function<void()>& action) {
    if (!process_) return;
    action();
    settle();
}

// Until nobody has anything to do but wait.
void ServerMachine::settle() {
    for (bool busy = true; busy;) {
        busy = false;
        process_->shards.for_each([&](Shard& shard) {
            shard.context().restart();
            if (shard.context().poll() > 0) busy = true;
        });
    }
}

bool ServerMachine::is_busy() const { return parts_.time.steady < busy_until_; }

void ServerMachine::tick() {
    const Milliseconds delay = is_busy() ? kBusyLook : kQuietLook;
    process_->next_tick = parts_.time.after(delay, [this] {
        enter([this] { process_->shards.for_each([](Shard& shard) { shard.tick(); }); });
        tick();
    });
}

void ServerMachine::be_busy() {
    if (!process_) return;
    const bool was_quiet = !is_busy();
    busy_until_ = parts_.time.steady + kBusyFor;
    if (was_quiet) tick();
}

void ServerMachine::schedule(std::function<void()> unit) {
    process_->units.push_back(std::move(unit));
    if (process_->units.size() > 1) return;
    const bool slow = parts_.time.steady < slow_until_;
    process_->next_unit =
        parts_.time.after(slow ? parts_.dice.spread(100ms, 20s) : parts_.dice.between(0ms, 2ms),
                          [this] { run_unit(); });
}

void ServerMachine::run_unit() {
    if (parts_.dice.chance(parts_.weather.server_crash_before_commit))
        return crash("before a commit");
    {
        const auto unit = std::move(process_->units.front());
        committed_ = false;
        unit();
    }
    process_->units.pop_front();
    if (committed_ && on_commit) on_commit();
    if (committed_ && parts_.dice.chance(parts_.weather.server_crash_after_commit))
        return crash("between a commit and what it was to send");
    if (!process_->units.empty())
        process_->next_unit =
            parts_.time.after(parts_.dice.between(0ms, 2ms), [this] { run_unit(); });
    settle();
}

void ServerMachine::upgrade(std::shared_ptr<Line> line, std::string credential, Moment accepted) {
    be_busy();
    const SteadyTime asked_at = parts_.time.steady;
    enter([&] {
        Shard& shard = process_->shards.at(parts_.dice.between(0, 1));
        process_->door.authenticate(
            shard, {credential, "10.0.0." + std::to_string(line->number()), accepted},
            [this, line, &shard, asked_at](Result<sessions::Admission> admission) {
                if (admission.has_error()) return line->refuse(http::refusal(admission.error()));
                if (!line->accept()) return;
                if (on_admitted) on_admitted(admission->agent_id, asked_at);
                process_->door.adopt(shard, std::make_unique<LineWire>(line),
                                     *std::move(admission));
            });
    });
}

// As server/http/enroll_route.cpp and recover_routes.cpp: `route` is what lies behind.
template <class Params, class Route>
void ServerMachine::serve(const std::string& body, Answer answer, Route route) {
    auto params = protocol::decode_text<Params>(body, protocol::UnknownFields::ignore);
    if (params.has_error()) return answer(http::refusal(params.error()));
    const auto work = [](Process& process, Params given, Route behind,
                         Answer tell) -> rpc::Task<void> {
        const auto result = co_await behind(process, std::move(given));
        tell(result.has_error() ? http::refusal(result.error())
                                : http::json_answer(200, protocol::encode(*result)));
    };
    enter([&] {
        rpc::spawn(process_->shards.at(0).context().get_executor(),
                   work(*process_, *std::move(params), std::move(route), std::move(answer)));
    });
}

void ServerMachine::post(const std::string& target, const std::string& body, Answer answer) {
    be_busy();
    if (target == "/enroll")
        return serve<protocol::EnrollParams>(
            body, std::move(answer), [](Process& process, auto given) {
                return enrollment::enroll(process.enrollment_parts, std::move(given), {});
            });
    if (target == "/recover/challenge")
        return serve<protocol::RecoverChallengeParams>(
            body, std::move(answer), [](Process& process, auto given) {
                return recovery::challenge(process.recovery_parts, std::move(given));
            });
    if (target == "/recover")
        return serve<protocol::RecoverParams>(
            body, std::move(answer), [](Process& process, auto given) {
                return recovery::recover(process.recovery_parts, std::move(given), "10.0.0.1");
            });
    answer(http::refusal(Error(Code::not_found)));
}

void ServerMachine::call(std::string method, boost::json::object params, Answered answered) {
    const auto work = [](Process& process, rpc::Caller caller, std::string name,
                         boost::json::value given, Answered tell) -> rpc::Task<void> {
        const auto answer = co_await process.dispatcher.call(std::move(caller), name, &given);
        if (answer.has_error())
            tell(answer.error());
        else
            tell(protocol::parse_json(*answer));
    };
    be_busy();
    enter([&] {
        rpc::spawn(
            process_->shards.at(1).context().get_executor(),
            work(*process_, admin_, std::move(method), std::move(params), std::move(answered)));
    });
}

bool ServerMachine::connected(const std::string& agent_id) const {
    return process_ && process_->registry.connected(agent_id);
}

}  // namespace rekey::simulation
