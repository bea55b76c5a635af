#include "base/limits.hpp"
#include "server/sessions/sighting_window.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::server::sessions;
using namespace std::chrono_literals;
using Kind = SightingWindow::Kind;

BOOST_AUTO_TEST_SUITE(sighting_window_tests)

namespace {

constexpr SteadyTime kStart{1h};

}  // namespace

BOOST_AUTO_TEST_CASE(one_token_and_address_is_new_once_in_a_window) {
    SightingWindow window;
    BOOST_TEST(window.is_new("a", {Kind::retired, 1, "x"}, kStart));
    BOOST_TEST(!window.is_new("a", {Kind::retired, 1, "x"}, kStart));
    BOOST_TEST(window.is_new("a", {Kind::retired, 2, "x"}, kStart));
    BOOST_TEST(window.is_new("a", {Kind::contested, 1, "x"}, kStart));
    BOOST_TEST(window.is_new("a", {Kind::retired, 1, "y"}, kStart));
    BOOST_TEST(window.is_new("b", {Kind::retired, 1, "x"}, kStart));
    BOOST_TEST(
        !window.is_new("a", {Kind::retired, 1, "x"}, kStart + limits::kSightingWindow - 1ms));
    BOOST_TEST(window.is_new("a", {Kind::retired, 1, "x"}, kStart + limits::kSightingWindow));
}

BOOST_AUTO_TEST_CASE(many_addresses_of_one_agent_are_bounded) {
    SightingWindow window;
    for (std::size_t i = 0; i < limits::kSightingsAnAgent; ++i)
        BOOST_TEST(window.is_new("a", {Kind::retired, 1, std::to_string(i)}, kStart));
    BOOST_TEST(!window.is_new("a", {Kind::retired, 1, "one more"}, kStart));
    window.forget("a");
    BOOST_TEST(window.is_new("a", {Kind::retired, 1, "one more"}, kStart));
}

BOOST_AUTO_TEST_CASE(more_agents_than_there_is_room_for_are_still_new) {
    SightingWindow window;
    for (std::size_t i = 0; i < limits::kSightingAgents + 10; ++i)
        BOOST_TEST(window.is_new(std::to_string(i), {Kind::retired, 1, "x"}, kStart));
}

BOOST_AUTO_TEST_CASE(an_address_loses_its_port) {
    BOOST_TEST(without_port("192.0.2.7:4711") == "192.0.2.7");
    BOOST_TEST(without_port("192.0.2.7") == "192.0.2.7");
    BOOST_TEST(without_port("[2001:db8::1]:4711") == "2001:db8::1");
    BOOST_TEST(without_port("2001:db8::1") == "2001:db8::1");
    BOOST_TEST(without_port("") == "");
}

BOOST_AUTO_TEST_SUITE_END()
