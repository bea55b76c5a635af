// The examples of https://www.jsonrpc.org/specification, section 7, one by one, with a catalog of
// its methods. Our errors have `data` beside what the specification shows; it is left out of the
// comparison.
#include "protocol/errors.hpp"
#include "protocol/json_rpc.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <vector>

using namespace rekey;
using namespace rekey::protocol;
namespace json = boost::json;

namespace {

struct SubtractParams {
    std::int64_t subtrahend = 0;
    std::int64_t minuend = 0;
    static constexpr auto fields() {
        constexpr Rule kAny{.min = -1000};
        return std::tuple{field("subtrahend", &SubtractParams::subtrahend, "", kAny),
                          field("minuend", &SubtractParams::minuend, "", kAny)};
    }
};

// The methods that the examples name. By position or by name, as each example has it.
Result<std::string> call(const Request& request) {
    const auto number = [&](std::size_t i) { return request.params->as_array().at(i).as_int64(); };
    if (request.method == "subtract" && request.params->is_array())
        return std::to_string(number(0) - number(1));
    if (request.method == "subtract") {
        REKEY_TRY_ASSIGN(params, decode<SubtractParams>(request.params, UnknownFields::refuse));
        return std::to_string(params.minuend - params.subtrahend);
    }
    if (request.method == "sum") return std::to_string(number(0) + number(1) + number(2));
    if (request.method == "get_data") return std::string(R"(["hello",5])");
    if (request.method == "update" || request.method == "notify_hello" ||
        request.method == "notify_sum")
        return std::string("null");
    return Error(Code::method_not_found, "no method of this name");
}

// One entry's answer; empty for none.
std::string answer_entry(const json::value& entry) {
    std::string out;
    const Message message = read_message(entry);
    if (const auto* invalid = std::get_if<InvalidMessage>(&message)) {
        append_error(out, invalid->id, invalid->error);
    } else if (const auto* request = std::get_if<Request>(&message)) {
        const auto result = call(*request);
        if (!request->id) return out;
        if (result.has_error())
            append_error(out, *request->id, result.error());
        else
            append_result(out, *request->id, *result);
    }
    return out;
}

std::string answer(std::string_view text) {
    std::string out;
    const auto document = parse_json(text);
    if (document.has_error()) {
        append_error(out, null_id(), document.error());
        return out;
    }
    if (!document->is_array()) return answer_entry(*document);
    const auto batch = read_batch(*document);
    if (batch.has_error()) {
        append_error(out, null_id(), batch.error());
        return out;
    }
    std::vector<std::string> answers;
    for (const json::value& entry : **batch)
        if (std::string one = answer_entry(entry); !one.empty()) answers.push_back(std::move(one));
    return join_batch(answers);
}

void drop_data(json::value& value) {
    if (value.is_array())
        for (json::value& item : value.get_array()) drop_data(item);
    else if (auto* error = value.as_object().if_contains("error"))
        BOOST_TEST(error->as_object().erase("data") == 1U);
}

void example(std::string_view sent, std::string_view expected) {
    BOOST_TEST_CONTEXT(sent) {
        json::value got = json::parse(answer(sent));
        drop_data(got);
        BOOST_TEST(got == json::parse(expected));
    }
}

void silent(std::string_view sent) {
    BOOST_TEST_CONTEXT(sent) { BOOST_TEST(answer(sent) == ""); }
}

constexpr std::string_view kInvalid =
    R"({"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null})";
constexpr std::string_view kParseError =
    R"({"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null})";

}  // namespace

BOOST_AUTO_TEST_SUITE(json_rpc_specification_tests)

BOOST_AUTO_TEST_CASE(rpc_call_with_positional_parameters) {
    example(R"({"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1})",
            R"({"jsonrpc": "2.0", "result": 19, "id": 1})");
    example(R"({"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2})",
            R"({"jsonrpc": "2.0", "result": -19, "id": 2})");
}

BOOST_AUTO_TEST_CASE(rpc_call_with_named_parameters) {
    example(
        R"({"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3})",
        R"({"jsonrpc": "2.0", "result": 19, "id": 3})");
    example(
        R"({"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4})",
        R"({"jsonrpc": "2.0", "result": 19, "id": 4})");
}

BOOST_AUTO_TEST_CASE(a_notification) {
    silent(R"({"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]})");
    silent(R"({"jsonrpc": "2.0", "method": "foobar"})");
}

BOOST_AUTO_TEST_CASE(rpc_call_of_non_existent_method) {
    example(
        R"({"jsonrpc": "2.0", "method": "foobar", "id": "1"})",
        R"({"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "1"})");
}

BOOST_AUTO_TEST_CASE(rpc_call_with_invalid_json) {
    example(R"({"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz])", kParseError);
}

BOOST_AUTO_TEST_CASE(rpc_call_with_invalid_request_object) {
    example(R"({"jsonrpc": "2.0", "method": 1, "params": "bar"})", kInvalid);
}

BOOST_AUTO_TEST_CASE(rpc_call_batch_invalid_json) {
    example(R"([
  {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
  {"jsonrpc": "2.0", "method"
])",
            kParseError);
}

BOOST_AUTO_TEST_CASE(rpc_call_with_an_empty_array) { example("[]", kInvalid); }

BOOST_AUTO_TEST_CASE(rpc_call_with_an_invalid_batch_but_not_empty) {
    example("[1]", "[" + std::string(kInvalid) + "]");
}

BOOST_AUTO_TEST_CASE(rpc_call_with_invalid_batch) {
    const std::string one(kInvalid);
    example("[1,2,3]", "[" + one + "," + one + "," + one + "]");
}

BOOST_AUTO_TEST_CASE(rpc_call_batch) {
    example(R"([
        {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
        {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
        {"foo": "boo"},
        {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
        {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
    ])",
            R"([
        {"jsonrpc": "2.0", "result": 7, "id": "1"},
        {"jsonrpc": "2.0", "result": 19, "id": "2"},
        {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null},
        {"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "5"},
        {"jsonrpc": "2.0", "result": ["hello", 5], "id": "9"}
    ])");
}

BOOST_AUTO_TEST_CASE(rpc_call_batch_all_notifications) {
    silent(R"([
        {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}
    ])");
}

BOOST_AUTO_TEST_SUITE_END()
