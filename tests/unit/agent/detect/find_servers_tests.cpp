#include "base/limits.hpp"
#include "tests/unit/agent/detect/machine.hpp"

#include <sys/stat.h>
#include <unistd.h>

using namespace rekey;
using namespace rekey::agent::detect;
using namespace rekey::agent::detect::test;

namespace {

constexpr const char* kCursor = "home/.cursor/mcp.json";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(find_servers_tests, Machine)

BOOST_AUTO_TEST_CASE(a_machine_without_clients_has_nothing) {
    BOOST_TEST(find().servers.empty());
    BOOST_TEST(find().passed_over.empty());
}

BOOST_AUTO_TEST_CASE(every_known_client_is_found_where_it_keeps_its_servers) {
    const char* usual = R"({"mcpServers":{"s":{"command":"npx","args":["-y","x"]}}})";
    for (const char* file :
         {"xdg/Claude/claude_desktop_config.json", "home/.claude.json", "project/.mcp.json",
          "home/.cursor/mcp.json", "project/.cursor/mcp.json",
          "xdg/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
          "xdg/Code/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json",
          "home/.cline/data/settings/cline_mcp_settings.json", "project/.roo/mcp.json",
          "home/.codeium/windsurf/mcp_config.json", "home/.gemini/settings.json",
          "home/.copilot/mcp-config.json"})
        write(file, usual);
    write("xdg/Code/User/mcp.json", R"({"servers":{"s":{"type":"http","url":"https://h/mcp"}}})");
    write("project/.vscode/mcp.json", R"({"inputs":[],"servers":{"s":{"command":"uvx"}}})");
    write("xdg/Code/User/settings.json",
          R"({"editor.fontSize":12,"mcp":{"servers":{"s":{"command":"a"}}}})");
    write("xdg/VSCodium/User/settings.json", R"({"mcp.servers":{"s":{"command":"b"}}})");
    write("xdg/zed/settings.json",
          R"({"context_servers":{"s":{"command":{"path":"/usr/bin/z","args":["k"]}}}})");
    write("home/.continue/config.json",
          R"({"experimental":{"modelContextProtocolServers":[)"
          R"({"transport":{"type":"stdio","command":"uvx","args":["mcp"]}},)"
          R"({"name":"named","transport":{"type":"sse","url":"https://h"}}]}})");
    const Lines expected{"Claude Desktop/s/stdio/npx",
                         "Claude Code/s/stdio/npx",
                         "Claude Code/s/stdio/npx",
                         "Cursor/s/stdio/npx",
                         "Cursor/s/stdio/npx",
                         "VS Code/s/http/",
                         "VS Code/s/stdio/a",
                         "Cline/s/stdio/npx",
                         "Roo Code/s/stdio/npx",
                         "VSCodium/s/stdio/b",
                         "VS Code/s/stdio/uvx",
                         "Cline/s/stdio/npx",
                         "Roo Code/s/stdio/npx",
                         "Windsurf/s/stdio/npx",
                         "Zed/s/stdio/z",
                         "Continue/uvx/stdio/uvx",
                         "Continue/named/sse/",
                         "Gemini CLI/s/stdio/npx",
                         "GitHub Copilot CLI/s/stdio/npx"};
    const Lines got = found();
    BOOST_CHECK_EQUAL_COLLECTIONS(got.begin(), got.end(), expected.begin(), expected.end());
    BOOST_TEST(find().passed_over.empty());
}

BOOST_AUTO_TEST_CASE(claude_code_has_servers_of_its_projects_too) {
    write("home/.claude.json",
          R"({"numStartups":7,"mcpServers":{"mine":{"type":"sse","url":"https://h"}},)"
          R"("projects":{"/srv/a":{"mcpServers":{"a":{"command":"node"}},"history":["x"]},)"
          R"("/srv/b":{"mcpServers":{}},"/srv/c":7}})");
    const Lines expected{"Claude Code/mine/sse/", "Claude Code/a/stdio/node"};
    BOOST_TEST(found() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(comments_trailing_commas_and_a_byte_order_mark_are_no_mistakes) {
    write(kCursor,
          "\xEF\xBB\xBF// of mine\n{\"mcpServers\": { /* none\n yet */ \"a\": {\"command\": "
          "\"node\",}, },}\n");
    BOOST_TEST(found() == Lines{"Cursor/a/stdio/node"}, boost::test_tools::per_element());
    write(kCursor, " \n");
    BOOST_TEST(find().servers.empty());
    BOOST_TEST(find().passed_over.empty());
}

BOOST_AUTO_TEST_CASE(what_is_switched_off_is_said_to_be) {
    write(kCursor, R"({"mcpServers":{"a":{"command":"x","disabled":true},)"
                   R"("b":{"command":"x","enabled":false},"c":{"command":"x","disabled":false}}})");
    const Lines expected{"!Cursor/a/stdio/x", "!Cursor/b/stdio/x", "Cursor/c/stdio/x"};
    BOOST_TEST(found() == expected, boost::test_tools::per_element());
}

// The point of showing so little.
BOOST_AUTO_TEST_CASE(no_secret_of_a_configuration_comes_out) {
    const std::string secret = kSecret;
    write(kCursor, R"({"mcpServers":{)"
                   R"("env":{"command":"/opt/my tools/run","env":{"TOKEN":")" +
                       secret +
                       R"("}},)"
                       R"("args":{"command":"npx","args":["--key=)" +
                       secret +
                       R"("]},)"
                       R"("line":{"command":"npx -y server --key=)" +
                       secret +
                       R"("},)"
                       R"("path":{"command":"/bin/x -k/)" +
                       secret +
                       R"("},)"
                       R"("assigned":{"command":"KEY=)" +
                       secret +
                       R"( node"},)"
                       R"("list":{"command":["docker","-e","K=)" +
                       secret +
                       R"("]},)"
                       R"("url":{"url":"https://user:)" +
                       secret + R"(@host/?k=)" + secret +
                       R"("},)"
                       R"("type":{"type":")" +
                       secret + R"(","headers":{"A":")" + secret +
                       R"("}},)"
                       R"("https://u:)" +
                       secret + R"(@host":{"command":"x"}}})");
    const Findings findings = find();
    BOOST_TEST(findings.servers.size() == 8U);
    for (const auto& one : findings.servers)
        for (const std::string& text : {one.client, one.name, one.transport, one.command, one.file})
            BOOST_TEST(!has(text, secret), text);
    for (const auto& one : findings.passed_over) BOOST_TEST(!has(one.why, secret), one.why);
    const Lines expected{"Cursor/env/stdio/run",   "Cursor/args/stdio/npx",
                         "Cursor/line/stdio/npx",  "Cursor/path/stdio/x",
                         "Cursor/assigned/stdio/", "Cursor/list/stdio/docker",
                         "Cursor/url/http/",       "Cursor/type/unknown/"};
    BOOST_TEST(found() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_not_json_is_passed_over_and_its_text_is_not_said) {
    write(kCursor, std::string("{\"mcpServers\": ") + kSecret);
    BOOST_TEST(has(passed_over(), "is no JSON"));
    BOOST_TEST(!has(passed_over(), kSecret));
    write(kCursor, "[1]");
    BOOST_TEST(passed_over() == "is no JSON object");
    write(kCursor, R"({"mcpServers":7})");
    BOOST_TEST(has(passed_over(), "not known"));
    write(kCursor, R"({"mcpServers":{"a":7}})");
    BOOST_TEST(has(passed_over(), "not known"));
    write(kCursor, R"({"mcpServers":{"a\u001b[31m":{"command":"x"}}})");
    BOOST_TEST(has(passed_over(), "cannot be shown"));
    write(kCursor, "{\"mcpServers\":{\"a\xC2\x9B\":{\"command\":\"x\"}}}");
    BOOST_TEST(has(passed_over(), "cannot be shown"));
    write(kCursor, std::string("\0\0\0\0", 4));
    BOOST_TEST(has(passed_over(), "is no JSON"));
}

BOOST_AUTO_TEST_CASE(deep_and_large_files_are_bounded) {
    const std::size_t depth = limits::kJsonDepth + 1;
    write(kCursor,
          R"({"mcpServers":{},"x":)" + std::string(depth, '[') + std::string(depth, ']') + "}");
    BOOST_TEST(has(passed_over(), "is no JSON"));
    write(kCursor, std::string(limits::kClientConfigBytes, ' ') + "{}");
    BOOST_TEST(has(passed_over(), "larger"));
    std::string many = R"({"mcpServers":{)";
    for (std::size_t i = 0; i < limits::kDetectedServers + 5; ++i)
        many += (i == 0 ? "\"s" : ",\"s") + std::to_string(i) + R"(":{"command":"x"})";
    write(kCursor, many + "}}");
    BOOST_TEST(find().servers.size() == limits::kDetectedServers);
    BOOST_TEST(has(passed_over(), "more servers"));
}

BOOST_AUTO_TEST_CASE(links_folders_pipes_and_forbidden_files_are_passed_over_and_said) {
    write("elsewhere.json", R"({"mcpServers":{"a":{"command":"x"}}})");
    std::filesystem::create_directories(root + "home/.cursor");
    const std::string file = root + kCursor;
    std::filesystem::create_symlink(root + "elsewhere.json", file);
    BOOST_TEST(passed_over() == "is a symbolic link");
    std::filesystem::remove(file);
    std::filesystem::create_directory(file);
    BOOST_TEST(passed_over() == "is no regular file");
    std::filesystem::remove(file);
    // Nobody writes into it: this would wait for ever.
    BOOST_REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    BOOST_TEST(passed_over() == "is no regular file");
    std::filesystem::remove(file);
    write(kCursor, R"({"mcpServers":{"a":{"command":"x"}}})");
    BOOST_REQUIRE(::chmod(file.c_str(), 0) == 0);
    if (::geteuid() != 0) BOOST_TEST(has(passed_over(), "Permission denied"));
    BOOST_REQUIRE(::chmod(file.c_str(), 0600) == 0);
    // A folder's name that is a file is no client.
    write("home/.codeium", "x");
    BOOST_TEST(find().servers.size() == 1U);
    BOOST_TEST(find().passed_over.empty());
}

BOOST_AUTO_TEST_CASE(no_place_is_looked_at_that_is_not_given) {
    const std::vector<ClientFile> files = client_files({"", "", "/p"});
    BOOST_TEST(!files.empty());
    for (const ClientFile& file : files) BOOST_TEST(file.path.starts_with("/p/"), file.path);
}

BOOST_AUTO_TEST_SUITE_END()
