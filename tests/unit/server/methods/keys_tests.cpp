#include "base/hash.hpp"
#include "base/limits.hpp"
#include "base/time_format.hpp"
#include "server/methods/key_rotation.hpp"
#include "tests/unit/server/support/door_world.hpp"

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;
using rekey::server::testing::Engine;

namespace {

std::string text(const boost::json::object& object, std::string_view name) {
    return std::string(object.at(name).as_string());
}

struct Fixture : DoorWorld {
    Fixture() : DoorWorld(Engine::sqlite) {}

    Result<rpc::Caller> show(const std::string& credential) {
        return run(authenticator.authenticate(credential, "192.0.2.7"));
    }
    rpc::Caller caller_of(const boost::json::object& made) {
        return show(text(made, "key")).value();
    }
    Code refusal_of(const std::string& credential) {
        const auto caller = show(credential);
        BOOST_REQUIRE(caller.has_error());
        return caller.error().code();
    }
    boost::json::object create(const rpc::Caller& by, const std::string& agent_id,
                               boost::json::object more = {}) {
        more["agent_id"] = agent_id;
        more["name"] = "ci";
        return ok(by, "keys.create", more);
    }
    boost::json::object rotate(const rpc::Caller& by, const std::string& agent_id,
                               const std::string& key_id, boost::json::object more = {}) {
        more["agent_id"] = agent_id;
        more["key_id"] = key_id;
        return ok(by, "keys.rotate", more);
    }
    Code rotate_refused(const rpc::Caller& by, const std::string& agent_id,
                        const std::string& key_id) {
        return refused(by, "keys.rotate", {{"agent_id", agent_id}, {"key_id", key_id}});
    }
    boost::json::object revoke(const rpc::Caller& by, const std::string& agent_id,
                               const std::string& key_id) {
        return ok(by, "keys.revoke", {{"agent_id", agent_id}, {"key_id", key_id}});
    }
    boost::json::object listed(const std::string& agent_id, const std::string& key_id) {
        const auto page = ok(admin, "keys.list", {{"agent_id", agent_id}});
        for (const auto& one : page.at("keys").as_array()) {
            if (one.at("key_id").as_string() == key_id) return one.as_object();
        }
        BOOST_FAIL("the key is not in the list");
        return {};
    }
    std::string after(std::chrono::hours hours) { return to_rfc3339(clock.now() + hours); }
    void grant(const std::string& agent_id, const std::string& capability) {
        static_cast<void>(write<bool>([&](storage::Transaction& transaction) -> Result<bool> {
            REKEY_TRY(transaction.capabilities().grant(agent_id, capability, "test", clock.now()));
            return true;
        }));
    }

    std::string worker = create_agent("worker");
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(keys_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_key_is_shown_once_and_works_at_once) {
    grant(worker, "agents:read");
    const auto made = create(admin, worker, {{"expires_at", after(std::chrono::hours(1))}});
    const auto caller = caller_of(made);
    BOOST_TEST(caller.agent_id == worker);
    BOOST_TEST(caller.may("agents:read"));
    BOOST_TEST(!caller.may("agents:write"));
    const auto shown = listed(worker, text(made, "key_id"));
    BOOST_TEST(text(shown, "name") == "ci");
    BOOST_TEST(text(shown, "created_by") == admin.agent_id);
    BOOST_TEST(shown.at("works").as_bool());
    BOOST_TEST(shown.contains("first_used_at"));
    // Neither the key nor its hash is anywhere in what is listed or audited.
    const std::string page = boost::json::serialize(ok(admin, "keys.list", {{"agent_id", worker}}));
    BOOST_TEST(page.find("rkk_") == std::string::npos);
    BOOST_TEST(page.find("hash") == std::string::npos);
    BOOST_TEST(audited("api_key.created") == 1U);
    BOOST_TEST(audited("api_key.first_used") >= 1U);
    clock.advance(std::chrono::hours(1));
    BOOST_TEST((refusal_of(text(made, "key")) == Code::token_expired));
    BOOST_TEST(!listed(worker, text(made, "key_id")).at("works").as_bool());
}

BOOST_AUTO_TEST_CASE(bad_params_are_named) {
    const auto path = [&](const boost::json::object& params) {
        const auto answer = call(admin, "keys.create", params);
        BOOST_REQUIRE(answer.has_error());
        BOOST_TEST((answer.error().code() == Code::invalid_params));
        return std::string(answer.error().details()->at("path").as_string());
    };
    grant(worker, "agents:read");
    BOOST_TEST(path({{"agent_id", worker}}) == "name");
    BOOST_TEST(path({{"agent_id", worker}, {"name", ""}}) == "name");
    BOOST_TEST(path({{"agent_id", "x"}, {"name", "n"}}) == "agent_id");
    BOOST_TEST(
        path({{"agent_id", worker}, {"name", "n"}, {"expires_at", to_rfc3339(clock.now())}}) ==
        "expires_at");
    BOOST_TEST(path({{"agent_id", worker}, {"name", "n"}, {"idempotency_key", ""}}) ==
               "idempotency_key");
    BOOST_TEST(path({{"agent_id", worker},
                     {"name", "n"},
                     {"capabilities", {"agents:read", "agents:write"}}}) == "capabilities[1]");
}

// Failure 28.
BOOST_AUTO_TEST_CASE(nobody_touches_the_keys_of_one_who_may_more) {
    const auto manager = identity("manager", {"keys:manage", "agents:read"});
    const boost::json::object of_admin{{"agent_id", admin.agent_id}, {"name", "x"}};
    BOOST_TEST((refused(manager, "keys.create", of_admin) == Code::permission_denied));
    boost::json::object narrow = of_admin;
    narrow["capabilities"] = boost::json::array{"agents:read"};
    BOOST_TEST((refused(manager, "keys.create", narrow) == Code::permission_denied));
    BOOST_TEST((rotate_refused(manager, admin.agent_id, admin.key_id) == Code::permission_denied));
    const boost::json::object key{{"agent_id", admin.agent_id}, {"key_id", admin.key_id}};
    BOOST_TEST((refused(manager, "keys.revoke", key) == Code::permission_denied));
    BOOST_TEST(show(std::string(key_texts.at(admin.agent_id).expose())).has_value());
    BOOST_TEST(audited("keys.create", "permission_denied") == 2U);
    // Of one who may as much or less: yes.
    static_cast<void>(create(manager, worker));
    grant(worker, "agents:read");
    static_cast<void>(create(manager, worker));
    grant(worker, "audit:read");
    BOOST_TEST((refused(manager, "keys.create", {{"agent_id", worker}, {"name", "x"}}) ==
                Code::permission_denied));
}

BOOST_AUTO_TEST_CASE(a_narrow_key_of_a_powerful_agent_makes_no_wider_one) {
    const auto narrow =
        identity("boss", {"admin:*"}, std::vector<std::string>{"keys:manage", "agents:read"});
    BOOST_TEST((refused(narrow, "keys.create", {{"agent_id", narrow.agent_id}, {"name", "x"}}) ==
                Code::permission_denied));
    BOOST_TEST((rotate_refused(narrow, narrow.agent_id, narrow.key_id) == Code::permission_denied));
    // What it may do with itself keeps its bounds.
    const auto rotated = run(methods::rotate_own_key(parts, narrow, {}));
    BOOST_REQUIRE(rotated.has_value());
    const auto successor = show(std::string(rotated->key.expose())).value();
    BOOST_TEST(successor.may("keys:manage"));
    BOOST_TEST(!successor.may("admin:*"));
    BOOST_TEST(!successor.may("agents:write"));
}

BOOST_AUTO_TEST_CASE(permission_is_checked_before_anything_is_looked_up) {
    const auto stranger = identity("stranger", {"agents:read"});
    const std::string nobody = make_uuid_v7(clock, random);
    for (const char* method : {"keys.create", "keys.list", "keys.rotate", "keys.revoke"}) {
        const boost::json::object unknown{{"agent_id", nobody}};
        const boost::json::object known{{"agent_id", worker}};
        BOOST_TEST((refused(stranger, method, unknown) == Code::permission_denied), method);
        BOOST_TEST((refused(stranger, method, known) == Code::permission_denied), method);
    }
    BOOST_TEST((refused(admin, "keys.list", {{"agent_id", nobody}}) == Code::not_found));
    BOOST_TEST((rotate_refused(admin, nobody, nobody) == Code::not_found));
    // A key of somebody else's is not there either.
    BOOST_TEST((rotate_refused(admin, worker, admin.key_id) == Code::not_found));
}

BOOST_AUTO_TEST_CASE(a_rotated_key_works_until_the_end_that_was_stored_with_it) {
    const auto made = create(admin, worker, {{"expires_at", after(std::chrono::hours(100))}});
    clock.advance(std::chrono::hours(10));
    const auto rotated = rotate(admin, worker, text(made, "key_id"));
    BOOST_TEST(text(rotated, "key_id") != text(made, "key_id"));
    BOOST_TEST(text(rotated, "previous_valid_until") == after(std::chrono::hours(24)));
    // A life as long as the one before, from now on.
    BOOST_TEST(text(rotated, "expires_at") == after(std::chrono::hours(100)));
    // Another setting neither kills nor revives.
    SettingValues values;
    values.key_rotation_grace_hours = 0;
    settings.replace(values);
    BOOST_TEST(show(text(made, "key")).has_value());
    values.key_rotation_grace_hours = 720;
    settings.replace(values);
    clock.advance(std::chrono::hours(24) - Milliseconds(1));
    BOOST_TEST(show(text(made, "key")).has_value());
    clock.advance(Milliseconds(1));
    BOOST_TEST((refusal_of(text(made, "key")) == Code::token_expired));
    BOOST_TEST(show(text(rotated, "key")).has_value());
}

BOOST_AUTO_TEST_CASE(the_grace_never_outlives_the_old_keys_own_end) {
    const auto made = create(admin, worker, {{"expires_at", after(std::chrono::hours(5))}});
    const auto rotated = rotate(admin, worker, text(made, "key_id"));
    BOOST_TEST(text(rotated, "previous_valid_until") == after(std::chrono::hours(5)));
    const auto forever = create(admin, worker);
    const auto next = rotate(admin, worker, text(forever, "key_id"), {{"grace_period_hours", 0}});
    BOOST_TEST(!next.contains("expires_at"));
    BOOST_TEST((refusal_of(text(forever, "key")) == Code::token_expired));
    BOOST_TEST(show(text(next, "key")).has_value());
}

BOOST_AUTO_TEST_CASE(a_lost_reply_costs_nothing) {
    const auto made = create(admin, worker);
    const auto lost = rotate(admin, worker, text(made, "key_id"));
    clock.advance(std::chrono::hours(1));
    const auto again = rotate(admin, worker, text(made, "key_id"));
    // The successor that nobody used is worthless; the end of the old key has not moved.
    BOOST_TEST((refusal_of(text(lost, "key")) == Code::unknown_credential));
    BOOST_TEST(text(again, "previous_valid_until") == text(lost, "previous_valid_until"));
    BOOST_TEST(show(text(made, "key")).has_value());
    const auto successor = show(text(again, "key"));
    BOOST_REQUIRE(successor.has_value());
    // From its first use on, there is nothing to replace.
    BOOST_TEST((rotate_refused(admin, worker, text(made, "key_id")) == Code::wrong_state));
    BOOST_TEST(show(text(again, "key")).has_value());
    // The successor itself can be rotated.
    static_cast<void>(rotate(admin, worker, text(again, "key_id")));
    BOOST_TEST(audited("api_key.rotated") == 3U);
}

BOOST_AUTO_TEST_CASE(the_first_use_is_durable_before_the_first_answer) {
    const auto made = create(admin, worker);
    BOOST_TEST(!listed(worker, text(made, "key_id")).contains("first_used_at"));
    static_cast<void>(caller_of(made));
    const auto row = read<storage::ApiKeyRow>([&](storage::Transaction& transaction) {
        return transaction.api_keys().find(text(made, "key_id"));
    });
    BOOST_TEST((row.first_used_at == clock.now()));
    clock.advance(Milliseconds(50));
    static_cast<void>(caller_of(made));
    BOOST_TEST(audited("api_key.first_used") == 1U);
}

BOOST_AUTO_TEST_CASE(a_key_that_works_no_more_is_not_rotated) {
    const auto made = create(admin, worker, {{"expires_at", after(std::chrono::hours(1))}});
    clock.advance(std::chrono::hours(1));
    BOOST_TEST((rotate_refused(admin, worker, text(made, "key_id")) == Code::wrong_state));
    const auto other = create(admin, worker);
    static_cast<void>(revoke(admin, worker, text(other, "key_id")));
    BOOST_TEST((rotate_refused(admin, worker, text(other, "key_id")) == Code::wrong_state));
    static_cast<void>(ok(admin, "agents.suspend", {{"agent_id", worker}}));
    BOOST_TEST((refused(admin, "keys.create", {{"agent_id", worker}, {"name", "x"}}) ==
                Code::wrong_state));
}

BOOST_AUTO_TEST_CASE(revoking_is_immediate_and_twice_is_no_error) {
    const auto made = create(admin, worker);
    BOOST_TEST(show(text(made, "key")).has_value());
    const auto shown = revoke(admin, worker, text(made, "key_id"));
    BOOST_TEST(!shown.at("works").as_bool());
    BOOST_TEST((refusal_of(text(made, "key")) == Code::unknown_credential));
    BOOST_TEST((closed_keys == std::vector{text(made, "key_id")}));
    static_cast<void>(revoke(admin, worker, text(made, "key_id")));
    BOOST_TEST(audited("api_key.revoked") == 1U);
}

BOOST_AUTO_TEST_CASE(an_agent_has_so_many_working_keys_and_no_more) {
    for (std::size_t i = 0; i < limits::kApiKeysAnAgent; ++i)
        static_cast<void>(create(admin, worker));
    const boost::json::object one_more{{"agent_id", worker}, {"name", "x"}};
    BOOST_TEST((refused(admin, "keys.create", one_more) == Code::wrong_state));
    const auto page = ok(admin, "keys.list", {{"agent_id", worker}});
    const auto first = text(page.at("keys").as_array().front().as_object(), "key_id");
    static_cast<void>(revoke(admin, worker, first));
    static_cast<void>(ok(admin, "keys.create", one_more));
}

BOOST_AUTO_TEST_CASE(an_agent_rotates_the_key_that_it_calls_with) {
    const auto made = create(admin, worker);
    const auto caller = caller_of(made);
    BOOST_TEST((rotate_refused(caller, worker, text(made, "key_id")) == Code::permission_denied));
    const auto rotated = run(methods::rotate_own_key(parts, caller, {}));
    BOOST_REQUIRE(rotated.has_value());
    BOOST_TEST(show(std::string(rotated->key.expose())).has_value());
    rpc::Caller without_key = caller;
    without_key.key_id.clear();
    const auto none = run(methods::rotate_own_key(parts, without_key, {}));
    BOOST_TEST((none.error().code() == Code::wrong_state));
}

// Nobody can take the last key out of everybody's hands over the wire; a second one frees the
// first.
BOOST_AUTO_TEST_CASE(the_last_key_with_which_somebody_administers_stays) {
    const boost::json::object last{{"agent_id", admin.agent_id}, {"key_id", admin.key_id}};
    BOOST_TEST((refused(admin, "keys.revoke", last) == Code::wrong_state));
    // One that may less is no other admin.
    const boost::json::array reading{"agents:read"};
    static_cast<void>(
        ok(admin, "keys.create",
           {{"agent_id", admin.agent_id}, {"name", "narrow"}, {"capabilities", reading}}));
    BOOST_TEST((refused(admin, "keys.revoke", last) == Code::wrong_state));
    static_cast<void>(ok(admin, "keys.create", {{"agent_id", admin.agent_id}, {"name", "second"}}));
    static_cast<void>(ok(admin, "keys.revoke", last));
    BOOST_TEST((refused(admin, "agents.list") == Code::unknown_credential));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(idempotency_tests, Fixture)

BOOST_AUTO_TEST_CASE(the_same_call_gets_the_same_answer_again) {
    const boost::json::object more{{"idempotency_key", "order-7"}};
    const auto made = create(admin, worker, more);
    const auto again = create(admin, worker, more);
    BOOST_TEST(text(again, "key") == text(made, "key"));
    BOOST_TEST(again == made);
    BOOST_TEST(ok(admin, "keys.list", {{"agent_id", worker}}).at("keys").as_array().size() == 1U);
    BOOST_TEST(audited("api_key.created") == 1U);
    const auto rotated = rotate(admin, worker, text(made, "key_id"), {{"idempotency_key", "r"}});
    BOOST_TEST(rotate(admin, worker, text(made, "key_id"), {{"idempotency_key", "r"}}) == rotated);
    BOOST_TEST(audited("api_key.rotated") == 1U);
}

BOOST_AUTO_TEST_CASE(it_belongs_to_one_caller_method_and_params) {
    const auto made = create(admin, worker, {{"idempotency_key", "k"}});
    const std::string other = create_agent("other");
    const boost::json::object another_agent{
        {"agent_id", other}, {"name", "ci"}, {"idempotency_key", "k"}};
    BOOST_TEST((refused(admin, "keys.create", another_agent) == Code::conflict));
    const boost::json::object another_method{
        {"agent_id", worker}, {"key_id", made.at("key_id")}, {"idempotency_key", "k"}};
    BOOST_TEST((refused(admin, "keys.rotate", another_method) == Code::conflict));
    const auto second = identity("second", {"admin:*"});
    const auto theirs = create(second, worker, {{"idempotency_key", "k"}});
    BOOST_TEST(text(theirs, "key_id") != text(made, "key_id"));
}

BOOST_AUTO_TEST_CASE(it_ends_with_the_first_use_and_after_ten_minutes) {
    const auto made = create(admin, worker, {{"idempotency_key", "k"}});
    static_cast<void>(caller_of(made));
    const auto used = create(admin, worker, {{"idempotency_key", "k"}});
    BOOST_TEST(text(used, "key_id") != text(made, "key_id"));
    clock.advance(limits::kIdempotencyLife - Milliseconds(1));
    BOOST_TEST(create(admin, worker, {{"idempotency_key", "k"}}) == used);
    clock.advance(Milliseconds(1));
    const auto late = create(admin, worker, {{"idempotency_key", "k"}});
    BOOST_TEST(text(late, "key_id") != text(used, "key_id"));
}

BOOST_AUTO_TEST_CASE(rights_that_are_gone_get_no_answer_again) {
    const auto manager = identity("manager", {"keys:manage"});
    static_cast<void>(create(manager, worker, {{"idempotency_key", "k"}}));
    grant(worker, "audit:read");
    const boost::json::object again{{"agent_id", worker}, {"name", "ci"}, {"idempotency_key", "k"}};
    BOOST_TEST((refused(manager, "keys.create", again) == Code::permission_denied));
}

BOOST_AUTO_TEST_CASE(what_is_kept_is_sealed_and_swept) {
    const auto made = create(admin, worker, {{"idempotency_key", "k"}});
    const auto row = [&] {
        return bootstrap::read_now<storage::IdempotentAnswerRow>(
            *store, [&](storage::Transaction& transaction) {
                return transaction.idempotent_answers().find(admin.agent_id, sha256("k"));
            });
    };
    const Bytes sealed = row().value().sealed_answer;
    const std::string bytes(sealed.begin(), sealed.end());
    BOOST_TEST(bytes.find(text(made, "key")) == std::string::npos);
    BOOST_TEST(bytes.find("rkk_") == std::string::npos);
    clock.advance(limits::kIdempotencyLife);
    key_uses.flush(*store, clock.now());
    static_cast<void>(create_agent("later"));  // the writer has done what was asked before
    BOOST_TEST((row().error().code() == Code::not_found));
}

BOOST_AUTO_TEST_CASE(a_replaced_successor_takes_its_kept_answer_along) {
    const auto made = create(admin, worker);
    const auto lost = rotate(admin, worker, text(made, "key_id"), {{"idempotency_key", "k"}});
    static_cast<void>(rotate(admin, worker, text(made, "key_id")));
    const auto again = rotate(admin, worker, text(made, "key_id"), {{"idempotency_key", "k"}});
    BOOST_TEST(text(again, "key_id") != text(lost, "key_id"));
}

BOOST_AUTO_TEST_SUITE_END()
