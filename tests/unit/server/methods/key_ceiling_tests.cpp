#include "base/limits.hpp"
#include "protocol/methods/keys.hpp"
#include "protocol/methods/own_key.hpp"
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

// A list that the agent has outlived is not handed to whoever may rotate: it may come to life
// again.
BOOST_AUTO_TEST_CASE(a_rotated_key_lists_no_more_than_its_agent_holds) {
    grant("agents:read");
    grant("agents:write");
    const auto made = ok(
        admin, "keys.create",
        {{"agent_id", worker}, {"name", "ci"}, {"capabilities", {"agents:read", "agents:write"}}});
    static_cast<void>(
        ok(admin, "capabilities.revoke", {{"agent_id", worker}, {"capability", "agents:write"}}));
    const auto rotated = rotate(manager, made);
    grant("agents:write");
    const auto caller = caller_of(rotated);
    BOOST_TEST(caller.may("agents:read"));
    BOOST_TEST(!caller.may("agents:write"));
}

// Else an access token that leaked would become a key, which outlives it and the key it came from.
BOOST_AUTO_TEST_CASE(an_access_token_rotates_no_key) {
    const auto made = create(admin);
    const auto issued = ok(caller_of(made), "auth.token");
    const auto by_token =
        run(authenticator.authenticate(text(issued, "access_token"), "192.0.2.7")).value();
    const auto refused = run(methods::rotate_own_key(parts, by_token, {}));
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST((refused.error().code() == Code::permission_denied));
    BOOST_TEST(run(methods::rotate_own_key(parts, caller_of(made), {})).has_value());
}

// The text of an idempotency key is easily guessed or shared: it hands nobody a wider key than the
// one that he could make.
BOOST_AUTO_TEST_CASE(a_kept_answer_is_for_those_who_could_get_as_much) {
    grant("agents:read");
    const auto boss = identity("boss", {"admin:*"});
    const auto narrow = caller_of(ok(admin, "keys.create",
                                     {{"agent_id", boss.agent_id},
                                      {"name", "narrow"},
                                      {"capabilities", {"keys:manage", "agents:read"}}}));
    const boost::json::object params{
        {"agent_id", worker}, {"name", "ci"}, {"idempotency_key", "build-42"}};
    const auto wide = ok(boss, "keys.create", params);
    BOOST_TEST(!wide.contains("capabilities"));
    BOOST_TEST(ok(boss, "keys.create", params) == wide);
    BOOST_TEST((refused(narrow, "keys.create", params) == Code::conflict));
}

// An agent may hold more than a key's maker may list.
BOOST_AUTO_TEST_CASE(a_long_ceiling_is_shown_and_its_answer_comes_again) {
    const auto maker = identity("maker", {"keys:manage", "bulk:*"});
    static_cast<void>(write<bool>([&](storage::Transaction& transaction) -> Result<bool> {
        for (std::size_t i = 0; i <= limits::kKeyCapabilities; ++i) {
            REKEY_TRY(transaction.capabilities().grant(worker, "bulk:c" + std::to_string(i), "test",
                                                       clock.now()));
        }
        return true;
    }));
    const boost::json::object params{
        {"agent_id", worker}, {"name", "ci"}, {"idempotency_key", "long"}};
    const auto made = ok(maker, "keys.create", params);
    BOOST_TEST(made.at("capabilities").as_array().size() == limits::kKeyCapabilities + 1);
    BOOST_TEST(ok(maker, "keys.create", params) == made);
    const boost::json::value listed = ok(maker, "keys.list", {{"agent_id", worker}});
    const auto page = protocol::decode_result<protocol::KeysList>(listed);
    BOOST_REQUIRE(page.has_value());
    BOOST_TEST(page->keys.size() == 1U);
}

// "Never", as people write it.
BOOST_AUTO_TEST_CASE(a_key_that_ends_with_the_calendar_is_rotated_within_it) {
    const std::string last = "9999-12-31T23:59:59.999Z";
    const auto made =
        ok(admin, "keys.create", {{"agent_id", worker}, {"name", "ci"}, {"expires_at", last}});
    clock.advance(std::chrono::hours(1));
    const boost::json::object params{
        {"agent_id", worker}, {"key_id", text(made, "key_id")}, {"idempotency_key", "once"}};
    const auto rotated = ok(admin, "keys.rotate", params);
    BOOST_TEST(text(rotated, "expires_at") == last);
    BOOST_TEST(ok(admin, "keys.rotate", params) == rotated);
    const boost::json::value status =
        ok(caller_of(rotated), "self.key_status", {{"agent_id", worker}});
    BOOST_TEST(protocol::decode_result<protocol::SelfKeyStatus>(status).has_value());
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
