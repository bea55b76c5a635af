// The key set that verifies access tokens, and the rotation of the master key, over a real daemon.
#include "keys/jwk.hpp"
#include "tests/support/daemons.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/stat.h>

using namespace rekey;
using namespace rekey::testing;
namespace json = boost::json;

namespace {

struct Fixture {
    Rekeyd server{Rekeyd::Options{.transport = Transport::plain}};

    [[nodiscard]] std::string key_set() const {
        const net::HttpResponse response = server.http({.target = "/.well-known/jwks.json"});
        BOOST_REQUIRE(response.status == 200U);
        return response.body;
    }
    [[nodiscard]] std::vector<std::string> kids() const {
        const auto set = keys::parse_jwks(key_set());
        BOOST_REQUIRE(set.has_value());
        std::vector<std::string> all;
        for (const keys::Jwk& jwk : set->keys) all.push_back(jwk.kid);
        return all;
    }
    [[nodiscard]] int rotate_master_key() const {
        Process rotation(Process::Options{.command = {rekeyd_program(), "master-key", "--rotate",
                                                      "--data-dir", server.directory()}});
        return rotation.wait();
    }
    [[nodiscard]] bool there_is(const std::string& name) const {
        struct stat status{};
        return ::stat((server.directory() + "/" + name).c_str(), &status) == 0;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(signing_keys_tests, Fixture)

BOOST_AUTO_TEST_CASE(anybody_reads_the_key_set_and_may_keep_it) {
    const net::HttpResponse response = server.http({.target = "/.well-known/jwks.json"});
    BOOST_TEST(response.status == 200U);
    BOOST_TEST(response.headers.get("Content-Type") == "application/jwk-set+json");
    BOOST_TEST(response.headers.get("Cache-Control") == "public, max-age=300");
    const auto set = keys::parse_jwks(response.body);
    BOOST_REQUIRE(set.has_value());
    BOOST_TEST(set->keys.size() == 2U);
    BOOST_TEST(set->ignored == 0U);
    BOOST_TEST(server.post("/.well-known/jwks.json", "{}").status == 405U);
    for (int i = 0; i < 100; ++i)
        BOOST_REQUIRE(server.http({.target = "/.well-known/jwks.json"}).status == 200U);
}

BOOST_AUTO_TEST_CASE(a_restart_and_a_crash_keep_the_keys) {
    const std::string before = key_set();
    BOOST_TEST(server.stop() == 0);
    server.start();
    BOOST_TEST(key_set() == before);
    const std::string kid = kids().front().substr(0, 36);
    static_cast<void>(server.call("signing_keys.rotate", {{"kid", kid}, {"at_once", true}}));
    const std::string rotated = key_set();
    BOOST_TEST(rotated != before);
    server.kill();
    server.start();
    BOOST_TEST(key_set() == rotated);
}

BOOST_AUTO_TEST_CASE(rest_makes_and_rotates_a_key) {
    const net::HttpResponse made =
        server.post("/signing-keys", R"({"algorithm":"ecdsa-p256"})", server.admin_key());
    BOOST_REQUIRE(made.status == 201U);
    const std::string kid(json::parse(made.body).at("kid").as_string());
    const net::HttpResponse rotated =
        server.post("/signing-keys/" + kid + "/rotate", R"({"at_once":true})", server.admin_key());
    BOOST_TEST(rotated.status == 200U);
    const net::HttpResponse destroyed = server.post("/signing-keys/" + kid + "/versions/1/destroy",
                                                    R"({"days":7})", server.admin_key());
    BOOST_TEST(destroyed.status == 200U);
    BOOST_TEST(server.post("/signing-keys", R"({"algorithm":"ecdsa-p256"})").status == 401U);
    // Keys of admins are not the server's own: its tokens are never verified with them.
    for (const std::string& name : kids()) BOOST_TEST(name.substr(0, 36) != kid);
}

BOOST_AUTO_TEST_CASE(another_master_key_opens_everything) {
    const std::string before = key_set();
    const std::string agent = server.new_agent("worker").agent_id;
    // A running server holds the directory.
    BOOST_TEST(rotate_master_key() != 0);
    BOOST_TEST(!there_is("master.key.old"));
    BOOST_TEST(server.stop() == 0);
    BOOST_TEST(rotate_master_key() == 0);
    BOOST_TEST(there_is("master.key.old"));
    BOOST_TEST(!there_is("master.key.next"));
    server.start();
    BOOST_TEST(key_set() == before);
    BOOST_TEST(server.agent(agent).at("name").as_string() == "worker");
}

BOOST_AUTO_TEST_SUITE_END()
