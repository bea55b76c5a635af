#include "server/rpc/capabilities.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using rekey::server::rpc::covers;

BOOST_AUTO_TEST_SUITE(capabilities_tests)

BOOST_AUTO_TEST_CASE(a_wildcard_covers_what_begins_like_it) {
    BOOST_TEST(covers("agents:read", "agents:read"));
    BOOST_TEST(covers("agents:*", "agents:read"));
    BOOST_TEST(covers("agents:*", "agents:*"));
    BOOST_TEST(covers("admin:*", "agents:read"));
    BOOST_TEST(covers("admin:*", "agents:*"));
    BOOST_TEST(covers("admin:*", "admin:*"));
}

BOOST_AUTO_TEST_CASE(nothing_covers_more_than_it_says) {
    BOOST_TEST(!covers("agents:read", "agents:write"));
    BOOST_TEST(!covers("agents:read", "agents:*"));
    BOOST_TEST(!covers("agents:*", "agents2:read"));
    BOOST_TEST(!covers("agents:*", "agents:"));
    BOOST_TEST(!covers("agents:*", "admin:*"));
    BOOST_TEST(!covers("admin:read", "admin:*"));
    BOOST_TEST(!covers(":*", ":x"));
    BOOST_TEST(!covers("*", "agents:read"));
    BOOST_TEST(!covers("agents*", "agents:read"));
    BOOST_TEST(!covers("", "agents:read"));
}

BOOST_AUTO_TEST_CASE(one_of_many_is_enough) {
    const std::vector<std::string> granted{"audit:read", "agents:*"};
    BOOST_TEST(covers(granted, "agents:write"));
    BOOST_TEST(covers(granted, "audit:read"));
    BOOST_TEST(!covers(granted, "keys:manage"));
    BOOST_TEST(!covers(std::vector<std::string>{}, "agents:read"));
}

BOOST_AUTO_TEST_SUITE_END()
