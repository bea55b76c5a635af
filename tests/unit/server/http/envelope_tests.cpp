#include "base/limits.hpp"
#include "server/http/envelope.hpp"
#include "tests/unit/server/support/door_world.hpp"

using namespace rekey;
using namespace rekey::server;
using http::Carrier;
using rekey::server::testing::DoorWorld;

namespace {

struct Fixture : DoorWorld {
    http::EnvelopeAnswer say(std::string_view text, Carrier carrier = Carrier::post) {
        return run(http::answer_envelope(dispatcher, admin, text, carrier));
    }
    boost::json::value answer(std::string_view text, Carrier carrier = Carrier::post) {
        return rekey::server::testing::parse(say(text, carrier).text);
    }
    static std::string error_name(const boost::json::value& answer) {
        return std::string(answer.at("error").at("data").at("name").as_string());
    }
};

constexpr std::string_view kInfo = R"({"jsonrpc":"2.0","id":7,"method":"system.info"})";
constexpr std::string_view kNotified = R"({"jsonrpc":"2.0","method":"system.info"})";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(envelope_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_request_is_answered_under_its_id_and_a_notification_is_not) {
    BOOST_TEST(answer(kInfo).at("id").as_int64() == 7);
    BOOST_TEST(answer(kInfo).as_object().contains("result"));
    BOOST_TEST(say(kNotified).text.empty());
    BOOST_TEST(say(R"({"jsonrpc":"2.0","id":1,"result":{}})").text.empty());
    BOOST_TEST(observed.size() == 3U);
}

BOOST_AUTO_TEST_CASE(text_that_is_no_json_is_told_apart) {
    const auto broken = say("{");
    BOOST_TEST(broken.parse_failed);
    const auto told = rekey::server::testing::parse(broken.text);
    BOOST_TEST(error_name(told) == "parse_error");
    BOOST_TEST(told.at("id").is_null());
    const auto invalid = say("7");
    BOOST_TEST(!invalid.parse_failed);
    BOOST_TEST(error_name(rekey::server::testing::parse(invalid.text)) == "invalid_request");
}

BOOST_AUTO_TEST_CASE(batches_are_for_post_only) {
    const std::string two = "[" + std::string(kInfo) + "," + std::string(kNotified) + ",1]";
    const auto together = answer(two);
    BOOST_REQUIRE(together.is_array());
    BOOST_TEST(together.as_array().size() == 2U);
    BOOST_TEST(say("[" + std::string(kNotified) + "]").text.empty());
    BOOST_TEST(error_name(answer("[]")) == "invalid_request");
    BOOST_TEST(error_name(answer(two, Carrier::socket)) == "invalid_request");
}

BOOST_AUTO_TEST_CASE(an_answer_that_no_socket_carries_says_what_to_do) {
    for (int i = 0; i < 40; ++i) {
        boost::json::object metadata{{"text", std::string(200, 'x')}};
        boost::json::object labels;
        for (int label = 0; label < 8; ++label) {
            labels["label" + std::to_string(label)] = std::string(200, 'y');
        }
        const boost::json::object params{
            {"name", "a" + std::to_string(i)}, {"metadata", metadata}, {"labels", labels}};
        static_cast<void>(ok(admin, "agents.create", params));
    }
    constexpr std::string_view kList = R"({"jsonrpc":"2.0","id":3,"method":"agents.list"})";
    BOOST_TEST(say(kList).text.size() > limits::kMessageBytes);
    const auto refused = answer(kList, Carrier::socket);
    BOOST_TEST(error_name(refused) == "invalid_request");
    BOOST_TEST(refused.at("id").as_int64() == 3);
}

BOOST_AUTO_TEST_CASE(the_carrier_learns_what_became_of_the_credential) {
    // A post was authenticated a moment ago; a socket, perhaps days ago.
    BOOST_TEST(!say(kInfo, Carrier::socket).credential.has_value());
    const auto other = identity("other", {"admin:*"});
    static_cast<void>(ok(other, "agents.suspend", {{"agent_id", admin.agent_id}}));
    const auto refused = say(kInfo, Carrier::socket);
    BOOST_REQUIRE(refused.credential.has_value());
    BOOST_TEST((*refused.credential == Code::agent_suspended));
}

BOOST_AUTO_TEST_SUITE_END()
