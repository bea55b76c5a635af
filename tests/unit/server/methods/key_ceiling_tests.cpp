#include "base/limits.hpp"
#include "server/methods/key_rotation.hpp"
#include "tests/unit/server/support/door_world.hpp"

// What the maker of a key can get by it later.
using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;

namespace {

struct Fixture : DoorWorld {
    static std::string text(const boost::json::object& object, std::string_view name) {
        return std::string(object.at(name).as_string());
    }
    rpc::Caller caller_of(const boost::json::object& made) {
        return run(authenticator.authenticate(text(made, "key"), "192.0.2.7")).value();
    }
    boost::json::object create(const rpc::Caller& by) {
        return ok(by, "keys.create", {{"agent_id", worker}, {"name", "ci"}});
    }
    boost::json::object rotate(const rpc::Caller& by, const boost::json::object& made) {
        return ok(by, "keys.rotate", {{"agent_id", worker}, {"key_id", text(made, "key_id")}});
    }
    void grant(const std::string& capability) {
        static_cast<void>(
            ok(admin, "capabilities.grant", {{"agent_id", worker}, {"capability", capability}}));
    }

    std::string worker = create_agent("worker");
    rpc::Caller manager = identity("manager", {"keys:manage", "agents:read"});
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(key_ceiling_tests, Fixture)

// Whoever made a key has its text, so the agent's later grants are none of his.
BOOST_AUTO_TEST_CASE(a_key_by_a_weaker_maker_does_not_grow_with_its_agent) {
    grant("agents:read");
    const auto made = create(manager);
    BOOST_TEST(made.at("capabilities").as_array() == boost::json::array{"agents:read"});
    const auto own = create(admin);
    const auto rotated = rotate(manager, own);
    grant("admin:*");
    for (const auto& key : {made, rotated}) {
        const auto caller = caller_of(key);
        BOOST_TEST(caller.may("agents:read"));
        BOOST_TEST(!caller.may("agents:write"));
        BOOST_TEST((refused(caller, "settings.get") == Code::permission_denied));
    }
}

BOOST_AUTO_TEST_CASE(a_key_by_an_admin_or_by_the_agent_itself_is_all_of_the_agent) {
    const auto made = create(admin);
    BOOST_TEST(!made.contains("capabilities"));
    const auto again = run(methods::rotate_own_key(parts, caller_of(made), {}));
    BOOST_REQUIRE(again.has_value());
    grant("agents:read");
    const auto caller =
        run(authenticator.authenticate(std::string(again->key.expose()), "192.0.2.7")).value();
    BOOST_TEST(caller.may("agents:read"));
}

// A narrow key of the agent's own makes no wide one for later.
BOOST_AUTO_TEST_CASE(a_narrow_key_makes_no_key_that_grows) {
    grant("keys:manage");
    const auto narrow =
        ok(admin, "keys.create",
           {{"agent_id", worker}, {"name", "n"}, {"capabilities", {"keys:manage"}}});
    const auto made = create(caller_of(narrow));
    grant("admin:*");
    BOOST_TEST(!caller_of(made).may("admin:*"));
}

BOOST_AUTO_TEST_CASE(rotating_and_rotating_gathers_no_more_keys_than_making_them) {
    auto made = create(admin);
    std::size_t rotations = 0;
    for (;; ++rotations) {
        const auto rotated = run(methods::rotate_own_key(parts, caller_of(made), {}));
        if (rotated.has_error()) {
            BOOST_TEST((rotated.error().code() == Code::wrong_state));
            break;
        }
        made["key"] = rotated->key.expose();
        BOOST_REQUIRE(rotations <= limits::kApiKeysAnAgent);
    }
    BOOST_TEST(rotations + 1 == limits::kApiKeysAnAgent);
}

BOOST_AUTO_TEST_SUITE_END()
