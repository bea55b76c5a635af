// rekey-agent detect, the real program, with a home of the test's own.

#include "agent/daemon/control_peer.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/agent/fake_server.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

using namespace rekey;
using namespace rekey::agent;
using namespace rekey::agent::test;

namespace {

struct Fixture {
    Fixture() {
        std::filesystem::create_directories(home + "/.cursor");
        std::filesystem::create_directories(home + "/project");
        std::ofstream(home + "/.cursor/mcp.json")
            << R"({"mcpServers":{"files":{"command":"/usr/bin/npx","args":["hunter2"]},)"
               R"("web":{"url":"https://user:hunter2@example.com/mcp"}}})";
        std::ofstream(home + "/project/.mcp.json")
            << R"({"mcpServers":{"files":{"command":"uvx","env":{"K":"hunter2"}}}})";
        std::ofstream(home + "/.claude.json") << "{\"hunter2";
    }
    std::unique_ptr<testing::Process> start(std::vector<std::string> arguments,
                                            const std::string& input = {}) const {
        testing::Process::Options options;
        options.command = {REKEY_AGENT_PROGRAM};
        options.command.insert(options.command.end(), arguments.begin(), arguments.end());
        options.command.insert(options.command.end(), {"--state", path});
        options.standard_input = input;
        options.environment = environment;
        return std::make_unique<testing::Process>(std::move(options));
    }
    std::pair<int, std::string> finish(std::vector<std::string> arguments,
                                       const std::string& input = {}) const {
        const auto process = start(std::move(arguments), input);
        const int code = process->wait();
        process->wait_for_end_of_output();
        BOOST_TEST(process->output().find("hunter2") == std::string::npos);
        return {code, process->output()};
    }
    [[nodiscard]] std::vector<std::string> detect(std::vector<std::string> more = {}) const {
        std::vector<std::string> arguments{"detect", "--project", home + "/project"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }

    FakeServer server;
    testing::TemporaryDirectory folder;
    std::string home = folder.file("home");
    std::string path = home + "/state.json";
    std::map<std::string, std::string> environment{{"HOME", home},
                                                   {"XDG_CONFIG_HOME", home + "/.config"}};
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(detect_tests, Fixture)

BOOST_AUTO_TEST_CASE(what_is_found_is_a_table_and_what_is_not_read_is_said) {
    const auto [code, text] = finish(detect());
    BOOST_TEST(code == 0);
    for (const char* part : {"SERVER", "files", "web", "Cursor", "Claude Code", "npx", "uvx",
                             "http", "passed over: ", ".claude.json is no JSON"})
        BOOST_TEST(has(text, part), part);
    BOOST_TEST(!has(text, "Reported"));
    BOOST_TEST(!has(text, "example.com"));
}

BOOST_AUTO_TEST_CASE(programs_read_it_as_json) {
    const auto [code, text] = finish(detect({"-o", "json"}));
    BOOST_TEST(code == 0);
    const boost::json::object result = boost::json::parse(text).as_object();
    BOOST_TEST(result.at("servers").as_array().size() == 3U);
    const auto& files = result.at("servers").at(0);
    BOOST_TEST(files.at("name").as_string() == "files");
    BOOST_TEST(files.at("client").as_string() == "Claude Code");
    BOOST_TEST(files.at("command").as_string() == "uvx");
    BOOST_TEST(!result.contains("reported"));
    BOOST_TEST(result.at("passed_over").as_array().size() == 1U);
}

BOOST_AUTO_TEST_CASE(clients_that_write_toml_and_yaml_are_found_as_well) {
    for (const char* made : {"/.codex", "/.config/goose", "/project/.continue/mcpServers"})
        std::filesystem::create_directories(home + made);
    std::ofstream(home + "/.codex/config.toml") << "[mcp_servers.c]\nurl = 'https://hunter2'\n";
    std::ofstream(home + "/.config/goose/config.yaml")
        << "extensions: {g: {type: stdio, cmd: /bin/goosed, envs: {K: hunter2}}}\n";
    std::ofstream(home + "/project/.continue/mcpServers/x.yaml") << "a: *hunter2\n";
    const auto [code, text] = finish(detect());
    BOOST_TEST(code == 0);
    for (const char* part : {"Codex", "Goose", "goosed", "x.yaml is no YAML (line 1)"})
        BOOST_TEST(has(text, part), text);
}

BOOST_AUTO_TEST_CASE(clients_whose_files_were_moved_are_found_where_they_are) {
    for (const char* made : {"/.codex", "/moved"}) std::filesystem::create_directories(home + made);
    std::ofstream(home + "/.codex/config.toml") << "[mcp_servers.left-behind]\ncommand = 'a'\n";
    std::ofstream(home + "/moved/config.toml") << "[mcp_servers.its-own]\ncommand = 'b'\n";
    std::ofstream(home + "/moved/.claude.json")
        << R"({"mcpServers": {"with-claude": {"command": "c"}}})";
    environment["CODEX_HOME"] = home + "/moved";
    environment["CLAUDE_CONFIG_DIR"] = home + "/moved";
    const auto [code, text] = finish(detect());
    BOOST_TEST(code == 0);
    BOOST_TEST(has(text, "its-own"), text);
    BOOST_TEST(has(text, "with-claude"), text);
    BOOST_TEST(!has(text, "left-behind"), text);
}

BOOST_AUTO_TEST_CASE(the_running_daemon_passes_a_report_on) {
    BOOST_REQUIRE(finish({"enroll"}, server.join_string() + "\n").first == 0);
    const auto daemon = start({"run"});
    daemon->wait_for({"event=session.connected"});
    const auto [code, text] = finish(detect({"--report"}));
    BOOST_TEST(code == 0);
    // Two clients use "files": it is reported once.
    BOOST_TEST(has(text, "Reported: 2 new, 0 known already."), text);
    server.wait_message(
        R"("mcp_server_id":"files","detection_method":"auto_config","confidence":90)");
    server.wait_message(R"("mcp_server_id":"web")");
    const auto [json_code, json] = finish(detect({"--report", "-o", "json"}));
    BOOST_TEST(json_code == 0);
    BOOST_TEST(boost::json::parse(json).at("reported").at("added").as_int64() == 2);
    // Not everything may be asked of the server that way.
    BOOST_TEST(
        (ask_daemon(path, "agent.rotate_key", "{}").error().code() == Code::method_not_found));
    BOOST_TEST((ask_daemon(path, "agent.register_mcp_server", "{}").error().code() ==
                Code::invalid_params));
    daemon->signal(SIGTERM);
    BOOST_TEST(daemon->wait() == 0);
    BOOST_TEST(!std::filesystem::exists(control_path(path)));
}

BOOST_AUTO_TEST_CASE(without_a_daemon_a_report_fails_and_says_how_to_start_one) {
    const auto [code, text] = finish(detect({"--report"}));
    BOOST_TEST(code == 1);
    BOOST_TEST(has(text, "rekey-agent run"), text);
    BOOST_TEST(has(text, "files"));  // what was found is shown all the same
}

BOOST_AUTO_TEST_CASE(a_daemon_that_is_not_connected_says_so) {
    BOOST_REQUIRE(finish({"enroll"}, server.join_string() + "\n").first == 0);
    const auto daemon = start({"run"});
    daemon->wait_for({"event=session.connected"});
    server.close_all(4010);
    daemon->wait_for({"event=session.closed", "code=4010"});
    const auto [code, text] = finish(detect({"--report"}));
    BOOST_TEST(code == 1);
    BOOST_TEST(has(text, "no connection to the server"), text);
    daemon->signal(SIGTERM);
    BOOST_TEST(daemon->wait() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
