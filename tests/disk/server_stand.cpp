#include "tests/disk/server_stand.hpp"

#include <boost/test/unit_test.hpp>

namespace rekey::testing {
namespace {

Rekeyd::Options broken_options(const FaultyDisk& disk, const std::string& timeout) {
    Rekeyd::Options options;
    options.environment = disk.environment();
    options.environment.insert(
        {{"REKEY_ROTATION_TIMEOUT_SECONDS", timeout}, {"REKEY_SCHEDULER_INTERVAL_SECONDS", "1"}});
    return options;
}

}  // namespace

BrokenServer::BrokenServer(const std::string& rotation_timeout_seconds)
    : server(broken_options(disk, rotation_timeout_seconds)) {}

void BrokenServer::expect_writes_refused(const std::string& name) {
    const Result<> refused = ledger.create(server, name);
    BOOST_REQUIRE_MESSAGE(refused.has_error(), name << " was created");
    BOOST_TEST((refused.error().code() == Code::unavailable), refused.error().message());
    // As it goes over the wire: a program sees that it may try again.
    const std::string body =
        R"({"jsonrpc":"2.0","id":1,"method":"agents.create","params":{"name":")" + name +
        "-too\"}}";
    const std::string raw = server.post("/rpc", body, server.admin_key()).body;
    BOOST_TEST(raw.find(R"("name":"unavailable")") != std::string::npos, raw);
    BOOST_TEST(raw.find(R"("retry":"later")") != std::string::npos, raw);
}

void BrokenServer::expect_reads_answered(const std::string& agent_id) const {
    BOOST_TEST(server.agent(agent_id).at("connected").as_bool());
    ledger.expect_all_there(server);
    for (const char* target : {"/healthz", "/readyz"})
        BOOST_TEST(server.http({.method = "GET", .target = target}).status == 200U, target);
}

}  // namespace rekey::testing
