#include "agent/state.hpp"
#include "fakes.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::agent;
using namespace rekey::agent::test;

namespace {

std::string text_of(const AgentState& state) { return std::string(encode_state(state).expose()); }

// The encoded state with one piece of text replaced.
std::string with(const std::string& from, const std::string& to) {
    std::string text = text_of(state_with({held(1, kConfirmed), held(2, kCandidate)}));
    const auto at = text.find(from);
    BOOST_REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

std::string refused(const std::string& text) {
    const auto state = decode_state(Secret(text));
    BOOST_REQUIRE(state.has_error());
    BOOST_TEST((state.error().code() == Code::corrupt));
    BOOST_TEST(state.error().message().find("token-") == std::string::npos);
    return state.error().message();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(state_tests)

BOOST_AUTO_TEST_CASE(what_is_written_is_what_is_read) {
    AgentState state = state_with({held(7, kConfirmed), held(8, kCandidate)});
    state.identity_public_key = std::string(43, 'A');
    state.enrolled_code_sha256 = std::string(64, 'a');
    for (const protocol::ServerTrust& trust :
         {protocol::ServerTrust(protocol::PinnedCa{Bytes32{1, 2, 3}}),
          protocol::ServerTrust(protocol::SystemCa{}),
          protocol::ServerTrust(protocol::PlainLoopback{})}) {
        state.server.trust = trust;
        BOOST_TEST((decode_state(encode_state(state)).value() == state));
    }
    BOOST_TEST((decode_state(encode_state(state_with({held(1, kConfirmed)}))).value() ==
                state_with({held(1, kConfirmed)})));
}

BOOST_AUTO_TEST_CASE(anything_else_is_damaged_and_never_not_enrolled) {  // A5
    const std::string whole = text_of(state_with({held(1, kConfirmed), held(2, kCandidate)}));
    for (std::size_t length = 0; length + 2 < whole.size(); ++length)  // torn at any byte
        refused(whole.substr(0, length));
    refused("[]");
    refused("{}");
    refused("null");
    refused(std::string(1000, '\0'));
    refused(with("\"token-1\"", "\"\""));
    refused(with("\"token-1\"", "7"));
    refused(with("\"generation\":2", "\"generation\":1"));
    refused(with("\"generation\":1", "\"generation\":3"));
    refused(with("\"generation\":1", "\"generation\":0"));
    refused(with("\"state\":\"confirmed\"", "\"state\":\"candidate\""));
    refused(with("\"state\":\"confirmed\"", "\"state\":\"maybe\""));
    refused(with(uuid(2), uuid(1)));
    refused(with("\"trust\":\"system\"", "\"trust\":\"nobody\""));
    refused(with("\"port\":7443", "\"port\":0"));
    refused(with("\"agent_id\"", "\"agent\""));
    refused(with("\"format\":1", "\"format\":\"1\""));
}

BOOST_AUTO_TEST_CASE(a_newer_format_says_that_it_is_newer) {
    BOOST_TEST(refused(with("\"format\":1", "\"format\":2,\"shape\":{}")).find("newer") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_unknown_field_is_refused_because_writing_would_lose_it) {
    refused(with("\"format\":1", "\"format\":1,\"extra\":true"));
}

BOOST_AUTO_TEST_CASE(no_tokens_or_too_many_are_refused) {
    const std::string whole = text_of(state_with({held(1, kConfirmed)}));
    const auto begin = whole.find("\"tokens\":[") + 10;
    const auto end = whole.find(']', begin);
    refused(whole.substr(0, begin) + whole.substr(end));
    const std::string two = text_of(state_with({held(1, kConfirmed), held(2, kConfirmed)}));
    const auto list = two.find("\"tokens\":[") + 10;
    std::string third = whole.substr(begin, end - begin);
    third.replace(third.find("\"generation\":1"), 14, "\"generation\":9");
    third.replace(third.find(uuid(1)), 36, uuid(9));
    refused(std::string(two).insert(two.find(']', list), "," + third));
}

BOOST_AUTO_TEST_CASE(addresses_are_shown_as_they_are_typed) {
    BOOST_TEST(to_string(ServerAddress{"::1", 7443, protocol::SystemCa{}}) == "[::1]:7443");
    BOOST_TEST(to_string(ServerAddress{"a.example", 1, protocol::SystemCa{}}) == "a.example:1");
}

BOOST_AUTO_TEST_SUITE_END()
