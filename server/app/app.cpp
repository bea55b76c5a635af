#include "server/app/app.hpp"

#include "base/durable_file.hpp"
#include "base/limits.hpp"
#include "protocol/close_codes.hpp"
#include "server/app/rooms.hpp"
#include "server/app/systemd.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <future>
#include <unistd.h>
#include <utility>

namespace rekey::server::app {
namespace {

// What a drain may take beyond its window, for peers that do not answer a close.
constexpr std::chrono::seconds kDrainPatience{10};
// What requests under way and admins' sockets get after the agents have gone.
constexpr std::chrono::seconds kQuietPatience{3};
constexpr Milliseconds kQuietLook{20};

}  // namespace

App::App(config::Config config, const Log& log)
    : rooms_(std::make_unique<Rooms>(std::move(config), log)) {}

App::~App() = default;

int App::run() { return rooms_->run(); }

int App::Rooms::run() {
    signals.add(SIGTERM);
    signals.add(SIGINT);
    shards.start();
    shards.at(0).post([this] {
        scheduler.start();
        audit_caretaker.start();
        refusals.start(shards.at(0).timers());
        check_certificate_later();
        check_keys_later();
        flush_key_uses_later();
    });
    announce();
    signals.async_wait([this](const boost::system::error_code& problem, int number) {
        if (problem) return;
        log.info("server.stopping", {{"signal", number == SIGINT ? "SIGINT" : "SIGTERM"}});
        drain();
        signals.async_wait([this](const boost::system::error_code& cancelled, int) {
            if (!cancelled) main_context.stop();
        });
    });
    main_context.run();
    ::unlink(directory.listen().c_str());
    shards.stop();
    close_audit();
    store->stop();
    log.info("server.stopped");
    return 0;
}

void App::Rooms::close_audit() {
    refusals.flush();
    // A signed end, so that rows that are cut off while nothing runs are missed.
    std::promise<Result<>> answer;
    checkpoints.look(audit::Checkpoints::Newest::always,
                     [&answer](const Result<>& done) { answer.set_value(done); });
    if (const auto signed_end = answer.get_future().get(); signed_end.has_error())
        log.warning("audit.end_not_signed", {{"error", signed_end.error().message()}});
}

void App::Rooms::announce() {
    const std::string listening = listeners.where().text();
    if (const auto failure = write_durably(directory.listen(), listening + "\n")) {
        log.warning("listen_file.not_written", {{"error", failure->what}});
    }
    const std::string pin = facts.pin();
    log.info("server.listening", {{"address", listening},
                                  {"advertise", advertised.text()},
                                  {"data_dir", directory.path()},
                                  {"tls", certificate != nullptr},
                                  {"ca_pin", pin},
                                  {"shards", static_cast<std::uint64_t>(shards.size())},
                                  {"version", REKEY_VERSION}});
    notify_ready();
    if (::isatty(STDERR_FILENO) == 0) return;
    const std::string& place = directory.path();
    std::fprintf(stderr,
                 "\n  Rekey %s serves %s://%s\n"
                 "  The admin's API key is in %s\n"
                 "  Next, in another terminal:\n"
                 "    rekeyctl --data-dir %s agents create my-agent\n"
                 "    rekeyctl --data-dir %s enroll-code my-agent\n"
                 "  Ctrl-C stops it.\n\n",
                 REKEY_VERSION, certificate ? "https" : "http", listening.c_str(),
                 directory.admin_key().c_str(), place.c_str(), place.c_str());
}

void App::Rooms::check_certificate_later() {
    if (!certificate) return;
    next_certificate_check =
        shards.at(0).timers().after(Milliseconds(limits::kCertificateCheck), [this] {
            certificate->check();
            check_certificate_later();
        });
}

void App::Rooms::check_keys_later() {
    next_key_check = shards.at(0).timers().after(Milliseconds(limits::kSigningKeyCheck), [this] {
        signing_keys.tick();
        check_keys_later();
    });
}

void App::Rooms::flush_key_uses_later() {
    next_key_use_flush = shards.at(0).timers().after(Milliseconds(limits::kKeyUseFlush), [this] {
        key_uses.flush(*store, clock.now());
        flush_key_uses_later();
    });
}

void App::Rooms::stop_accepting() {
    for (std::size_t index = 0; index < fronts.size(); ++index) {
        shards.at(index).post([this, index] {
            listeners.stop(index);
            fronts[index]->server.stop();
            fronts[index]->doors.admin_sockets().close_all(
                static_cast<std::uint16_t>(protocol::CloseCode::draining));
        });
    }
}

void App::Rooms::drain() {
    draining = true;
    notify_stopping();
    stop_accepting();
    shards.at(0).post([this] {
        scheduler.stop();
        audit_caretaker.stop();
        refusals.stop();
        next_certificate_check.reset();
        next_key_check.reset();
        next_key_use_flush.reset();
        key_uses.flush(*store, clock.now());
    });
    const std::chrono::seconds window{settings.snapshot()->drain_seconds};
    auto patience = std::make_shared<boost::asio::steady_timer>(main_context);
    patience->expires_after(window + kDrainPatience);
    patience->async_wait([this, patience](const boost::system::error_code& cancelled) {
        if (cancelled) return;
        log.warning("server.drain_cut_short",
                    {{"connections", static_cast<std::uint64_t>(registry.connections())}});
        main_context.stop();
    });
    agent_door.drain(window, [this] {
        boost::asio::post(main_context,
                          [this] { stop_when_quiet(clock.steady_now() + kQuietPatience); });
    });
}

void App::Rooms::stop_when_quiet(SteadyTime deadline) {
    // Each shard counts what is its own; the last one to do so brings the sum home.
    struct Count {
        std::atomic<std::size_t> shards_left;
        std::atomic<std::size_t> open{0};
    };
    auto count = std::make_shared<Count>();
    count->shards_left = shards.size();
    const auto decide = [this, count, deadline] {
        if (count->open == 0 || clock.steady_now() >= deadline) return main_context.stop();
        auto look = std::make_shared<boost::asio::steady_timer>(main_context, kQuietLook);
        look->async_wait([this, look, deadline](const boost::system::error_code& cancelled) {
            if (!cancelled) stop_when_quiet(deadline);
        });
    };
    for (std::size_t index = 0; index < shards.size(); ++index) {
        shards.at(index).post([this, index, count, decide] {
            count->open +=
                fronts[index]->server.connections() + fronts[index]->doors.admin_sockets().count();
            if (--count->shards_left == 0) boost::asio::post(main_context, decide);
        });
    }
}

}  // namespace rekey::server::app
