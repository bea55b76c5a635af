#include "server/rpc/capabilities.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace rekey::server::rpc;

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

BOOST_AUTO_TEST_CASE(a_capability_has_a_prefix_and_a_name) {
    for (const char* one : {"files:read", "a:b", "my.app-2:do_it", "0:0", "admins:x"})
        BOOST_TEST((capability_form(one) == CapabilityForm::one), one);
    for (const char* wildcard : {"files:*", "a:*", "admin:*"})
        BOOST_TEST((capability_form(wildcard) == CapabilityForm::wildcard), wildcard);
    for (const char* neither : {"",
                                "*",
                                ":",
                                ":*",
                                ":x",
                                "*:*",
                                "*:x",
                                "files",
                                "files:",
                                "files:**",
                                "files:r*",
                                "files:*:read",
                                "files:read:more",
                                "Files:read",
                                "files: read",
                                "files:read ",
                                "admin:x",
                                "admin:",
                                "admin:**",
                                "fi*:read",
                                "files:re\nad",
                                "file\u00e9:read"})
        BOOST_TEST(!capability_form(neither).has_value(), neither);
    BOOST_TEST(capability_form(std::string(64, 'a') + ":" + std::string(64, 'b')).has_value());
    BOOST_TEST(!capability_form(std::string(65, 'a') + ":b").has_value());
    BOOST_TEST(!capability_form("a:" + std::string(65, 'b')).has_value());
}

BOOST_AUTO_TEST_CASE(covering_names_each_text_that_covers) {
    using Names = std::vector<std::string>;
    BOOST_TEST((covering("files:read") == Names{"files:read", "files:*", "admin:*"}));
    BOOST_TEST((covering("files:*") == Names{"files:*", "admin:*"}));
    BOOST_TEST((covering("admin:*") == Names{"admin:*"}));
}

BOOST_AUTO_TEST_CASE(what_is_narrowed_is_what_both_cover) {
    using Names = std::vector<std::string>;
    BOOST_TEST((narrowed(Names{"admin:*"}, Names{"agents:write"}) == Names{"agents:write"}));
    BOOST_TEST((narrowed(Names{"agents:*", "audit:read"}, Names{"agents:read", "audit:*"}) ==
                Names{"audit:read", "agents:read"}));
    BOOST_TEST((narrowed(Names{"agents:read"}, Names{"agents:read"}) == Names{"agents:read"}));
    BOOST_TEST(narrowed(Names{"agents:read"}, Names{"keys:manage"}).empty());
    BOOST_TEST(narrowed(Names{}, Names{"admin:*"}).empty());
    BOOST_TEST(narrowed(Names{"admin:*"}, Names{}).empty());
}

BOOST_AUTO_TEST_SUITE_END()
