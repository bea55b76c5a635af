#include "cli/exit_code.hpp"
#include "cli/rpc_answer.hpp"

#include <boost/json/object.hpp>
#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::cli;

namespace {

Result<boost::json::value> answer(unsigned status, std::string body) {
    net::HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    return read_answer(response, 3);
}

Target target() {
    return {{"one.example", 7443}, net::Trust::system(), Secret("k"), "--server", {}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rpc_answer_tests)

BOOST_AUTO_TEST_CASE(a_result_is_handed_on_as_it_is) {
    const auto result = answer(200, R"({"jsonrpc":"2.0","id":3,"result":{"b":1,"a":[null]}})");
    BOOST_REQUIRE(result.has_value());
    BOOST_TEST((*result == boost::json::value{{"b", 1}, {"a", boost::json::array{nullptr}}}));
}

BOOST_AUTO_TEST_CASE(an_error_keeps_its_name_and_details) {
    const auto result = answer(
        200, R"({"jsonrpc":"2.0","id":3,"error":{"code":-32602,"message":"m","data":{)"
             R"("name":"invalid_params","message":"m","retry":"never","details":{"path":"p"}}}})");
    BOOST_REQUIRE(result.has_error());
    BOOST_TEST((result.error().code() == Code::invalid_params));
    BOOST_TEST(result.error().details()->at("path").as_string() == "p");
}

BOOST_AUTO_TEST_CASE(a_refusal_before_the_body_was_read_is_an_http_status) {
    const auto result =
        answer(401, R"({"name":"unknown_credential","message":"who are you","retry":"later"})");
    BOOST_REQUIRE(result.has_error());
    BOOST_TEST((result.error().code() == Code::unknown_credential));
}

BOOST_AUTO_TEST_CASE(an_agent_that_is_suspended_is_told_from_a_caller_that_is) {
    for (const std::string name : {"agent_suspended", "agent_revoked"}) {
        const std::string body = R"({"name":")" + name + R"(","message":"m","retry":"later"})";
        const auto caller = answer(403, body).error();
        BOOST_TEST((exit_code_of(caller) == ExitCode::permission));
        BOOST_TEST(error_line(caller) ==
                   "rekeyctl: " + name + ": m. Use the API key of another identity");
        const auto agent =
            answer(200, R"({"jsonrpc":"2.0","id":3,"error":{"code":-32003,"message":"m","data":)" +
                            body + "}}")
                .error();
        BOOST_TEST((exit_code_of(agent) == ExitCode::failure));
        BOOST_TEST(error_line(agent).find("API key") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_rekey_server_is_told_so) {
    const std::pair<unsigned, std::string> cases[] = {
        {200, "<html>"},
        {404, "<html>"},
        {502, "{}"},
        {200, "[]"},
        {200, R"({"jsonrpc":"2.0","id":3})"},
        {200, R"({"jsonrpc":"2.0","id":4,"result":{}})"},
        {200, R"({"jsonrpc":"2.0","method":"x"})"},
        {204, ""}};
    for (const auto& [status, body] : cases) {
        const auto result = answer(status, body);
        BOOST_REQUIRE(result.has_error());
        BOOST_TEST((result.error().code() == Code::unavailable));
        BOOST_TEST(error_line(result.error()).find("no Rekey server") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_server_that_is_not_reached_says_what_to_check) {
    const std::string line =
        error_line(not_reached(Error(Code::unavailable, "connection refused"), target()));
    BOOST_TEST(line.find("https://one.example:7443") != std::string::npos);
    BOOST_TEST(line.find("connection refused") != std::string::npos);
    BOOST_TEST(line.find("from --server") != std::string::npos);
    BOOST_TEST(line.find("--plain-http") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_server_without_tls_is_told_so) {
    const std::string line = error_line(
        not_reached(Error(Code::unavailable, "no TLS").with("reason", "no_tls"), target()));
    BOOST_TEST(line.find("spoken to with --plain-http") != std::string::npos);
    BOOST_TEST(line.find("Is rekeyd running") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_certificate_that_is_not_believed_says_which_file_or_name_to_give) {
    const auto line = [](std::string_view reason, const Target& at) {
        return error_line(not_reached(Error(Code::permission_denied, "certificate")
                                          .with("reason", boost::json::string(reason)),
                                      at));
    };
    BOOST_TEST(line("chain", target()).find("--ca-file") != std::string::npos);
    BOOST_TEST(line("name", target()).find("other names than one.example") != std::string::npos);
    BOOST_TEST(line("expired", target()).find("clocks") != std::string::npos);
    Target local = target();
    local.data_dir = "/data";
    BOOST_TEST(line("chain", local).find("/data/ca.pem") != std::string::npos);
    BOOST_TEST(
        (exit_code_of(not_reached(Error(Code::permission_denied), local)) == ExitCode::permission));
}

BOOST_AUTO_TEST_SUITE_END()
