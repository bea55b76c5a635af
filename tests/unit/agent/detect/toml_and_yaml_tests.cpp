#include "base/limits.hpp"
#include "tests/unit/agent/detect/machine.hpp"

#include <boost/json/serialize.hpp>

using namespace rekey;
using namespace rekey::agent::detect;
using namespace rekey::agent::detect::test;

// Clients that write TOML or YAML: Codex, Continue and Goose.
namespace {

constexpr const char* kCodex = "home/.codex/config.toml";
constexpr const char* kContinue = "home/.continue/config.yaml";
constexpr const char* kGoose = "xdg/goose/config.yaml";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(toml_and_yaml_tests, Machine)

BOOST_AUTO_TEST_CASE(codex_has_a_table_for_each_server) {
    write(kCodex,
          "model = \"o\"\n\n[mcp_servers.files]\ncommand = \"/usr/bin/npx\"\nargs = [\"-y\"]\n"
          "[mcp_servers.files.env]\nK = \"v\"\n"
          "[mcp_servers.\"the web\"]\nurl = \"https://h/mcp\"\nenabled = false\n");
    write("project/.codex/config.toml", "mcp_servers = { here = { command = 'uvx' } }\n");
    const Lines expected{"Codex/files/stdio/npx", "!Codex/the web/http/", "Codex/here/stdio/uvx"};
    BOOST_TEST(found() == expected, boost::test_tools::per_element());
    BOOST_TEST(find().passed_over.empty());
}

BOOST_AUTO_TEST_CASE(continue_has_a_list_and_folders_of_files) {
    write(kContinue,
          "name: mine\nmcpServers:\n"
          "  - name: SQLite\n    command: npx\n    args: [mcp-sqlite]\n"
          "  - name: web\n    type: streamable-http\n    url: https://h\n");
    write("home/.continue/mcpServers/b.yml", "mcpServers:\n- {name: b, type: sse, url: x}\n");
    write("project/.continue/mcpServers/b.yaml", "mcpServers:\n- {name: b, command: b}\n");
    write("project/.continue/mcpServers/a.json", R"({"mcpServers":{"a":{"command":"a"}}})");
    write("project/.continue/mcpServers/notes.txt", "[");
    const Lines expected{"Continue/SQLite/stdio/npx", "Continue/web/http/", "Continue/b/sse/",
                         "Continue/a/stdio/a", "Continue/b/stdio/b"};
    BOOST_TEST(found() == expected, boost::test_tools::per_element());
    BOOST_TEST(find().passed_over.empty());
    BOOST_TEST(find().servers[3].file == root + "project/.continue/mcpServers/a.json");
}

BOOST_AUTO_TEST_CASE(goose_has_extensions_of_which_some_are_servers) {
    write(kGoose,
          "GOOSE_PROVIDER: x\nextensions:\n"
          "  developer: {type: builtin, name: developer, enabled: true}\n"
          "  todo: {type: platform, enabled: true}\n"
          "  github:\n    name: GitHub\n    type: stdio\n    cmd: npx\n    enabled: false\n"
          "  remote: {type: sse, uri: 'https://h', enabled: true}\n"
          "  newer: {type: streamable_http, uri: 'https://h'}\n");
    const Lines expected{"!Goose/github/stdio/npx", "Goose/remote/sse/", "Goose/newer/http/"};
    BOOST_TEST(found() == expected, boost::test_tools::per_element());
    BOOST_TEST(find().passed_over.empty());
}

BOOST_AUTO_TEST_CASE(a_section_without_anything_in_it_is_no_mistake) {
    write(kCodex, "[mcp_servers]\n");
    write(kContinue, "mcpServers:\n");
    write(kGoose, "# later\n");
    BOOST_TEST(find().servers.empty());
    BOOST_TEST(find().passed_over.empty());
}

BOOST_AUTO_TEST_CASE(no_secret_of_toml_or_yaml_comes_out) {
    const std::string secret = kSecret;
    write(kCodex, "[mcp_servers.a]\ncommand = \"npx -y x --key=" + secret + "\"\nargs = [\"" +
                      secret + "\"]\nenv = { K = \"" + secret +
                      "\" }\n[mcp_servers.b]\nurl = \"https://u:" + secret +
                      "@h\"\nhttp_headers = { A = \"" + secret + "\" }\nbearer_token = \"" +
                      secret + "\"\n[mcp_servers.\"https://u:" + secret + "@h\"]\nurl = 'x'\n");
    write("project/.codex/config.toml", "[mcp_servers.x]\nkey = " + secret + "\n");
    write(kContinue, "mcpServers:\n  - name: c\n    command: /bin/x --key " + secret +
                         "\n    env: {K: " + secret + "}\n    requestOptions: {headers: {A: " +
                         secret + "}}\n  - uses: " + secret + "\n");
    write("project/.continue/mcpServers/x.yaml", "a: *" + secret + "\n");
    write(kGoose,
          "extensions:\n  d: {type: stdio, cmd: \"K=" + secret + " npx\", envs: {K: " + secret +
              "}}\n  e: {type: sse, uri: \"https://h?k=" + secret + "\"}\n  f: " + secret + "\n");
    const Findings findings = find();
    for (const auto& one : findings.servers)
        for (const std::string& text : {one.client, one.name, one.transport, one.command, one.file})
            BOOST_TEST(!has(text, secret), text);
    BOOST_TEST(findings.passed_over.size() == 5U);
    for (const auto& one : findings.passed_over) BOOST_TEST(!has(one.why, secret), one.why);
    const Lines expected{"Continue/c/stdio/x", "Codex/a/stdio/npx", "Codex/b/http/",
                         "Goose/d/stdio/", "Goose/e/sse/"};
    BOOST_TEST(found() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_passed_over_and_said) {
    write(kCodex, "[;table]\n");
    BOOST_TEST(has(passed_over(), "is no TOML"));
    write(kCodex, "mcp_servers = 7\n");
    BOOST_TEST(has(passed_over(), "not known"));
    write(kCodex, "");
    write(kContinue, "mcpServers: [a");
    BOOST_TEST(has(passed_over(), "is no YAML (line 1)"));
    write(kContinue, "mcpServers: [a]");
    BOOST_TEST(has(passed_over(), "not known"));
    write(kContinue, "mcpServers:\n- &a {name: a, command: x}\n- *a\n");
    BOOST_TEST(has(passed_over(), "not known"));
    BOOST_TEST(found() == Lines{"Continue/a/stdio/x"}, boost::test_tools::per_element());
    for (const char* name : {"\"\\e[31m\"", "\"\\x9b\"", "a\xFF", "\xC0\xAF", "''"}) {
        write(kContinue, "mcpServers: [{name: " + std::string(name) + ", command: x}]");
        BOOST_TEST(has(passed_over(), "cannot be shown"), name);
    }
    write(kContinue, std::string(limits::kClientConfigBytes, ' ') + "a: 1");
    BOOST_TEST(has(passed_over(), "larger"));
}

BOOST_AUTO_TEST_CASE(a_folder_of_files_is_bounded_and_no_link) {
    const std::string files = "project/.continue/mcpServers";
    write("elsewhere/a.yaml", "mcpServers: [{name: a, command: x}]");
    std::filesystem::create_directories(root + "project/.continue");
    std::filesystem::create_directory_symlink(root + "elsewhere", root + files);
    BOOST_TEST(passed_over() == "is a symbolic link");
    std::filesystem::remove(root + files);
    std::filesystem::create_directory(root + files);
    std::filesystem::create_symlink(root + "elsewhere/a.yaml", root + files + "/a.yaml");
    BOOST_TEST(passed_over() == "is a symbolic link");
    std::filesystem::remove(root + files + "/a.yaml");
    write(files + "/\x1B[31m.yaml", "");
    BOOST_TEST(has(passed_over(), "cannot be shown"));
    std::filesystem::remove(root + files + "/\x1B[31m.yaml");
    for (int i = 0; i < 65; ++i) write(files + "/" + std::to_string(i) + ".yaml", "");
    BOOST_TEST(has(passed_over(), "more files"));
    // A file where a folder would be is no client.
    std::filesystem::remove_all(root + files);
    write(files, "x");
    BOOST_TEST(find().passed_over.empty());
}

BOOST_AUTO_TEST_SUITE_END()
