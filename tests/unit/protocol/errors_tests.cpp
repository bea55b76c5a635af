#include "base/encoding.hpp"
#include "base/limits.hpp"
#include "protocol/errors.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <set>

using namespace rekey;
using namespace rekey::protocol;
namespace json = boost::json;

namespace {

struct Expected {
    Code code;
    std::string_view name;
    unsigned http;
    int json_rpc;
    Retry retry;
};

// docs/protocol.md, "Refusals".
constexpr Expected kContract[] = {
    {Code::unknown_credential, "unknown_credential", 401, -32001, Retry::later},
    {Code::token_expired, "token_expired", 401, -32002, Retry::never},
    {Code::agent_suspended, "agent_suspended", 403, -32003, Retry::later},
    {Code::agent_revoked, "agent_revoked", 403, -32004, Retry::never},
    {Code::permission_denied, "permission_denied", 403, -32005, Retry::never},
    {Code::not_found, "not_found", 404, -32010, Retry::never},
    {Code::conflict, "conflict", 409, -32011, Retry::never},
    {Code::already_exists, "already_exists", 409, -32012, Retry::never},
    {Code::wrong_state, "wrong_state", 409, -32013, Retry::later},
    {Code::rate_limited, "rate_limited", 429, -32020, Retry::later},
    {Code::agent_offline, "agent_offline", 409, -32030, Retry::later},
    {Code::agent_timeout, "agent_timeout", 504, -32031, Retry::later},
    {Code::unavailable, "unavailable", 503, -32040, Retry::later},
    {Code::overloaded, "overloaded", 503, -32041, Retry::later},
    {Code::invalid_params, "invalid_params", 422, -32602, Retry::never},
    {Code::invalid_request, "invalid_request", 400, -32600, Retry::never},
    {Code::parse_error, "parse_error", 400, -32700, Retry::never},
    {Code::method_not_found, "method_not_found", 404, -32601, Retry::never},
    {Code::internal, "internal", 500, -32603, Retry::later},
    {Code::corrupt, "internal", 500, -32603, Retry::later},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(errors_tests)

BOOST_AUTO_TEST_CASE(the_table_is_the_contracts) {
    for (const Expected& expected : kContract) {
        const ErrorRow& row = error_row(expected.code);
        BOOST_TEST_CONTEXT(expected.name) {
            BOOST_TEST(row.name == expected.name);
            BOOST_TEST(row.http == expected.http);
            BOOST_TEST(row.json_rpc == expected.json_rpc);
            BOOST_TEST((row.retry == expected.retry));
            BOOST_TEST(!row.phrase.empty());
            if (expected.code != Code::corrupt)
                BOOST_TEST((code_from_name(expected.name) == expected.code));
        }
    }
    BOOST_TEST(!code_from_name("corrupt").has_value());
    BOOST_TEST(!code_from_name("").has_value());
}

BOOST_AUTO_TEST_CASE(a_body_has_what_the_error_has) {
    BOOST_TEST(error_body_text(Error(Code::not_found, "no agent \"x\"")) ==
               R"({"name":"not_found","message":"no agent \"x\"","retry":"never"})");
    BOOST_TEST(error_body_text(Error(Code::rate_limited)
                                   .with_retry_after(std::chrono::seconds(7))
                                   .with("limit", 20)) ==
               R"({"name":"rate_limited","message":"Too many requests","retry":"later",)"
               R"("retry_after_seconds":7,"details":{"limit":20}})");
}

BOOST_AUTO_TEST_CASE(damage_is_nobody_elses_business) {
    const std::string text = error_body_text(Error(Code::corrupt, "/var/lib/rekey.db, page 7"));
    BOOST_TEST(text == R"({"name":"internal","message":"Internal error","retry":"later"})");
    const auto object = json_rpc_error(Error(Code::corrupt, "page 7"));
    BOOST_TEST(object.at("message").as_string() == "Internal error");
}

BOOST_AUTO_TEST_CASE(a_body_stays_under_one_kib_whatever_is_in_it) {
    const auto size_of = [](const Error& error) { return error_body_text(error).size(); };
    const Error long_message(Code::conflict, std::string(5000, 'm'));
    BOOST_TEST(size_of(long_message) < limits::kErrorBytes);
    // Details are kept while cutting the message is enough.
    const Error both =
        Error(Code::conflict, std::string(5000, 'm')).with("path", json::string(300, 'p'));
    BOOST_TEST(size_of(both) < limits::kErrorBytes);
    BOOST_TEST(error_body(both).contains("details"));
    BOOST_TEST(error_body(both).at("message").as_string().size() >= 128U);
    // As a last resort they go, and the message stays.
    const Error huge = Error(Code::conflict, "short").with("path", json::string(2000, 'p'));
    BOOST_TEST(!error_body(huge).contains("details"));
    BOOST_TEST(error_body(huge).at("message").as_string() == "short");
    // Each byte of this is six when escaped.
    BOOST_TEST(size_of(Error(Code::conflict, std::string(5000, '\x01'))) < limits::kErrorBytes);
    std::string accents;
    for (int i = 0; i < 2000; ++i) accents += "\xc3\xa9";
    BOOST_TEST(is_utf8(error_body_text(Error(Code::conflict, accents))));
}

BOOST_AUTO_TEST_CASE(json_rpc_errors_have_the_specifications_phrases) {
    const auto object = json_rpc_error(Error(Code::parse_error, "not JSON: incomplete"));
    BOOST_TEST(object.at("code").as_int64() == -32700);
    BOOST_TEST(object.at("message").as_string() == "Parse error");
    BOOST_TEST(object.at("data").at("message").as_string() == "not JSON: incomplete");
    BOOST_TEST(json_rpc_error(Error(Code::invalid_request, "x")).at("message").as_string() ==
               "Invalid Request");
    BOOST_TEST(json_rpc_error(Error(Code::method_not_found, "x")).at("message").as_string() ==
               "Method not found");
    BOOST_TEST(json_rpc_error(Error(Code::invalid_params, "name: expected string"))
                   .at("message")
                   .as_string() == "name: expected string");
}

BOOST_AUTO_TEST_CASE(somebody_elses_error_object_is_passed_on_as_it_came) {
    const boost::json::object own{{"code", 4711}, {"message", "no"}, {"data", {1, "two"}}};
    const Error error = Error(Code::internal, "ours").with_verbatim(own);
    BOOST_TEST((json_rpc_error(error) == own));
    BOOST_TEST(error_body(error).at("name").as_string() == "internal");
    BOOST_TEST(Error(Code::internal).verbatim() == nullptr);
}

BOOST_AUTO_TEST_CASE(clients_get_back_what_was_sent) {
    for (const Expected& expected : kContract) {
        if (expected.code == Code::corrupt) continue;
        const Error error = Error(expected.code, "why")
                                .with("path", "agents[1]")
                                .with_retry_after(std::chrono::seconds(3));
        for (const Error& back : {error_from_body(error_body(error), expected.http),
                                  error_from_json_rpc(json_rpc_error(error))}) {
            BOOST_TEST((back.code() == expected.code));
            BOOST_TEST(back.message() == "why");
            BOOST_TEST(back.details()->at("path").as_string() == "agents[1]");
            BOOST_TEST(back.retry_after()->count() == 3);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_rekeys_answer_never_costs_a_token) {
    const std::set<Code> deadly{Code::unknown_credential, Code::token_expired,
                                Code::agent_suspended, Code::agent_revoked};
    for (const std::string_view body :
         {"null", "[]", "\"<html>\"", "{}", R"({"name":7})", R"({"error":"unknown_credential"})",
          R"({"name":"new_name","retry":"never"})", R"({"name":"new_name","retry":"later"})",
          R"({"name":"new_name"})"})
        for (const unsigned status : {400U, 401U, 403U, 404U, 407U, 409U, 429U, 500U, 502U, 503U}) {
            const Error error = error_from_body(json::parse(body), status);
            BOOST_TEST_CONTEXT(body << " with " << status) {
                BOOST_TEST(!deadly.contains(error.code()));
                BOOST_TEST((status != 429 || error.code() == Code::rate_limited));
            }
        }
    // Other people's JSON-RPC servers use -32001 for what they like.
    for (const int code : {-32001, -32002, -32003, -32004, 0, 1, 401})
        BOOST_TEST(!deadly.contains(
            error_from_json_rpc(json::object{{"code", code}, {"message", "m"}}).code()));
    BOOST_TEST((error_from_json_rpc(json::value("text")).code() == Code::internal));
}

BOOST_AUTO_TEST_CASE(an_unknown_name_is_read_by_its_advice) {
    const auto code_of = [](std::string_view retry, unsigned status) {
        return error_from_body(json::object{{"name", "newer"}, {"retry", json::string(retry)}},
                               status)
            .code();
    };
    BOOST_TEST((code_of("later", 503) == Code::unavailable));
    BOOST_TEST((code_of("never", 403) == Code::permission_denied));
    BOOST_TEST((code_of("never", 404) == Code::not_found));
    BOOST_TEST((code_of("never", 409) == Code::conflict));
    BOOST_TEST((code_of("never", 422) == Code::invalid_request));
    const Error kept = error_from_body(json::parse(R"({"name":"newer","message":"m"})"), 503);
    BOOST_TEST(kept.details()->at("remote_name").as_string() == "newer");
    BOOST_TEST(kept.message() == "m");
}

BOOST_AUTO_TEST_CASE(an_absurd_wait_is_cut_to_a_day) {
    const auto wait = [](std::string_view seconds) {
        return error_from_body(json::parse(R"({"name":"overloaded","retry_after_seconds":)" +
                                           std::string(seconds) + "}"),
                               503)
            .retry_after();
    };
    BOOST_TEST(wait("9223372036854775807")->count() == 86'400);
    BOOST_TEST(!wait("-1").has_value());
    BOOST_TEST(!wait("\"5\"").has_value());
    BOOST_TEST(wait("5")->count() == 5);
}

BOOST_AUTO_TEST_SUITE_END()
