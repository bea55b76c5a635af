// Rate limits and proxies, with the real rekeyd: who pays for failed attempts, and who never does.
#include "tests/support/agent_stage.hpp"
#include "tests/support/by_hand.hpp"
#include "tests/support/daemons.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

using namespace rekey;
using namespace rekey::testing;
namespace json = boost::json;

namespace {

constexpr int kFailures = 20;  // rate_limit_auth_per_minute

net::HttpCall upgrade_with(const std::string& token) {
    net::HttpCall call{.method = "GET", .target = "/agent"};
    call.headers.emplace_back("Authorization", Secret("Bearer " + token));
    call.headers.emplace_back("Connection", Secret("Upgrade"));
    call.headers.emplace_back("Upgrade", Secret("websocket"));
    call.headers.emplace_back("Sec-WebSocket-Version", Secret("13"));
    call.headers.emplace_back("Sec-WebSocket-Key", Secret("dGhlIHNhbXBsZSBub25jZQ=="));
    call.headers.emplace_back("Sec-WebSocket-Protocol", Secret("rekey.agent.v1"));
    return call;
}

net::HttpCall from(net::HttpCall call, const std::string& header, const std::string& value) {
    call.headers.emplace_back(header, Secret(value));
    return call;
}

Rekeyd::Options behind_a_proxy(const std::string& trusted,
                               const std::string& header = "x-forwarded-for") {
    Rekeyd::Options options;
    options.transport = Transport::plain;
    if (!trusted.empty())
        options.arguments = {"--trusted-proxies", trusted, "--proxy-header", header};
    return options;
}

// Attempts until one is told to wait; -1 if none is.
int attempts_allowed(const Rekeyd& server, const net::HttpCall& call) {
    for (int i = 0; i <= 2 * kFailures; ++i) {
        const unsigned status = server.http(call).status;
        if (status == 429U) return i;
        BOOST_REQUIRE_EQUAL(status, 401U);
    }
    return -1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(limit_tests)

// Its failures fill the bucket of the address that all of them share.
BOOST_AUTO_TEST_CASE(one_bad_agent_behind_an_address_locks_nobody_out) {
    Rekeyd server;
    const auto waiting = server.new_agent("waiting");
    const Ed25519Key key = Ed25519Key::generate();
    ScriptedIdentity lost = enroll_by_hand(server, "lost", key);
    AgentStage stage;
    ScriptedAgent& good = stage.enroll_and_connect(server, "good");
    server.wait_settled(good.agent_id(), 1);

    BOOST_TEST(attempts_allowed(server, upgrade_with("rka_made-up_x")) == kFailures);
    const net::HttpResponse refused = server.http(upgrade_with("rka_made-up_x"));
    BOOST_TEST(refused.status == 429U);
    BOOST_TEST(refused.headers.get("Rekey-Error") == "rate_limited");
    BOOST_TEST(!refused.headers.get("Retry-After").empty());
    // The same bucket at the other doors ...
    BOOST_TEST(server
                   .post("/enroll", R"({"code":"rke_x","public_key":")" + std::string(43, 'A') +
                                        R"(","signature":")" + std::string(86, 'A') +
                                        R"(","hostname":"h","version":"1"})")
                   .status == 429U);
    // ... and nobody with a right secret hears of it: not the one that is connected, nor when it
    // comes again, nor one that enrolls, recovers, or calls as an admin.
    stage.with([&] { good.cut(); });
    stage.with([&] { good.connect(); });
    stage.wait("the good one is back", [&] { return good.connected(); });
    RekeyAgent late("waiting");
    BOOST_TEST(late.enroll(waiting.join_string) == 0, late.enroll_output());
    const net::HttpResponse recovered = recover_by_hand(server, lost.agent_id, 1, key);
    BOOST_TEST(recovered.status == 200U, recovered.body);
    static_cast<void>(server.call("system.info"));
}

BOOST_AUTO_TEST_CASE(a_trusted_proxy_names_the_client_whose_failures_count) {
    for (const std::string header : {"x-forwarded-for", "forwarded"}) {
        BOOST_TEST_CONTEXT(header) {
            Rekeyd server(behind_a_proxy("127.0.0.0/8, ::1", header));
            const std::string form = header == "forwarded" ? "for=" : "";
            const net::HttpCall wrong = upgrade_with("rka_made-up_x");
            const auto bad = from(wrong, header, form + "198.51.100.1");
            BOOST_TEST(attempts_allowed(server, bad) == kFailures);
            // What the client itself wrote in front changes nothing.
            BOOST_TEST(
                server.http(from(wrong, header, fmt::format("{0}6.6.6.6, {0}198.51.100.1", form)))
                    .status == 429U);
            BOOST_TEST(server.http(from(wrong, header, form + "198.51.100.2")).status == 401U);
            BOOST_TEST(server.http(wrong).status == 401U);
            // The header that the proxy does not write is the client's own word.
            const std::string other = header == "forwarded" ? "X-Forwarded-For" : "Forwarded";
            BOOST_TEST(server.http(from(bad, other, "for=198.51.100.3")).status == 429U);
        }
    }
}

BOOST_AUTO_TEST_CASE(nobody_else_says_whose_failures_count) {
    Rekeyd server(behind_a_proxy(""));
    const net::HttpCall wrong = upgrade_with("rka_made-up_x");
    int limited = 0;
    for (int i = 0; i < kFailures + 5; ++i) {
        const auto call = from(wrong, "X-Forwarded-For", "198.51.100." + std::to_string(i));
        if (server.http(call).status == 429U) ++limited;
    }
    BOOST_TEST(limited == 5);
}

BOOST_AUTO_TEST_CASE(the_audit_has_the_clients_address) {
    Rekeyd server(behind_a_proxy("127.0.0.1"));
    net::HttpCall call{
        .method = "POST",
        .target = "/rpc",
        .body =
            Secret(R"({"jsonrpc":"2.0","id":1,"method":"agents.create","params":{"name":"a"}})")};
    call.headers.emplace_back("X-API-Key", Secret(server.admin_key()));
    BOOST_TEST(server.http(from(call, "X-Forwarded-For", "2001:db8::7")).status == 200U);
    const json::value rows = server.call("audit.query", {{"action", "agent.created"}});
    const json::value& row = rows.at("entries").as_array().back();
    BOOST_TEST(row.at("details").at("address").as_string() == "2001:db8::7");
}

BOOST_AUTO_TEST_CASE(a_proxy_that_is_no_network_ends_the_start) {
    TemporaryDirectory home;
    const Finished finished = run({rekeyd_program(), "--data-dir", home.file("data"), "--listen",
                                   "127.0.0.1:0", "--trusted-proxies", "proxy.example.com"});
    BOOST_TEST(finished.exit_code == 78);
    BOOST_TEST(finished.output.find("--trusted-proxies") != std::string::npos, finished.output);
    BOOST_TEST(finished.output.find("proxy.example.com") != std::string::npos, finished.output);
}

BOOST_AUTO_TEST_SUITE_END()
