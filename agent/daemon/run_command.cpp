#include "agent/client.hpp"
#include "agent/daemon/commands.hpp"
#include "agent/daemon/control_peer.hpp"
#include "agent/daemon/control_socket.hpp"
#include "agent/daemon/hook_runner.hpp"
#include "protocol/methods/agent_reports.hpp"
#include "protocol/methods/auth.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <memory>
#include <systemd/sd-daemon.h>

namespace rekey::agent {
namespace {

using protocol::AgentJwt;
using protocol::AgentRegisterMcpServer;
using protocol::AgentReportCapabilities;
using protocol::AgentReportIntegration;

// Type=notify services see the daemon as started when its state file is in use, and its connection
// as text.
void tell_service_manager(const ClientStatus& status) {
    const std::string text = "STATUS=" + std::string(to_string(status.connection)) + " " +
                             status.server +
                             (status.last_error.empty() ? "" : ": " + status.last_error);
    sd_notify(0, text.c_str());
}

class Daemon {
  public:
    explicit Daemon(const RunCommand& command)
        : log_(command.log_level, command.log_format),
          hook_(command.on_rotate.empty() ? nullptr
                                          : std::make_unique<HookRunner>(command.on_rotate, log_)),
          signals_(context_, SIGTERM, SIGINT, SIGHUP),
          client_(options_for(command)),
          control_(context_, control_path(command.state_path), log_) {
        control_.on(std::string(AgentReportCapabilities::name),
                    passed_on<AgentReportCapabilities>(&Client::report_capabilities));
        control_.on(std::string(AgentReportIntegration::name),
                    passed_on<AgentReportIntegration>(&Client::report_integration));
        control_.on(std::string(AgentRegisterMcpServer::name),
                    passed_on<AgentRegisterMcpServer>(&Client::register_mcp_server));
        control_.on(std::string(AgentJwt::name), passed_on<AgentJwt>(&Client::access_token));
    }

    ExitCode run() {
        const Result<> started = client_.start();
        if (started.has_error()) return report(started.error(), exit_code_of(started.error()));
        // The lock of the state file is held from here on. An agent works without the socket too.
        if (const auto opened = control_.open(); opened.has_error())
            log_.warning("control.closed", {{"detail", opened.error().message()}});
        wait_for_signal();
        sd_notify(0, "READY=1");
        context_.run();
        return exit_code_;
    }

  private:
    ClientOptions options_for(const RunCommand& command) {
        ClientOptions options;
        options.state_path = command.state_path;
        options.certificate_times = command.certificate_times;
        options.log = &log_;
        options.context = &context_;
        options.hooks.on_rotated = [this](const Rotated& rotated) {
            if (hook_) hook_->run(rotated);
        };
        options.hooks.on_log_level = [this](LogLevel level) { log_.set_level(level); };
        options.hooks.on_changed = [this] { tell_service_manager(client_.status()); };
        options.hooks.on_ended = [this](EndReason reason) {
            if (reason == EndReason::revoked) exit_code_ = ExitCode::configuration;
            context_.stop();
        };
        return options;
    }

    // A request on the control socket that the server answers, over the session.
    template <protocol::Method M>
    [[nodiscard]] ControlSocket::Handler passed_on(void (Client::*ask)(typename M::Params,
                                                                       Client::Answered<M>)) {
        return [this, ask](const boost::json::value* params, ControlSocket::Answer answer) {
            auto decoded = protocol::decode_params<M>(params);
            if (decoded.has_error()) return answer(decoded.error());
            (client_.*ask)(*std::move(decoded), [answer = std::move(answer)](
                                                    const Result<typename M::Result>& result) {
                answer(result.has_error() ? Result<std::string>(result.error())
                                          : Result<std::string>(protocol::encode(*result)));
            });
        };
    }

    void wait_for_signal() {
        signals_.async_wait([this](const boost::system::error_code& error, int number) {
            if (error) return;
            if (number == SIGHUP) {
                client_.try_now();
                return wait_for_signal();
            }
            // A second one does not wait for the farewell.
            if (stopping_) return context_.stop();
            stopping_ = true;
            control_.close();
            sd_notify(0, "STOPPING=1");
            client_.stop(number == SIGTERM ? "SIGTERM" : "SIGINT");
            wait_for_signal();
        });
    }

    Log log_;
    boost::asio::io_context context_{1};
    std::unique_ptr<HookRunner> hook_;
    boost::asio::signal_set signals_;
    ExitCode exit_code_ = ExitCode::ok;
    bool stopping_ = false;
    Client client_;
    ControlSocket control_;
};

}  // namespace

ExitCode run_command(const RunCommand& command) { return Daemon(command).run(); }

}  // namespace rekey::agent
