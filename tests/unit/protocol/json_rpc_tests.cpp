#include "protocol/errors.hpp"
#include "protocol/json_rpc.hpp"
#include "protocol/methods/agent_requests.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::protocol;

namespace {

// Keeps the document that the message looks into.
struct Read {
    explicit Read(std::string_view text)
        : document(*parse_json(text)), message(read_message(document)) {}
    boost::json::value document;
    Message message;

    [[nodiscard]] const Request& request() const { return std::get<Request>(message); }
    [[nodiscard]] const Response& response() const { return std::get<Response>(message); }
    [[nodiscard]] const InvalidMessage& invalid() const {
        return std::get<InvalidMessage>(message);
    }
};

void invalid(std::string_view text, std::string_view id) {
    BOOST_TEST_CONTEXT(text) {
        const Read read(text);
        BOOST_REQUIRE(std::holds_alternative<InvalidMessage>(read.message));
        BOOST_TEST((read.invalid().error.code() == Code::invalid_request));
        BOOST_TEST(read.invalid().id.json == id);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(json_rpc_tests)

BOOST_AUTO_TEST_CASE(ids_come_back_as_they_were) {
    for (const std::string_view id :
         {"1", "-7", "0", "\"a\"", "\"\"", "null", "1.5", "9007199254740993",
          "18446744073709551615", "\"quote \\\" and \\\\\"", "\"\xc3\xa9\""}) {
        const Read read(R"({"jsonrpc":"2.0","method":"m","id":)" + std::string(id) + "}");
        BOOST_TEST_CONTEXT(id) {
            BOOST_REQUIRE(read.request().id.has_value());
            BOOST_TEST(read.request().id->json == id);
        }
    }
    BOOST_TEST(!Read(R"({"jsonrpc":"2.0","method":"m"})").request().id.has_value());
}

BOOST_AUTO_TEST_CASE(an_id_of_another_type_or_without_end_is_refused) {
    for (const std::string_view id : {"true", "[]", "[1]", "{}"})
        invalid(R"({"jsonrpc":"2.0","method":"m","id":)" + std::string(id) + "}", "null");
    const std::string fits(limits::kRequestIdBytes - 2, 'x');
    BOOST_TEST(Read(R"({"jsonrpc":"2.0","method":"m","id":")" + fits + "\"}").request().id->json ==
               "\"" + fits + "\"");
    invalid(R"({"jsonrpc":"2.0","method":"m","id":"x)" + fits + "\"}", "null");
}

BOOST_AUTO_TEST_CASE(the_version_is_exactly_2_0) {
    for (const std::string_view version : {"\"1.0\"", "2.0", "2", "null", "\"2\""})
        invalid(R"({"jsonrpc":)" + std::string(version) + R"(,"method":"m","id":3})", "3");
    invalid(R"({"method":"m","id":"a"})", "\"a\"");
    invalid(R"({"method":"m"})", "null");
}

BOOST_AUTO_TEST_CASE(method_and_params_have_their_types) {
    for (const std::string_view method : {"1", "null", "[]", "{}", "true"})
        invalid(R"({"jsonrpc":"2.0","id":1,"method":)" + std::string(method) + "}", "1");
    for (const std::string_view params : {"1", "null", "\"x\"", "true"})
        invalid(R"({"jsonrpc":"2.0","id":1,"method":"m","params":)" + std::string(params) + "}",
                "1");
    const Read array(R"({"jsonrpc":"2.0","id":1,"method":"m","params":[1]})");
    BOOST_TEST(array.request().params->is_array());
    BOOST_TEST(Read(R"({"jsonrpc":"2.0","id":1,"method":"m"})").request().params == nullptr);
}

BOOST_AUTO_TEST_CASE(what_is_no_envelope_is_refused_with_id_null) {
    for (const std::string_view text : {"1", "\"x\"", "null", "true", "{}", R"({"jsonrpc":"2.0"})",
                                        "[]", "[1]", R"([{"jsonrpc":"2.0","method":"m","id":1}])"})
        invalid(text, "null");
    invalid(R"({"jsonrpc":"2.0","id":4})", "4");
}

BOOST_AUTO_TEST_CASE(unknown_members_are_ignored_and_the_last_duplicate_wins) {
    const Read read(R"({"jsonrpc":"2.0","method":"a","method":"b","id":1,"id":2,"trace":{"x":1}})");
    BOOST_TEST(read.request().method == "b");
    BOOST_TEST(read.request().id->json == "2");
}

BOOST_AUTO_TEST_CASE(responses_are_told_from_requests_and_never_answered) {
    const Read result(R"({"jsonrpc":"2.0","id":7,"result":{"status":"ok"}})");
    BOOST_TEST(*result.response().id == 7);
    BOOST_TEST(result.response().result->at("status").as_string() == "ok");
    BOOST_TEST(result.response().error == nullptr);

    const Read null_result(R"({"jsonrpc":"2.0","id":7,"result":null})");
    BOOST_TEST(null_result.response().result->is_null());

    const Read error(R"({"jsonrpc":"2.0","id":8.0,"error":{"code":-32601,"message":"no"}})");
    BOOST_TEST(*error.response().id == 8);
    BOOST_TEST(error.response().result == nullptr);
    BOOST_TEST((error_from_json_rpc(*error.response().error).code() == Code::method_not_found));

    const Read anonymous(R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}})");
    BOOST_TEST(!anonymous.response().id.has_value());
    BOOST_TEST(!anonymous.response().malformed());
}

BOOST_AUTO_TEST_CASE(libraries_that_write_both_members_with_a_null_are_understood) {
    const Read result(R"({"jsonrpc":"2.0","id":7,"result":{"a":1},"error":null})");
    BOOST_TEST(!result.response().malformed());
    BOOST_TEST(result.response().error == nullptr);
    const Read error(R"({"jsonrpc":"2.0","id":7,"result":null,"error":{"code":1,"message":""}})");
    BOOST_TEST(error.response().result == nullptr);
    BOOST_TEST(error.response().error != nullptr);
}

BOOST_AUTO_TEST_CASE(malformed_responses_are_no_answer) {
    for (const std::string_view text :
         {R"({"id":7,"result":{}})", R"({"jsonrpc":"1.0","id":7,"result":{}})",
          R"({"jsonrpc":"2.0","id":7,"result":{},"error":{}})",
          R"({"jsonrpc":"2.0","id":7,"error":"text"})",
          R"({"jsonrpc":"2.0","id":7,"error":null})"}) {
        const Read read(text);
        BOOST_TEST_CONTEXT(text) {
            BOOST_TEST(read.response().malformed());
            BOOST_TEST(*read.response().id == 7);
        }
    }
    for (const std::string_view id : {"\"7\"", "null", "7.5", "1e300", "[7]"})
        BOOST_TEST(!Read(R"({"jsonrpc":"2.0","result":1,"id":)" + std::string(id) + "}")
                        .response()
                        .id.has_value());
}

BOOST_AUTO_TEST_CASE(batches_have_one_to_32_entries) {
    BOOST_TEST(read_batch(*parse_json("{}")).has_error());
    BOOST_TEST(read_batch(*parse_json("[]")).has_error());
    const auto of_size = [](std::size_t size) {
        std::string text = "[1";
        for (std::size_t i = 1; i < size; ++i) text += ",1";
        return *parse_json(text + "]");
    };
    const auto largest = of_size(limits::kBatchEntries);
    BOOST_REQUIRE(read_batch(largest).has_value());
    BOOST_TEST((*read_batch(largest))->size() == limits::kBatchEntries);
    const auto larger = read_batch(of_size(limits::kBatchEntries + 1));
    BOOST_REQUIRE(larger.has_error());
    BOOST_TEST((larger.error().code() == Code::invalid_request));
    BOOST_TEST(join_batch({}) == "");
    BOOST_TEST(join_batch({"1"}) == "[1]");
    BOOST_TEST(join_batch({"1", "2"}) == "[1,2]");
}

BOOST_AUTO_TEST_CASE(builders_append_what_reading_understands) {
    std::string out;
    append_request(out, 5, "agent.ping", "{}");
    BOOST_TEST(out == R"({"jsonrpc":"2.0","id":5,"method":"agent.ping","params":{}})");
    out.clear();
    append_request(out, 5, "a\"b", std::string_view());
    BOOST_TEST(out == R"({"jsonrpc":"2.0","id":5,"method":"a\"b"})");
    out.clear();
    append_notification(out, "m", "[1]");
    BOOST_TEST(out == R"({"jsonrpc":"2.0","method":"m","params":[1]})");
    out.clear();
    append_result(out, RequestId{"\"x\""}, "null");
    BOOST_TEST(out == R"({"jsonrpc":"2.0","id":"x","result":null})");
    out.clear();
    AgentPing::Params ping;
    ping.nonce = "n";
    append_request(out, 6, AgentPing::name, ping);
    BOOST_TEST(out == R"({"jsonrpc":"2.0","id":6,"method":"agent.ping","params":{"nonce":"n"}})");
    out.clear();
    append_notification(out, "m", Nothing{});
    BOOST_TEST(out == R"({"jsonrpc":"2.0","method":"m","params":{}})");
    out.clear();
    append_result(out, RequestId{"1"}, OkAnswer{});
    BOOST_TEST(out == R"({"jsonrpc":"2.0","id":1,"result":{"status":"ok"}})");
    out.clear();
    append_error(out, null_id(), Error(Code::not_found, "no agent"));
    BOOST_TEST(out == R"({"jsonrpc":"2.0","id":null,"error":{"code":-32010,"message":"no agent",)"
                      R"("data":{"name":"not_found","message":"no agent","retry":"never"}}})");
}

BOOST_AUTO_TEST_SUITE_END()
