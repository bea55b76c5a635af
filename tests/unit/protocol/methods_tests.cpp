// The shapes of docs/protocol.md, as another implementation would send them.
#include "protocol/methods/agent_requests.hpp"
#include "protocol/methods/agents.hpp"
#include "protocol/methods/audit.hpp"
#include "protocol/methods/enroll.hpp"
#include "protocol/methods/recover.hpp"
#include "protocol/methods/rotations.hpp"
#include "protocol/methods/settings.hpp"
#include "protocol/methods/system.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

using namespace rekey;
using namespace rekey::protocol;

namespace {

const std::string kAgent = "01890a5d-ac96-774b-bcce-b302099a8057";
const std::string kRotation = "01890a5d-ac96-7ab2-80e2-4536629c90de";
const std::string kProof(64, 'a');

template <Method M>
Result<typename M::Params> params(const std::string& text) {
    const auto value = parse_json(text);
    return decode_params<M>(&*value);
}

template <Method M>
Result<typename M::Result> result(const std::string& text) {
    return decode_result<M>(*parse_json(text));
}

template <class T>
std::string path_of(const Result<T>& bad) {
    BOOST_REQUIRE(bad.has_error());
    return std::string(bad.error().details()->at("path").as_string());
}

std::string ids(std::string_view rest = "") {
    return R"({"rotation_id":")" + kRotation + R"(","generation":2)" + std::string(rest) + "}";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(methods_tests)

BOOST_AUTO_TEST_CASE(hello_is_read_also_from_newer_agents) {
    const std::string held =
        R"({"generation":1,"rotation_id":")" + kRotation + R"(","state":"confirmed","newer":1})";
    const std::string text =
        R"({"version":"1","hostname":"h","os":"linux","boot_id":"b","tokens_held":[)" + held +
        R"(],"methods":["backup.run"],"newer":{}})";
    const auto hello = params<AgentHello>(text);
    BOOST_REQUIRE(hello.has_value());
    BOOST_TEST((hello->tokens_held.at(0).state == TokenState::confirmed));
    BOOST_TEST(hello->methods.at(0) == "backup.run");
    BOOST_TEST(path_of(params<AgentHello>("{}")) == "version");
    BOOST_TEST(
        path_of(params<AgentHello>(
            R"({"version":"1","hostname":"h","os":"l","boot_id":"b","tokens_held":[{}],"methods":[]})")) ==
        "tokens_held[0].generation");
}

BOOST_AUTO_TEST_CASE(welcome_and_the_answer_to_hello_share_their_fields) {
    const std::string fields = R"("agent_id":")" + kAgent +
                               R"(","name":"a","generation":1,"rotation_id":")" + kRotation +
                               R"(","server_time":"2026-11-21T00:00:00.000Z",)"
                               R"("heartbeat_seconds":30,"settings":{"log_level":"info"}})";
    const auto welcome = params<AgentWelcome>("{" + fields);
    BOOST_REQUIRE(welcome.has_value());
    BOOST_TEST(encode(*welcome) == "{" + fields);
    const auto answer = result<AgentHello>(R"({"status":"ok",)" + fields);
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->welcome.heartbeat_seconds == 30);
    BOOST_TEST(encode(*answer) == R"({"status":"ok",)" + fields);
}

BOOST_AUTO_TEST_CASE(heartbeats_are_strict) {
    const std::string text = R"({"status":"ok","uptime_seconds":5,"generation":1)";
    BOOST_TEST(params<AgentHeartbeat>(text + "}").has_value());
    BOOST_TEST(path_of(params<AgentHeartbeat>(text + R"(,"load":1})")) == "load");
    BOOST_TEST(path_of(params<AgentHeartbeat>(
                   R"({"status":"ok","uptime_seconds":-5,"generation":1})")) == "uptime_seconds");
    BOOST_TEST(encode(AgentHeartbeat::Result{Time{}}) ==
               R"({"server_time":"1970-01-01T00:00:00.000Z"})");
}

BOOST_AUTO_TEST_CASE(a_recovery_is_read_also_from_newer_agents) {
    const std::string signature(86, 'A');
    const auto read = [](const std::string& rest) {
        return decode_text<RecoverParams>(
            R"({"agent_id":"any","challenge":"c","newest_held":0,"newer":1)" + rest + "}",
            UnknownFields::ignore);
    };
    const auto bare = read(R"(,"signature":")" + signature + "\"");
    BOOST_REQUIRE(bare.has_value());
    BOOST_TEST(bare->newest_held == 0U);
    BOOST_TEST(!bare->token.has_value());
    const auto full = read(R"(,"token":"rka_x","signature":")" + signature + "\"");
    BOOST_REQUIRE(full.has_value());
    BOOST_TEST(full->token->expose() == "rka_x");
    BOOST_TEST(path_of(read(R"(,"signature":"short")")) == "signature");
    BOOST_TEST(path_of(read("")) == "signature");
    BOOST_TEST(decode_text<RecoverChallengeParams>(R"({"agent_id":"any","newer":1})",
                                                   UnknownFields::ignore)
                   .has_value());
}

BOOST_AUTO_TEST_CASE(an_offer_is_read_by_older_agents) {
    const auto offer = params<AgentRotate>(ids(
        R"(,"token":"rka_x","expires_at":"2026-11-28T00:00:00Z","grace_period_seconds":300,"new":1)"));
    BOOST_REQUIRE(offer.has_value());
    BOOST_TEST(offer->token.expose() == "rka_x");
    BOOST_TEST(offer->generation == 2U);
}

BOOST_AUTO_TEST_CASE(an_answer_to_an_offer_has_a_proof_or_a_reason) {
    const auto complete =
        result<AgentRotate>(ids(R"(,"status":"rotation_complete","proof":")" + kProof + "\""));
    BOOST_REQUIRE(complete.has_value());
    BOOST_TEST(*complete->proof == kProof);
    const auto failed = result<AgentRotate>(ids(
        R"(,"status":"rotation_failed","reason":"stale_generation","detail":"d","newest_held":9)"));
    BOOST_REQUIRE(failed.has_value());
    BOOST_TEST((failed->reason == RotationFailure::stale_generation));
    BOOST_TEST(*failed->newest_held == 9U);

    BOOST_TEST(path_of(result<AgentRotate>(ids(R"(,"status":"rotation_complete")"))) == "proof");
    BOOST_TEST(path_of(result<AgentRotate>(ids(R"(,"status":"rotation_failed")"))) == "reason");
    BOOST_TEST(path_of(result<AgentRotate>(ids(R"(,"status":"ok")"))) == "status");
    BOOST_TEST(path_of(result<AgentRotate>(ids())) == "status");
    BOOST_TEST(path_of(result<AgentRotate>(ids(R"(,"status":"rotation_complete","proof":"AA")"))) ==
               "proof");
    // An error inside a result is no success.
    BOOST_TEST(result<AgentRotate>(R"({"error":"disk full"})").has_error());
    BOOST_TEST(result<AgentRotate>(R"("rotation_complete")").has_error());
}

BOOST_AUTO_TEST_CASE(a_commit_is_answered_by_activated_alone) {
    BOOST_TEST(params<AgentCommit>(ids(R"(,"new":1)")).has_value());
    BOOST_TEST(result<AgentCommit>(ids(R"(,"status":"activated")")).has_value());
    BOOST_TEST(path_of(result<AgentCommit>(ids(R"(,"status":"ok")"))) == "status");
}

BOOST_AUTO_TEST_CASE(late_completions_and_failures_are_requests_of_their_own) {
    BOOST_TEST(params<AgentRotationComplete>(ids(R"(,"proof":")" + kProof + "\"")).has_value());
    BOOST_TEST(path_of(params<AgentRotationComplete>(ids())) == "proof");
    BOOST_TEST(path_of(params<AgentRotationComplete>(
                   ids(R"(,"agent_id":"x","proof":")" + kProof + "\""))) == "agent_id");
    BOOST_TEST(
        params<AgentRotationFailed>(ids(R"(,"reason":"disk_full","detail":"d")")).has_value());
    BOOST_TEST(path_of(params<AgentRotationFailed>(ids(R"(,"reason":"tired")"))) == "reason");
    BOOST_TEST(encode(AgentRotationComplete::Result{Committed::committed, 2}) ==
               R"({"status":"committed","generation":2})");
    BOOST_TEST(encode(AgentRotationFailed::Result{}) == R"({"status":"noted"})");
}

BOOST_AUTO_TEST_CASE(the_rest_of_the_socket) {
    BOOST_TEST(params<AgentPing>("{}").has_value());
    BOOST_TEST(result<AgentPing>(R"({"status":"ok","uptime_seconds":1,"nonce":"n"})").has_value());
    BOOST_TEST(
        params<AgentConfigure>(R"({"settings":{"heartbeat_seconds":10,"path":"/x"}})").has_value());
    BOOST_TEST(path_of(params<AgentConfigure>(R"({"settings":{"heartbeat_seconds":1}})")) ==
               "settings.heartbeat_seconds");
    BOOST_TEST(params<AgentReconnect>(R"({"after_ms":250})")->after_ms == 250);
    BOOST_TEST(decode_params<AgentKeyStatus>(nullptr).has_value());
    BOOST_TEST(path_of(params<AgentKeyStatus>(R"({"x":1})")) == "x");
    BOOST_TEST(params<AgentRotateKey>(R"({"reason":"old"})").has_value());
    BOOST_TEST(params<AgentShutdown>(R"({"reason":"update","restart":true})")->restart);
}

BOOST_AUTO_TEST_CASE(enrollment_checks_the_form_of_keys_not_of_codes) {
    const std::string key(43, 'A');
    const std::string signature(86, 'A');
    const auto body = [&](const std::string& public_key, const std::string& sign) {
        return R"({"code":"mistyped","public_key":")" + public_key + R"(","signature":")" + sign +
               R"(","hostname":"h","version":"1","newer":true})";
    };
    // A mistyped code is an unknown credential, which only the handler can say.
    BOOST_TEST(decode_text<EnrollParams>(body(key, signature), UnknownFields::ignore).has_value());
    BOOST_TEST(path_of(decode_text<EnrollParams>(body("short", signature),
                                                 UnknownFields::ignore)) == "public_key");
    BOOST_TEST(path_of(decode_text<EnrollParams>(body(key, key), UnknownFields::ignore)) ==
               "signature");
}

BOOST_AUTO_TEST_CASE(agents_are_created_by_name) {
    const auto full = params<AgentsCreate>(
        R"({"name":"web-1","type":"daemon","owner":"ops","labels":{"env":"prod"},"metadata":{"a":[1]}})");
    BOOST_REQUIRE(full.has_value());
    BOOST_TEST(full->labels.at("env") == "prod");
    const auto plain = params<AgentsCreate>(R"({"name":"web-1"})");
    BOOST_REQUIRE(plain.has_value());
    BOOST_TEST(plain->type == "agent");
    BOOST_TEST(path_of(params<AgentsCreate>("{}")) == "name");
    BOOST_TEST(path_of(params<AgentsCreate>(R"({"name":"Web 1"})")) == "name");
    BOOST_TEST(path_of(params<AgentsCreate>(R"({"name":"a","lables":{}})")) == "lables");
    BOOST_TEST(path_of(params<AgentsCreate>(R"({"name":"a","labels":{"env":1}})")) == "labels.env");
    BOOST_TEST(path_of(params<AgentsCreate>(R"({"name":"a","metadata":{"k":")" +
                                            std::string(limits::kMetadataBytes, 'x') + "\"}}")) ==
               "metadata");
}

BOOST_AUTO_TEST_CASE(pages_have_limits) {
    BOOST_TEST(params<AgentsList>("{}")->limit == 100);
    BOOST_TEST(
        params<AgentsList>(R"({"limit":500,"status":"active","connected":true})").has_value());
    BOOST_TEST(path_of(params<AgentsList>(R"({"limit":501})")) == "limit");
    BOOST_TEST(path_of(params<AgentsList>(R"({"limit":0})")) == "limit");
    BOOST_TEST(path_of(params<AuditQuery>(R"({"agent_id":"x"})")) == "agent_id");
    BOOST_TEST(params<AuditQuery>(R"({"action":"rotation.*","cursor":"17"})").has_value());
}

BOOST_AUTO_TEST_CASE(details_of_an_agent_stand_beside_its_summary) {
    AgentDetail detail;
    detail.summary.agent_id = kAgent;
    detail.summary.name = "web-1";
    detail.summary.type = "daemon";
    detail.summary.pending = PendingRotation{kRotation, 3};
    const std::string text = encode(detail);
    BOOST_TEST(text.starts_with(R"({"agent_id":")" + kAgent + R"(","name":"web-1")"));
    BOOST_TEST(text.find(R"("pending":{"rotation_id":")" + kRotation + R"(","generation":3})") !=
               std::string::npos);
    BOOST_TEST(text.find("session") == std::string::npos);
    BOOST_TEST(result<AgentsGet>(text).has_value());
    BOOST_TEST(result<AgentsSuspend>(text).has_value());
}

BOOST_AUTO_TEST_CASE(a_rotation_starts_for_one_some_or_all) {
    const std::string one = R"("agent_id":")" + kAgent + "\"";
    const std::string some = R"("agent_ids":[")" + kAgent + "\"]";
    BOOST_TEST(params<RotationsStart>("{" + one + R"(,"force":true})")->force);
    BOOST_TEST(params<RotationsStart>("{" + some + "}").has_value());
    BOOST_TEST(params<RotationsStart>(R"({"all":true})").has_value());
    for (const std::string& text :
         {std::string("{}"), fmt::format("{{{},{}}}", one, some),
          fmt::format(R"({{{},"all":true}})", one), std::string(R"({"all":false})")})
        BOOST_TEST(path_of(params<RotationsStart>(text)) == "agent_id");
    BOOST_TEST(path_of(params<RotationsStart>(R"({"agent_ids":[")" + kAgent + R"(",7]})")) ==
               "agent_ids[1]");
    std::string many = R"({"agent_ids":[")" + kAgent + "\"";
    for (std::size_t i = 0; i < limits::kAgentsARequest; ++i) many += ",\"" + kAgent + "\"";
    BOOST_TEST(path_of(params<RotationsStart>(many + "]}")) == "agent_ids");

    RotationsStart::Result offline;
    offline.agent_id = kAgent;
    offline.status = RotationStatus::at_next_connect;
    BOOST_TEST(encode(offline) == R"({"agent_id":")" + kAgent + R"(","status":"at_next_connect"})");
}

BOOST_AUTO_TEST_CASE(a_rotation_is_cancelled_by_one_of_two_ids) {
    BOOST_TEST(params<RotationsCancel>(R"({"rotation_id":")" + kRotation + "\"}").has_value());
    BOOST_TEST(params<RotationsCancel>(R"({"agent_id":")" + kAgent + "\"}").has_value());
    BOOST_TEST(path_of(params<RotationsCancel>("{}")) == "rotation_id");
    BOOST_TEST(params<RotationsList>(R"({"status":"failing"})").has_value());
    BOOST_TEST(path_of(params<RotationsGet>("{}")) == "rotation_id");
}

BOOST_AUTO_TEST_CASE(settings_travel_as_an_object) {
    BOOST_TEST(params<SettingsSet>(R"({"settings":{"heartbeat_seconds":10}})").has_value());
    BOOST_TEST(path_of(params<SettingsSet>(R"({"heartbeat_seconds":10})")) == "settings");
    SettingsView view;
    view.settings = {{"heartbeat_seconds", 10}};
    view.sources = {{"heartbeat_seconds", SettingSource::preset}};
    BOOST_TEST(encode(view) == R"({"settings":{"heartbeat_seconds":10},)"
                               R"("sources":{"heartbeat_seconds":"default"}})");
}

BOOST_AUTO_TEST_SUITE_END()
