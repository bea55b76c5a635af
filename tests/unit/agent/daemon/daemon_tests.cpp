// The real program against a small server in this process: commands, exit codes, signals, what it
// prints and what it never does.

#include "agent/daemon/commands.hpp"
#include "base/durable_file.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/agent/fake_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <csignal>
#include <fstream>
#include <memory>
#include <sys/stat.h>
#include <thread>

using namespace rekey;
using namespace rekey::agent;
using namespace rekey::agent::test;

namespace {

struct Fixture {
    using Environment = std::map<std::string, std::string>;

    FakeServer server;
    testing::TemporaryDirectory folder;
    std::string path = folder.file("home/state.json");

    std::unique_ptr<testing::Process> start(std::vector<std::string> arguments,
                                            const std::string& input = {},
                                            Environment environment = {}) const {
        testing::Process::Options options;
        options.command = {REKEY_AGENT_PROGRAM};
        options.command.insert(options.command.end(), arguments.begin(), arguments.end());
        options.command.insert(options.command.end(), {"--state", path});
        options.standard_input = input;
        options.environment = std::move(environment);
        return std::make_unique<testing::Process>(std::move(options));
    }
    // The exit code, then what it printed.
    std::pair<int, std::string> finish(std::vector<std::string> arguments,
                                       const std::string& input = {},
                                       Environment environment = {}) const {
        const auto process = start(std::move(arguments), input, std::move(environment));
        const int code = process->wait();
        process->wait_for_end_of_output();
        return {code, process->output()};
    }
    void enroll() { BOOST_REQUIRE(finish({"enroll"}, server.join_string() + "\n").first == 0); }
};

// Answers one connection as an HTTP server does that was not spoken to in HTTP.
class PlainServer {
  public:
    PlainServer() : thread_([this] { answer(); }) {}
    PlainServer(const PlainServer&) = delete;
    PlainServer& operator=(const PlainServer&) = delete;
    ~PlainServer() { thread_.join(); }
    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  private:
    using Tcp = boost::asio::ip::tcp;
    void answer() {
        Tcp::socket socket(context_);
        boost::system::error_code ignored;
        acceptor_.accept(socket, ignored);
        std::array<char, 1> first{};
        boost::asio::read(socket, boost::asio::buffer(first), ignored);
        boost::asio::write(socket, boost::asio::buffer("HTTP/1.1 400 Bad Request\r\n\r\n"),
                           ignored);
        // Its end is waited for: closing with unread bytes would take the answer back.
        std::string rest;
        boost::asio::read(socket, boost::asio::dynamic_buffer(rest), ignored);
    }

    boost::asio::io_context context_;
    Tcp::acceptor acceptor_{context_, {boost::asio::ip::address_v4::loopback(), 0}};
    std::thread thread_;
};

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(daemon_tests, Fixture)

BOOST_AUTO_TEST_CASE(the_join_string_comes_in_three_ways_and_is_never_shown) {
    const std::string join = server.join_string();
    const auto by_input = finish({"enroll"}, join + "\n");
    BOOST_TEST(by_input.first == 0);
    BOOST_TEST(has(by_input.second, "event=enrolled"));
    BOOST_TEST(has(by_input.second, kAgentId));
    BOOST_TEST(!has(by_input.second, "rke_"));
    BOOST_TEST(!has(by_input.second, token_text(1)));

    // The same code again: enrolled already, nothing changes.
    BOOST_TEST(finish({"enroll"}, {}, {{"REKEY_JOIN", join}}).first == 0);
    const auto other = finish({"enroll"}, server.join_string());
    BOOST_TEST(other.first == 1);
    BOOST_TEST(has(other.second, "--replace"));
    std::ofstream(folder.file("join")) << server.join_string() << "\n";
    BOOST_TEST(finish({"enroll", "--replace", "--join-file", folder.file("join")}).first == 0);

    const auto argument = finish({"enroll", join});
    BOOST_TEST(argument.first == 64);
    BOOST_TEST(!has(argument.second, "rke_"));
    BOOST_TEST(finish({"enroll"}, "rekey://nonsense\n").first == 64);
    BOOST_TEST(finish({"enroll"}).first == 64);
}

BOOST_AUTO_TEST_CASE(its_files_are_private) {
    enroll();
    for (const std::string& file : {path, path + ".key", path + ".lock"}) {
        struct stat status{};
        BOOST_REQUIRE(::stat(file.c_str(), &status) == 0);
        BOOST_TEST((status.st_mode & 0777) == 0600U);
    }
}

BOOST_AUTO_TEST_CASE(it_runs_rotates_calls_the_hook_and_stops_at_sigterm) {
    enroll();
    const std::string told = folder.file("told");
    const auto daemon =
        start({"run", "--on-rotate", "env > " + told}, {}, {{"REKEY_JOIN", "rekey://secret"}});
    daemon->wait_for({"event=session.connected", "generation=1"});
    BOOST_TEST(finish({"run"}).first == 1);  // two on one file
    server.offer(2);
    daemon->wait_for({"event=rotation.saved", "generation=2"});
    daemon->wait_for({"event=rotation.confirmed", "generation=2"});
    daemon->wait_for({"event=hook.done"});
    const std::string environment = read_file(told, 100'000).value();
    BOOST_TEST(has(environment, "REKEY_GENERATION=2"));
    BOOST_TEST(has(environment, "REKEY_AGENT_ID=" + kAgentId));
    BOOST_TEST(!has(environment, "secret"));

    const auto [code, text] = finish({"status", "-o", "json"});
    BOOST_TEST(code == 0);
    const auto status = boost::json::parse(text).as_object();
    BOOST_TEST(status.at("agent_id").as_string() == kAgentId);
    BOOST_TEST(status.at("tokens").as_array().at(1).at("state").as_string() == "confirmed");
    BOOST_TEST(!has(text, "token-"));

    daemon->signal(SIGTERM);
    BOOST_TEST(daemon->wait() == 0);
    server.wait_message("agent.shutdown");
    BOOST_TEST(!has(daemon->output(), "token-"));
    BOOST_TEST(!lock_holder(path + ".lock").has_value());
}

BOOST_AUTO_TEST_CASE(revoked_ends_with_78_and_keeps_the_file) {
    enroll();
    const auto daemon = start({"run"});
    daemon->wait_for({"event=session.connected"});
    server.close_all(4500);
    BOOST_TEST(daemon->wait() == 78);
    BOOST_TEST(finish({"status"}).first == 0);
}

BOOST_AUTO_TEST_CASE(a_killed_daemon_comes_back_with_what_it_saved) {
    enroll();
    auto daemon = start({"run"});
    daemon->wait_for({"event=session.connected"});
    server.offer(2);
    daemon->wait_for({"event=rotation.saved"});
    daemon->kill_hard();
    daemon = start({"run"});
    daemon->wait_for({"event=session.connected", "generation=2"});
    daemon->signal(SIGTERM);
    BOOST_TEST(daemon->wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_used_ends_with_78_and_one_line) {
    BOOST_TEST(finish({"run"}).first == 78);
    BOOST_TEST(has(finish({"run"}).second, "not enrolled"));
    BOOST_TEST(finish({"status"}).first == 78);
    enroll();
    BOOST_REQUIRE(::chmod(path.c_str(), 0644) == 0);
    const auto [code, text] = finish({"run"});
    BOOST_TEST(code == 78);
    BOOST_TEST(has(text, "chmod 600 " + path));
    BOOST_REQUIRE(::chmod(path.c_str(), 0600) == 0);
    std::ofstream(path) << "{\"format\":";
    for (const std::string command : {"run", "status"}) {
        const auto damaged = finish({command});
        BOOST_TEST(damaged.first == 78);
        BOOST_TEST(has(damaged.second, path));
        BOOST_TEST(!has(damaged.second, "not enrolled"));
        BOOST_TEST(std::count(damaged.second.begin(), damaged.second.end(), '\n') <= 1);
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_pin_sends_nothing_and_says_what_to_do) {
    std::string join = server.join_string();
    const auto pin = join.find("sha256:");
    join.replace(pin, std::string::npos, server.other_pin);
    const auto [code, text] = finish({"enroll"}, join + "\n");
    BOOST_TEST(code == 1);
    BOOST_TEST(has(text, "nothing was sent"));
    BOOST_TEST(finish({"status"}).first == 78);
}

BOOST_AUTO_TEST_CASE(the_server_sets_how_much_it_logs) {
    enroll();
    const auto daemon = start({"run"});
    daemon->wait_for({"event=session.connected"});
    server.configure(11, "error");
    server.wait_message("\"id\":11");
    server.offer(2);
    server.wait_activated(2);
    server.configure(12, "loud");
    server.wait_message("invalid_params");
    server.configure(13, "info");
    server.wait_message("\"id\":13");
    server.offer(3);
    daemon->wait_for({"event=rotation.confirmed", "generation=3"});
    BOOST_TEST(daemon->count("generation=2") == 0U);
}

BOOST_AUTO_TEST_CASE(sighup_ends_a_long_wait) {
    enroll();
    const auto daemon = start({"run"});
    daemon->wait_for({"event=session.connected"});
    server.close_all(4010);
    daemon->wait_for({"event=session.closed", "code=4010"});
    const std::size_t before = daemon->line_count();
    daemon->signal(SIGHUP);
    daemon->wait_for({"event=session.connected"}, before);
    daemon->signal(SIGTERM);
    BOOST_TEST(daemon->wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_join_string_for_the_other_transport_is_told_at_once) {
    std::string plain = server.join_string();
    plain = "rekey+plain" + plain.substr(5, plain.find("&ca=") - 5);
    const auto to_tls = finish({"enroll"}, plain + "\n");
    BOOST_TEST(to_tls.first == 1);
    BOOST_TEST(has(to_tls.second, "this one probably speaks TLS"));
    BOOST_TEST(has(to_tls.second, "does it speak TLS?"));  // at the first try already
    BOOST_TEST(!has(to_tls.second, "rke_"));

    PlainServer other;
    std::string join = server.join_string();
    const std::string port = ":" + std::to_string(server.address().port);
    join.replace(join.find(port), port.size(), ":" + std::to_string(other.port()));
    const auto to_plain = finish({"enroll"}, join + "\n");
    BOOST_TEST(to_plain.first == 1);
    BOOST_TEST(has(to_plain.second, "does not speak TLS"));
    BOOST_TEST(has(to_plain.second, "--plain-http"));
    BOOST_TEST(!has(to_plain.second, "enroll.retry"));
}

BOOST_AUTO_TEST_CASE(a_server_that_is_not_there_is_tried_again) {
    enroll();
    std::string text = read_file(path, 10'000).value();
    const std::string port = "\"port\":" + std::to_string(server.address().port);
    text.replace(text.find(port), port.size(), "\"port\":1");
    BOOST_REQUIRE(!write_durably(path, text).has_value());
    const auto daemon = start({"run"});
    daemon->wait_for({"event=session.unreachable", "retry_in_ms="});
    daemon->wait_for({"event=session.unreachable"}, daemon->line_count());
    daemon->signal(SIGTERM);
    BOOST_TEST(daemon->wait() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
