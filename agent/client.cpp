#include "agent/client.hpp"

#include "agent/connection.hpp"
#include "agent/disk.hpp"
#include "agent/enrollment.hpp"
#include "agent/identity.hpp"
#include "base/contract.hpp"
#include "base/durable_file.hpp"
#include "net/io_timers.hpp"
#include "protocol/catalog.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace rekey::agent {
namespace {

// The client's own thread takes none of its process's signals: they are the host's.
std::thread start_without_signals(std::function<void()> run) {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread thread(std::move(run));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
}

AboutAgent filled(AboutAgent about) {
    const AboutAgent here = about_this_agent();
    if (about.version.empty()) about.version = here.version;
    if (about.hostname.empty()) about.hostname = here.hostname;
    if (about.os.empty()) about.os = here.os;
    if (about.boot_id.empty()) about.boot_id = here.boot_id;
    return about;
}

Error not_enrolled(const AgentPaths& paths) {
    const bool begun = read_file(paths.record(), limits::kStateFileBytes).has_value();
    return Error(Code::not_found,
                 begun ? "not enrolled: an enrollment was begun and has not ended; run rekey-agent "
                         "enroll again with the same join string"
                       : "not enrolled: there is no " + paths.state +
                             "; get a join string (rekeyctl enroll-code NAME) and run: "
                             "rekey-agent enroll --state " +
                             paths.state);
}

}  // namespace

// What runs on the loop's thread. What is posted to it finds it by a weak pointer, because that may
// still be queued on the caller's io_context when the client is gone.
class Client::Running final : public AgentObserver, public std::enable_shared_from_this<Running> {
  public:
    explicit Running(ClientOptions options)
        : options_(std::move(options)),
          paths_{options_.state_path},
          silent_(make_silent_log()),
          log_(options_.log != nullptr ? *options_.log : *silent_),
          own_context_(options_.context == nullptr ? std::make_unique<boost::asio::io_context>(1)
                                                   : nullptr),
          context_(own_context_ ? *own_context_ : *options_.context),
          timers_(context_),
          disk_(paths_.state),
          key_disk_(paths_.key()),
          next_key_disk_(paths_.next_key()) {}

    void add(std::string name, MethodHandler handler) {
        REKEY_ASSERT(!started_ && !protocol::is_reserved_name(name));
        handlers_.insert_or_assign(std::move(name), std::move(handler));
    }

    Result<> start();
    void stop(std::string_view reason);
    void rotate_now();
    void try_now();
    void on_connector(std::function<void(Connector&)> task);
    void note_thrown(const std::exception& thrown) const {
        log_.error("hook.failed", {{"detail", thrown.what()}});
    }
    void destroy();
    [[nodiscard]] ClientStatus status() const;

  private:
    using WorkGuard = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;

    template <class Task>
    void post(Task task) {
        boost::asio::post(context_, [weak = weak_from_this(), task = std::move(task)] {
            if (const auto self = weak.lock(); self && self->connector_) task(*self->connector_);
        });
    }
    template <class Hook, class... Arguments>
    void tell(const Hook& hook, const Arguments&... arguments) const;

    void on_rotated(const Rotated& rotated) override { tell(options_.hooks.on_rotated, rotated); }
    void on_offer_waits(const Rotated& offer, Time expires_at) override {
        tell(options_.hooks.on_offer_waits, offer, expires_at);
    }
    void on_log_level(LogLevel level) override { tell(options_.hooks.on_log_level, level); }
    void on_changed() override;
    void on_ended(EndReason reason) override;
    [[nodiscard]] std::vector<std::string> methods() override;
    [[nodiscard]] Result<boost::json::value> on_call(std::string_view method,
                                                     const boost::json::value* params) override;
    void note_status();
    void join();

    ClientOptions options_;
    AgentPaths paths_;
    std::unique_ptr<Log> silent_;
    const Log& log_;
    SystemClock clock_;
    SystemRandom random_;
    std::unique_ptr<boost::asio::io_context> own_context_;
    boost::asio::io_context& context_;
    net::IoTimers timers_;
    FileDisk disk_;
    FileDisk key_disk_;
    FileDisk next_key_disk_;
    std::map<std::string, MethodHandler, std::less<>> handlers_;
    bool started_ = false;

    // Of the loop's thread.
    std::optional<FileLock> lock_;
    std::optional<TokenVault> vault_;
    std::unique_ptr<Connection> connection_;
    std::unique_ptr<Connector> connector_;
    std::optional<WorkGuard> work_;

    std::thread thread_;
    std::atomic<std::thread::id> loop_thread_;
    std::mutex joining_;
    mutable std::mutex mutex_;  // of what follows
    std::condition_variable changed_;
    ClientStatus status_;
    bool ended_ = false;
};

Result<> Client::Running::start() {
    REKEY_ASSERT(!started_);
    // Looked at before the lock, whose folder may not be there either.
    std::error_code unknown;
    if (!std::filesystem::exists(paths_.state, unknown) && !unknown) return not_enrolled(paths_);
    REKEY_TRY_ASSIGN(lock, FileLock::acquire(paths_.lock()));
    auto vault = TokenVault::open(disk_);
    if (vault.has_error())
        return vault.error().code() == Code::not_found ? not_enrolled(paths_) : vault.error();
    FileDisk record(paths_.record());
    REKEY_TRY(require_first_token_durable(*vault, record));
    if (auto shared = require_private(paths_.key());
        shared.has_error() && shared.error().code() == Code::permission_denied)
        return shared.error();
    REKEY_TRY_ASSIGN(tls, make_client_tls(vault->state().server, options_.certificate_times));
    lock_ = std::move(lock);
    vault_ = std::move(*vault);
    connection_ = std::make_unique<Connection>(context_, vault_->state().server, tls);
    connector_ = std::make_unique<Connector>(
        Surroundings{clock_, timers_, random_, log_, *connection_}, *vault_, filled(options_.about),
        options_.automatic_rotation,
        [this] { return identity_of(vault_->state(), key_disk_, next_key_disk_); }, *this);
    started_ = true;
    note_status();
    post([](Connector& connector) { connector.start(); });
    if (own_context_) {
        work_.emplace(boost::asio::make_work_guard(context_));
        thread_ = start_without_signals([this] {
            loop_thread_ = std::this_thread::get_id();
            context_.run();
        });
    }
    return {};
}

void Client::Running::stop(std::string_view reason) {
    if (!started_) return;
    post([why = std::string(reason)](Connector& connector) { connector.stop(why); });
    if (!own_context_ || std::this_thread::get_id() == loop_thread_) return;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_; });
    lock.unlock();
    join();
}

void Client::Running::join() {
    const std::lock_guard lock(joining_);
    if (thread_.joinable()) thread_.join();
}

void Client::Running::destroy() {
    if (own_context_) {
        post([this](Connector& /*connector*/) {
            connector_.reset();
            context_.stop();
        });
        join();
        work_.reset();
    }
    connector_.reset();
    connection_.reset();
    lock_.reset();
}

void Client::Running::rotate_now() {
    if (started_) post([](Connector& connector) { connector.rotate_now(); });
}

void Client::Running::try_now() {
    if (started_) post([](Connector& connector) { connector.try_now(); });
}

// What is posted before `ended_` is set still finds the loop running; afterwards nobody would take
// it, and whoever waits for its answer has to hear at once.
void Client::Running::on_connector(std::function<void(Connector&)> task) {
    if (!started_) return;
    const std::lock_guard lock(mutex_);
    if (!ended_) post(std::move(task));
}

ClientStatus Client::Running::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

// An application's exception must not end the agent.
template <class Hook, class... Arguments>
void Client::Running::tell(const Hook& hook, const Arguments&... arguments) const {
    if (!hook) return;
    try {
        hook(arguments...);
    } catch (const std::exception& thrown) {
        note_thrown(thrown);
    }
}

void Client::Running::note_status() {
    const ConnectorStatus now = connector_->status();
    ClientStatus next;
    next.agent_id = vault_->state().agent_id;
    next.server = to_string(vault_->state().server);
    next.connection = now.state;
    next.session_generation = now.session_generation;
    next.last_error = now.last_error;
    for (const rotation::HeldToken& held : vault_->held())
        next.tokens.push_back({held.generation, held.rotation_id, held.state});
    const std::lock_guard lock(mutex_);
    status_ = std::move(next);
}

void Client::Running::on_changed() {
    note_status();
    tell(options_.hooks.on_changed);
}

void Client::Running::on_ended(EndReason reason) {
    lock_.reset();
    tell(options_.hooks.on_ended, reason);
    work_.reset();
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
}

std::vector<std::string> Client::Running::methods() {
    std::vector<std::string> names;
    names.reserve(handlers_.size());
    for (const auto& [name, handler] : handlers_) names.push_back(name);
    return names;
}

Result<boost::json::value> Client::Running::on_call(std::string_view method,
                                                    const boost::json::value* params) {
    const auto found = handlers_.find(method);
    if (found == handlers_.end()) return Error(Code::method_not_found);
    try {
        return found->second(params != nullptr ? *params : boost::json::value(nullptr));
    } catch (const std::exception& thrown) {
        log_.error("handler.failed", {{"method", method}, {"detail", thrown.what()}});
        return Error(Code::internal, "the agent's handler failed");
    }
}

Client::Client(ClientOptions options) : running_(std::make_shared<Running>(std::move(options))) {}
Client::~Client() { running_->destroy(); }
void Client::on(std::string name, MethodHandler handler) {
    running_->add(std::move(name), std::move(handler));
}
Result<> Client::start() { return running_->start(); }
void Client::stop(std::string_view reason) { running_->stop(reason); }
void Client::try_now() { running_->try_now(); }
void Client::rotate_now() { running_->rotate_now(); }
void Client::tell(const std::weak_ptr<Running>& running, const std::function<void()>& call_back) {
    try {
        call_back();
    } catch (const std::exception& thrown) {
        if (const auto self = running.lock()) self->note_thrown(thrown);
    }
}
void Client::on_connector(std::function<void(Connector&)> task) {
    running_->on_connector(std::move(task));
}
ClientStatus Client::status() const { return running_->status(); }

}  // namespace rekey::agent
