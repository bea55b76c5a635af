#include "agent/client.hpp"
#include "fake_server.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <future>
#include <optional>

using namespace rekey;
using namespace rekey::agent;
using namespace rekey::agent::test;
using namespace std::chrono_literals;

namespace {

// What a report was answered with: a word of its result, or the error's code.
template <class R>
struct Heard {
    std::promise<Result<R>> promise;
    int calls = 0;

    std::function<void(const Result<R>&)> hear() {
        return [this](const Result<R>& answer) {
            if (++calls == 1) promise.set_value(answer);
        };
    }
    Result<R> wait() {
        auto future = promise.get_future();
        BOOST_REQUIRE(future.wait_for(20s) == std::future_status::ready);
        return future.get();
    }
};

struct Fixture {
    Fixture() {
        AgentState state = state_with({held(1, kConfirmed)});
        state.server = server.address();
        BOOST_REQUIRE(!FileDisk(path).write(encode_state(state)));
        ClientOptions options{.state_path = path};
        options.hooks.on_changed = [this] {
            if (client->status().connection == ConnectionState::connected && !connected_once) {
                connected_once = true;
                connected.set_value();
            }
        };
        client.emplace(std::move(options));
    }
    void connect() {
        BOOST_REQUIRE(client->start().has_value());
        BOOST_REQUIRE(connected.get_future().wait_for(20s) == std::future_status::ready);
    }

    FakeServer server;
    testing::TemporaryDirectory folder;
    std::string path = folder.file("state.json");
    std::promise<void> connected;
    bool connected_once = false;
    Heard<protocol::CapabilitiesReported> capabilities;
    Heard<protocol::DetectionsProcessed> integration;
    Heard<protocol::McpServersRegistered> mcp_server;
    std::optional<Client> client;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(client_reports_tests, Fixture)

BOOST_AUTO_TEST_CASE(each_report_is_one_call) {
    connect();
    client->report_capabilities({{"read_files", "write_files"}}, capabilities.hear());
    client->report_integration({"sdk@1", "c++", {"x"}}, integration.hear());
    client->register_mcp_server({"files", "manual", 95.5}, mcp_server.hear());
    BOOST_TEST(capabilities.wait()->granted == 2U);
    BOOST_TEST(integration.wait()->detections_processed == 1U);
    BOOST_TEST(mcp_server.wait()->added == 1U);
    server.wait_message(R"("capabilities":["read_files","write_files"])");
    server.wait_message(R"("sdk_version":"sdk@1","platform":"c++","capabilities":["x"])");
    server.wait_message(R"("mcp_server_id":"files","detection_method":"manual","confidence":95.5)");
    client->stop();
    BOOST_TEST(capabilities.calls == 1);
}

BOOST_AUTO_TEST_CASE(without_a_connection_it_is_said_at_once) {
    client->report_capabilities({{"a"}}, capabilities.hear());
    BOOST_TEST((capabilities.wait().error().code() == Code::agent_offline));
    connect();
    client->stop();
    client->register_mcp_server({"files", "manual", 1}, mcp_server.hear());
    BOOST_TEST((mcp_server.wait().error().code() == Code::agent_offline));
}

BOOST_AUTO_TEST_CASE(who_waits_hears_when_the_connection_ends) {
    connect();
    server.silent = true;
    client->report_capabilities({{"a"}}, capabilities.hear());
    server.wait_message("agent.report_capabilities");
    server.close_all(4000);
    BOOST_TEST((capabilities.wait().error().code() == Code::agent_offline));
    client->stop();
    BOOST_TEST(capabilities.calls == 1);
}

BOOST_AUTO_TEST_CASE(who_waits_hears_when_the_client_goes) {
    connect();
    server.silent = true;
    client->report_integration({"s", "p", {}}, integration.hear());
    server.wait_message("agent.report_integration");
    client.reset();
    BOOST_TEST((integration.wait().error().code() == Code::agent_offline));
    BOOST_TEST(integration.calls == 1);
}

BOOST_AUTO_TEST_CASE(what_is_thrown_there_goes_no_further) {
    connect();
    client->report_integration(
        {"s", "p", {}}, [](const auto&) { throw std::runtime_error("the application's own"); });
    client->report_capabilities({{"a"}}, capabilities.hear());
    BOOST_TEST(capabilities.wait().has_value());
    client->stop();
}

BOOST_AUTO_TEST_SUITE_END()
