#include "base/time_format.hpp"
#include "tests/unit/server/support/door_world.hpp"

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;
using std::chrono::days;
using std::chrono::hours;

namespace {

using boost::json::object;

struct Fixture : DoorWorld {
    std::string make(std::optional<days> life = {}) {
        object params{{"agent_id", agent}, {"name", "sdk"}};
        if (life) params["expires_at"] = to_rfc3339(clock.now() + *life);
        return std::string(ok(admin, "keys.create", params).at("key").as_string());
    }
    // As a door reads it: this is a use of the key.
    rpc::Caller show(const std::string& key) {
        return run(authenticator.authenticate(key, "192.0.2.7")).value();
    }
    object status(const std::string& key) {
        return ok(show(key), "self.key_status", {{"agent_id", agent}});
    }
    std::string rotate(const std::string& key) {
        return std::string(
            ok(show(key), "self.rotate_key", {{"agent_id", agent}}).at("key").as_string());
    }
    static bool is(const object& status, std::string_view name) {
        return status.at(name).as_bool();
    }

    const std::string agent = create_agent("worker");
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(own_key_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_fresh_key_has_its_life_before_it) {
    const std::string key = make(days{30});
    clock.advance(hours{1});
    const object now = status(key);
    BOOST_TEST(now.at("days_until_expiration").to_number<int>() == 29);
    BOOST_TEST(now.at("created_at").as_string() == "2024-10-04T00:00:00.000Z");
    BOOST_TEST(now.at("issued_at").as_string() == "2024-10-04T00:00:00.000Z");
    BOOST_TEST(now.at("expires_at").as_string() == "2024-11-03T00:00:00.000Z");
    BOOST_TEST(!is(now, "should_rotate"));
    BOOST_TEST(!is(now, "in_grace_period"));
    BOOST_TEST(!now.contains("previous_valid_until"));
    BOOST_TEST(now.at("rotation_count").to_number<int>() == 0);
    const object for_ever = status(make());
    BOOST_TEST(!for_ever.contains("expires_at"));
    BOOST_TEST(!for_ever.contains("days_until_expiration"));
    BOOST_TEST(!is(for_ever, "should_rotate"));
}

BOOST_AUTO_TEST_CASE(five_days_before_its_end_it_should_rotate) {
    const std::string key = make(days{30});
    clock.advance(days{25} - Milliseconds{1});
    BOOST_TEST(!is(status(key), "should_rotate"));
    clock.advance(Milliseconds{1});
    BOOST_TEST(is(status(key), "should_rotate"));
    BOOST_TEST(status(key).at("days_until_expiration").to_number<int>() == 5);
}

BOOST_AUTO_TEST_CASE(a_rotation_needs_no_capability_and_both_keys_work_for_a_while) {
    const std::string old_key = make(days{30});
    clock.advance(days{26});
    const std::string new_key = rotate(old_key);
    // Nobody has used the new one: whoever holds the old one may have lost the answer.
    const object lost = status(old_key);
    BOOST_TEST(is(lost, "should_rotate"));
    BOOST_TEST(is(lost, "in_grace_period"));
    BOOST_TEST(lost.at("expires_at").as_string() == "2024-10-31T00:00:00.000Z");
    const object fresh = status(new_key);
    BOOST_TEST(fresh.at("days_until_expiration").to_number<int>() == 30);
    BOOST_TEST(is(fresh, "in_grace_period"));
    BOOST_TEST(fresh.at("previous_valid_until").as_string() == "2024-10-31T00:00:00.000Z");
    BOOST_TEST(fresh.at("rotation_count").to_number<int>() == 1);
    // Now somebody has: the old one has nothing to ask for any more.
    BOOST_TEST(!is(status(old_key), "should_rotate"));
    BOOST_TEST(
        (refused(show(old_key), "self.rotate_key", {{"agent_id", agent}}) == Code::wrong_state));
    clock.advance(days{1});
    BOOST_TEST(!is(status(new_key), "in_grace_period"));
    BOOST_TEST(run(authenticator.authenticate(old_key, "192.0.2.7")).has_error());
    BOOST_TEST(audited("self.rotate_key", "wrong_state") == 1U);
}

BOOST_AUTO_TEST_CASE(a_lost_answer_is_made_good_by_rotating_again) {
    const std::string old_key = make(days{30});
    const std::string lost = rotate(old_key);
    const std::string again = rotate(old_key);
    BOOST_TEST(lost != again);
    BOOST_TEST(run(authenticator.authenticate(lost, "192.0.2.7")).has_error());
    BOOST_TEST(status(again).at("rotation_count").to_number<int>() == 1);
    BOOST_TEST(status(rotate(again)).at("rotation_count").to_number<int>() == 2);
}

BOOST_AUTO_TEST_CASE(the_same_idempotency_key_brings_the_same_answer) {
    const std::string key = make(days{30});
    const object params{{"agent_id", agent}, {"idempotency_key", "one"}, {"reason", "automatic"}};
    const object first = ok(show(key), "self.rotate_key", params);
    BOOST_TEST(first == ok(show(key), "self.rotate_key", params));
}

BOOST_AUTO_TEST_CASE(one_asks_for_ones_own_key_only) {
    const auto other = identity("other", {"admin:*"});
    for (const char* method : {"self.key_status", "self.rotate_key"}) {
        BOOST_TEST((refused(other, method, {{"agent_id", agent}}) == Code::permission_denied));
        BOOST_TEST((refused(show(make()), method, {{"agent_id", other.agent_id}}) ==
                    Code::permission_denied));
    }
}

BOOST_AUTO_TEST_SUITE_END()
