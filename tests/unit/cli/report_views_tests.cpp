#include "cli/report_views.hpp"
#include "fake_server.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::cli;
using namespace rekey::cli::test;

namespace {

constexpr std::string_view kReports =
    R"({"capabilities":[{"name":"read\u001b[31m_files","first_seen_at":"2026-11-20T07:36:10.000Z",)"
    R"("last_seen_at":"2026-11-21T07:36:10.000Z","times":3}],)"
    R"("integrations":[{"sdk_version":"aim-sdk-python@1.0.0","platform":"python",)"
    R"("capabilities":["auto_detect_mcps","x"],"first_seen_at":"2026-11-20T07:36:10.000Z",)"
    R"("last_seen_at":"2026-11-20T07:36:10.000Z","times":1}],)"
    R"("mcp_servers":[{"mcp_server_id":"filesystem","detection_method":"auto_config",)"
    R"("confidence":62.5,"first_seen_at":"2026-11-20T07:36:10.000Z",)"
    R"("last_seen_at":"2026-11-20T07:36:10.000Z","times":1}]})";

std::string detail_with(std::string_view reports) {
    return R"({"agent_id":")" + id_of(1) +
           R"(","name":"web-1","type":"agent","status":"active","enrolled":true,)"
           R"("connected":true,"labels":{},"created_at":"2026-11-21T07:36:10.000Z",)"
           R"("generation":1,"activated_generation":1,"metadata":{},"rotation_count":0)" +
           std::string(reports) + "}";
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(report_views_tests, Rekeyctl)

BOOST_AUTO_TEST_CASE(an_agents_reports_are_shown_after_it) {
    server.hold({agent(1, "web-1")});
    server.answer("agents.get", detail_with(R"(,"reports":)" + std::string(kReports)));
    BOOST_TEST((run({"agents", "get", "web-1"}) == ExitCode::ok));
    const std::string text = out.str();
    for (const char* part : {"which gives it no right", "capability", "aim-sdk-python@1.0.0",
                             "python: auto_detect_mcps, x", "filesystem",
                             "auto_config, confidence 62.5", "FIRST SEEN", "LAST SEEN"})
        BOOST_TEST(text.find(part) != std::string::npos, part);
    // Agents choose these texts: nothing of theirs steers the terminal.
    BOOST_TEST(text.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(one_that_reported_nothing_and_an_older_server_show_no_table) {
    server.hold({agent(1, "web-1")});
    for (const std::string_view reports :
         {"", R"(,"reports":{"capabilities":[],"integrations":[],"mcp_servers":[]})"}) {
        server.answer("agents.get", detail_with(reports));
        out.str({});
        BOOST_TEST((run({"agents", "get", "web-1"}) == ExitCode::ok));
        BOOST_TEST(out.str().find("says of itself") == std::string::npos);
        BOOST_TEST(out.str().find("web-1") != std::string::npos);
    }
}

BOOST_AUTO_TEST_SUITE_END()
