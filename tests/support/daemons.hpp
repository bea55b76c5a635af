#pragma once

#include "base/result.hpp"
#include "net/http_client.hpp"
#include "net/tls_context.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

// The real programs with real files, as a test starts and kills them. Where the programs are is
// told by the build.
namespace rekey::testing {

using LineHook = std::function<void(const std::string& line, int process_id)>;

enum class Transport : std::uint8_t { tls, plain };

// `rekeyd` on a port of its own choosing. A restart keeps data directory and port, so that agents
// find it again.
class Rekeyd {
  public:
    struct Options {
        Transport transport = Transport::tls;
        std::map<std::string, std::string> environment;  // REKEY_... settings
        std::vector<std::string> arguments;
        LineHook on_line;
        std::vector<std::string> wrapper;  // e.g. faketime and its argument
        std::string home;  // where the data directory is made; empty: a temporary place
    };

    explicit Rekeyd(Options options);
    Rekeyd() : Rekeyd(Options{}) {}

    void start();  // again, after kill or stop
    void kill() { process_->kill_hard(); }
    int stop();  // SIGTERM; the exit code

    [[nodiscard]] Process& process() { return *process_; }
    [[nodiscard]] const std::string& directory() const { return directory_; }
    [[nodiscard]] const std::string& host() const { return host_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::shared_ptr<net::ClientTls> tls() const { return tls_; }
    [[nodiscard]] const std::string& admin_key() const { return admin_key_; }
    [[nodiscard]] Options& options() { return options_; }

    // One request on any door; throws when there is no HTTP answer.
    [[nodiscard]] net::HttpResponse http(const net::HttpCall& call) const;
    [[nodiscard]] net::HttpResponse post(const std::string& target, const std::string& body,
                                         const std::string& bearer = {}) const;
    // An admin method at POST /rpc: its result, or its error.
    [[nodiscard]] Result<boost::json::value> try_call(const std::string& method,
                                                      const boost::json::object& params) const;
    // The same, where an error fails the test.
    [[nodiscard]] boost::json::value call(const std::string& method,
                                          const boost::json::object& params = {}) const;

    // agents.create and agents.enrollment_code at once.
    struct NewAgent {
        std::string agent_id;
        std::string code;
        std::string join_string;
    };
    [[nodiscard]] NewAgent new_agent(const std::string& name) const;
    [[nodiscard]] boost::json::object agent(const std::string& agent_id) const;
    // Asks agents.get until `condition` holds; throws with the last answer when patience is over.
    boost::json::object wait_until(
        const std::string& agent_id,
        const std::function<bool(const boost::json::object&)>& condition) const;
    // Connected, nothing pending, and the newest token (at least this generation) activated.
    boost::json::object wait_settled(const std::string& agent_id, std::uint64_t generation) const;

  private:
    std::string wait_for_address();

    TemporaryDirectory home_;
    Options options_;
    std::string directory_;
    std::string host_;
    std::uint16_t port_ = 0;
    std::string admin_key_;
    std::shared_ptr<net::ClientTls> tls_;
    std::unique_ptr<Process> process_;
};

// `rekey-agent` with its own state file.
class RekeyAgent {
  public:
    // `home`: where the state file is made; empty: a temporary place.
    explicit RekeyAgent(std::string name, const std::string& home = {})
        : name_(std::move(name)), place_(home.empty() ? home_.path() : home) {}

    // Runs `rekey-agent enroll` with the join string on standard input; the exit code.
    int enroll(const std::string& join_string);
    void start(LineHook on_line = {}, std::vector<std::string> arguments = {},
               std::map<std::string, std::string> environment = {});
    void kill() { process_->kill_hard(); }
    int stop();

    [[nodiscard]] Process& process() { return *process_; }
    [[nodiscard]] std::string state_path() const { return place_ + "/state.json"; }
    [[nodiscard]] const std::string& home() const { return place_; }
    [[nodiscard]] const std::string& enroll_output() const { return enroll_output_; }

  private:
    std::string name_;
    TemporaryDirectory home_;
    std::string place_;
    std::unique_ptr<Process> process_;
    std::string enroll_output_;
};

// Runs a program to its end.
struct Finished {
    int exit_code = 0;
    std::string output;
};
[[nodiscard]] Finished run(std::vector<std::string> command, std::string standard_input = {},
                           std::map<std::string, std::string> environment = {});

[[nodiscard]] std::string rekeyd_program();
[[nodiscard]] std::string agent_program();
[[nodiscard]] std::string ctl_program();

}  // namespace rekey::testing
