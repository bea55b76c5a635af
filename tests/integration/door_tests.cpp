// The admin's doors: POST /rpc and the small pages, with the statuses and bodies of
// docs/protocol.md.
#include "base/limits.hpp"
#include "tests/support/daemons.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <signal.h>

using namespace rekey;
using namespace rekey::testing;
namespace json = boost::json;

namespace {

struct Door {
    Rekeyd server{Rekeyd::Options{.transport = Transport::plain}};

    net::HttpResponse rpc(const std::string& body) const {
        return server.post("/rpc", body, server.admin_key());
    }
    json::value answer(const std::string& body) const {
        const net::HttpResponse response = rpc(body);
        BOOST_TEST(response.status == 200U);
        return json::parse(response.body);
    }
    static std::string error_name(const json::value& answer) {
        return std::string(answer.at("error").at("data").at("name").as_string());
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(door_tests, Door)

BOOST_AUTO_TEST_CASE(without_a_right_key_there_is_a_401_that_says_how) {
    const std::string request = R"({"jsonrpc":"2.0","id":1,"method":"system.info"})";
    std::string wrong = server.admin_key();
    wrong.back() = wrong.back() == 'a' ? 'b' : 'a';
    for (const std::string& bearer : {std::string(), std::string("nonsense"), wrong}) {
        const net::HttpResponse response = server.post("/rpc", request, bearer);
        BOOST_TEST(response.status == 401U);
        BOOST_TEST(response.headers.get("WWW-Authenticate").substr(0, 6) == "Bearer");
        const json::value body = json::parse(response.body);
        BOOST_TEST(body.at("name").as_string() == "unknown_credential");
        BOOST_TEST(body.at("retry").as_string() == "later");
        BOOST_TEST(response.body.size() < limits::kErrorBytes);
    }
}

BOOST_AUTO_TEST_CASE(the_key_works_as_bearer_and_as_x_api_key) {
    net::HttpCall call{.method = "POST", .target = "/rpc"};
    call.headers.emplace_back("X-API-Key", Secret(server.admin_key()));
    call.body = Secret(R"({"jsonrpc":"2.0","id":1,"method":"system.info"})");
    const net::HttpResponse response = server.http(call);
    BOOST_TEST(response.status == 200U);
    BOOST_TEST(json::parse(response.body).as_object().contains("result"));
}

BOOST_AUTO_TEST_CASE(a_limit_of_calls_holds_from_the_moment_that_it_is_set) {
    const std::string request = R"({"jsonrpc":"2.0","id":1,"method":"system.info"})";
    const auto refused_with = [&](const net::HttpResponse& response) {
        BOOST_TEST(response.status == 429U);
        const json::value body = json::parse(response.body);
        BOOST_TEST(body.at("name").as_string() == "rate_limited");
        BOOST_TEST(body.at("retry").as_string() == "later");
        BOOST_TEST(!response.headers.get("Retry-After").empty());
    };
    for (int i = 0; i < 10; ++i) BOOST_TEST(rpc(request).status == 200U);
    static_cast<void>(
        server.call("settings.set", {{"settings", {{"rate_limit_api_per_minute", 4}}}}));
    BOOST_TEST(rpc(request).status == 200U);
    // The calls of a batch count one by one; what is above the limit is refused within it.
    const json::value batch =
        answer("[" + request + "," + request + "," + request + "," + request + "]");
    BOOST_REQUIRE(batch.as_array().size() == 4U);
    BOOST_TEST(batch.at(2).as_object().contains("result"));
    BOOST_TEST(error_name(batch.at(3)) == "rate_limited");
    BOOST_TEST(batch.at(3).at("error").at("data").at("retry_after_seconds").to_number<int>() > 0);
    refused_with(rpc(request));
    net::HttpCall upgrade{.method = "GET", .target = "/rpc"};
    upgrade.headers.emplace_back("Authorization", Secret("Bearer " + server.admin_key()));
    upgrade.headers.emplace_back("Connection", Secret("Upgrade"));
    upgrade.headers.emplace_back("Upgrade", Secret("websocket"));
    upgrade.headers.emplace_back("Sec-WebSocket-Version", Secret("13"));
    upgrade.headers.emplace_back("Sec-WebSocket-Key", Secret("dGhlIHNhbXBsZSBub25jZQ=="));
    upgrade.headers.emplace_back("Sec-WebSocket-Protocol", Secret("rekey.admin.v1"));
    refused_with(server.http(upgrade));
    // Operations are never limited.
    BOOST_TEST(server.http({.method = "GET", .target = "/readyz"}).status == 200U);
}

BOOST_AUTO_TEST_CASE(a_limit_of_failed_attempts_holds_from_the_moment_that_it_is_set) {
    const json::object wrong_code{{"code", "rke_x"},
                                  {"public_key", std::string(43, 'A')},
                                  {"signature", std::string(86, 'A')},
                                  {"hostname", "h"},
                                  {"version", "1"}};
    const auto enroll = [&] { return server.post("/enroll", json::serialize(wrong_code)).status; };
    for (int i = 0; i < 3; ++i) BOOST_TEST(enroll() == 401U);
    static_cast<void>(
        server.call("settings.set", {{"settings", {{"rate_limit_auth_per_minute", 2}}}}));
    for (int i = 0; i < 2; ++i) BOOST_TEST(enroll() == 401U);
    BOOST_TEST(enroll() == 429U);
    static_cast<void>(
        server.call("settings.set", {{"settings", {{"rate_limit_auth_per_minute", 0}}}}));
    BOOST_TEST(enroll() == 401U);
}

BOOST_AUTO_TEST_CASE(a_stop_waits_for_an_answer_that_is_being_read) {
    json::object labels;
    for (int i = 0; i < 60; ++i) labels["label-" + std::to_string(i)] = std::string(250, 'x');
    for (int i = 0; i < 150; ++i)
        static_cast<void>(
            server.call("agents.create", {{"name", "a" + std::to_string(i)}, {"labels", labels}}));
    const std::string body =
        R"({"jsonrpc":"2.0","id":1,"method":"agents.list","params":{"limit":500}})";

    boost::asio::io_context io;
    boost::asio::ip::tcp::socket socket(io, boost::asio::ip::tcp::v4());
    // So small that most of the answer stays with the server until it is read.
    socket.set_option(boost::asio::socket_base::receive_buffer_size(4096));
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), server.port()});
    boost::asio::write(
        socket, boost::asio::buffer(
                    "POST /rpc HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: " + server.admin_key() +
                    "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
    std::string received(1, '\0');
    boost::asio::read(socket, boost::asio::buffer(received));

    server.process().signal(SIGTERM);
    server.process().wait_for({"event=server.stopping"});
    boost::system::error_code end;
    std::string rest;
    boost::asio::read(socket, boost::asio::dynamic_buffer(rest), end);
    received += rest;
    BOOST_TEST((end == boost::asio::error::eof));
    const std::size_t text = received.find("\r\n\r\n") + 4;
    BOOST_TEST(received.size() - text > std::size_t{1024} * 1024);
    const json::value answer = json::parse(received.substr(text));
    BOOST_TEST(answer.at("result").at("agents").as_array().size() == 151U);
    BOOST_TEST(server.process().wait() == 0);
    BOOST_TEST(server.process().count("event=server.stopped") == 1U);
    BOOST_TEST(server.process().count("event=server.drain_cut_short") == 0U);
}

BOOST_AUTO_TEST_CASE(the_envelope_follows_the_specification) {
    BOOST_TEST(error_name(answer("{")) == "parse_error");
    BOOST_TEST(answer("{").at("id").is_null());
    BOOST_TEST(error_name(answer("[]")) == "invalid_request");
    BOOST_TEST(error_name(answer("7")) == "invalid_request");
    BOOST_TEST(error_name(answer(R"({"jsonrpc":"2.0","id":1,"method":"no.such"})")) ==
               "method_not_found");
    BOOST_TEST(error_name(answer(R"({"jsonrpc":"2.0","id":1,"method":"agent.heartbeat"})")) ==
               "method_not_found");
    const json::value null_id = answer(R"({"jsonrpc":"2.0","id":null,"method":"system.info"})");
    BOOST_TEST(null_id.as_object().contains("result"));
    BOOST_TEST(null_id.at("id").is_null());
    BOOST_TEST(
        answer(R"({"jsonrpc":"2.0","id":"text","method":"system.info"})").at("id").as_string() ==
        "text");
}

BOOST_AUTO_TEST_CASE(batches_are_answered_together_and_notifications_not_at_all) {
    const json::value both = answer(
        R"([{"jsonrpc":"2.0","id":1,"method":"system.info"},{"jsonrpc":"2.0","method":"system.info"},)"
        R"({"jsonrpc":"2.0","id":2,"method":"agents.list"}, 7])");
    BOOST_REQUIRE(both.is_array());
    BOOST_TEST(both.as_array().size() == 3U);
    BOOST_TEST(rpc(R"({"jsonrpc":"2.0","method":"system.info"})").status == 204U);
    BOOST_TEST(rpc(R"([{"jsonrpc":"2.0","method":"system.info"}])").status == 204U);
    std::string many = "[";
    for (std::size_t i = 0; i <= limits::kBatchEntries; ++i)
        many +=
            std::string(i == 0 ? "" : ",") + R"({"jsonrpc":"2.0","id":1,"method":"system.info"})";
    BOOST_TEST(error_name(answer(many + "]")) == "invalid_request");
}

BOOST_AUTO_TEST_CASE(a_bad_parameter_is_named_with_its_path) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"jsonrpc":"2.0","id":1,"method":"agents.create","params":{}})", "name"},
        {R"({"jsonrpc":"2.0","id":1,"method":"agents.create","params":{"name":"Not A Name"}})",
         "name"},
        {R"({"jsonrpc":"2.0","id":1,"method":"agents.create","params":{"name":"ok","nmae":1}})",
         "nmae"},
        {R"({"jsonrpc":"2.0","id":1,"method":"agents.get","params":{"agent_id":"x"}})", "agent_id"},
        {R"({"jsonrpc":"2.0","id":1,"method":"settings.set","params":{"settings":{"heartbeat_seconds":1}}})",
         "settings.heartbeat_seconds"},
        {R"({"jsonrpc":"2.0","id":1,"method":"settings.set","params":{"settings":{"no_such":1}}})",
         "settings.no_such"},
        {R"({"jsonrpc":"2.0","id":1,"method":"rotations.start","params":{"agent_ids":["00000000-0000-7000-8000-000000000000",7]}})",
         "agent_ids[1]"},
    };
    for (const auto& [text, path] : cases) {
        BOOST_TEST_CONTEXT(text) {
            const json::value refused = answer(text);
            BOOST_TEST(error_name(refused) == "invalid_params");
            BOOST_TEST(refused.at("error").at("data").at("details").at("path").as_string() == path);
        }
    }
}

BOOST_AUTO_TEST_CASE(agents_are_created_found_listed_and_named_once) {
    const json::value created =
        server.call("agents.create", {{"name", "one"}, {"labels", {{"site", "north"}}}});
    const json::object id{{"agent_id", created.at("agent_id")}};
    BOOST_TEST(server.call("agents.get", id).at("name").as_string() == "one");
    BOOST_TEST(server.call("agents.get", id).at("labels").at("site").as_string() == "north");
    const auto twice = server.try_call("agents.create", {{"name", "one"}});
    BOOST_REQUIRE(twice.has_error());
    BOOST_CHECK(twice.error().code() == Code::already_exists);
    for (int i = 0; i < 5; ++i)
        static_cast<void>(server.call("agents.create", {{"name", "more" + std::to_string(i)}}));
    std::size_t seen = 0;
    json::object page{{"limit", 2}};
    for (int pages = 0; pages < 10; ++pages) {
        const json::value list = server.call("agents.list", page);
        seen += list.at("agents").as_array().size();
        const json::value* next = list.as_object().if_contains("next_cursor");
        if (next == nullptr) break;
        page["cursor"] = *next;
    }
    BOOST_TEST(seen == 7U, "six and the admin");
}

BOOST_AUTO_TEST_CASE(nobody_suspends_or_revokes_the_last_admin) {
    const json::value admins = server.call("agents.list", {{"type", "admin"}});
    const json::value id = admins.at("agents").at(0).at("agent_id");
    for (const char* method : {"agents.suspend", "agents.revoke"}) {
        const auto refused = server.try_call(method, {{"agent_id", id}});
        BOOST_TEST(refused.has_error());
    }
    BOOST_TEST(server.try_call("system.info", {}).has_value());
}

BOOST_AUTO_TEST_CASE(settings_say_where_they_come_from_and_are_set_all_or_none) {
    static_cast<void>(server.call("settings.set", {{"settings", {{"heartbeat_seconds", 17}}}}));
    json::value seen = server.call("settings.get");
    BOOST_TEST(seen.at("settings").at("heartbeat_seconds").to_number<int>() == 17);
    BOOST_TEST(seen.at("sources").at("heartbeat_seconds").as_string() == "set");
    BOOST_TEST(seen.at("sources").at("jwt_minutes").as_string() == "default");
    const auto refused = server.try_call(
        "settings.set", {{"settings", {{"heartbeat_seconds", 18}, {"jwt_minutes", 0}}}});
    BOOST_TEST(refused.has_error());
    server.kill();
    server.start();
    seen = server.call("settings.get");
    BOOST_TEST(seen.at("settings").at("heartbeat_seconds").to_number<int>() == 17,
               "kept over a crash, and nothing half-done");
}

BOOST_AUTO_TEST_CASE(every_change_leaves_one_audit_row_in_an_unbroken_chain) {
    const json::value created = server.call("agents.create", {{"name", "one"}});
    static_cast<void>(server.call("agents.suspend",
                                  {{"agent_id", created.at("agent_id")}, {"reason", "because"}}));
    const json::value audit = server.call("audit.query", {{"limit", 100}});
    std::uint64_t expected = 1;
    std::string previous;
    for (const json::value& entry : audit.at("entries").as_array()) {
        BOOST_TEST(entry.at("seq").to_number<std::uint64_t>() == expected);
        if (expected++ > 1) BOOST_TEST(entry.at("previous_hash").as_string() == previous);
        previous = entry.at("hash").as_string();
    }
    BOOST_TEST(expected > 2U);
    const json::value suspended = server.call("audit.query", {{"action", "agent.suspended"}});
    BOOST_TEST(suspended.at("entries").as_array().size() == 1U);
}

BOOST_AUTO_TEST_CASE(operations_pages_need_no_key_and_routes_say_what_they_take) {
    for (const char* target : {"/healthz", "/readyz", "/_health", "/"})
        BOOST_TEST(server.http({.target = target}).status == 200U, target);
    BOOST_TEST(server.http({.target = "/no/such"}).status == 404U);
    const net::HttpResponse wrong = server.http({.method = "DELETE", .target = "/rpc"});
    BOOST_TEST(wrong.status == 405U);
    BOOST_TEST(wrong.headers.get("Allow").find("POST") != std::string_view::npos);
    BOOST_TEST(server.http({.target = "/agent"}).status == 426U);
}

BOOST_AUTO_TEST_SUITE_END()
