#include "base/ed25519.hpp"
#include "protocol/methods/enroll.hpp"
#include "protocol/proof.hpp"
#include "tests/unit/server/support/door_world.hpp"

// capabilities.*: what can be granted, by whom to whom, and what a grant does to codes and keys.
using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;

namespace {

std::string text(const boost::json::object& object, std::string_view name) {
    return std::string(object.at(name).as_string());
}

using Names = std::vector<std::string>;

struct Fixture : DoorWorld {
    std::string register_one(std::string_view name) {
        return text(ok(admin, "capabilities.create", {{"name", name}}), "capability_id");
    }
    Result<boost::json::value> grant(const rpc::Caller& caller, const std::string& agent_id,
                                     std::string_view capability) {
        return call(caller, "capabilities.grant",
                    {{"agent_id", agent_id}, {"capability", capability}});
    }
    Code refused_grant(const rpc::Caller& caller, const std::string& agent_id,
                       std::string_view capability) {
        const auto answer = grant(caller, agent_id, capability);
        BOOST_REQUIRE_MESSAGE(answer.has_error(), capability << " was granted");
        return answer.error().code();
    }
    Names held(const std::string& agent_id) {
        return read<Names>(
            [&](storage::Transaction& t) { return t.capabilities().list(agent_id); });
    }
    // Somebody uses a code for the first time.
    Code enroll_refused(const std::string& code) {
        const auto answer = enroll(code);
        BOOST_REQUIRE_MESSAGE(answer.has_error(), "the code was taken");
        return answer.error().code();
    }
    Result<protocol::EnrollResult> enroll(const std::string& code) {
        const auto key = Ed25519Key::generate();
        protocol::EnrollParams params;
        params.code = Secret(code);
        params.public_key = to_base64url(key.public_key());
        const auto parsed = protocol::parse_token(code);
        params.signature = to_base64url(
            key.sign(protocol::enrollment_message(std::string(parsed->id), params.public_key)));
        params.hostname = "host";
        params.version = "1";
        return run(enrollment::enroll(enrollment_parts, std::move(params), {}));
    }
    std::string code_by(const rpc::Caller& caller, const std::string& agent_id) {
        return text(ok(caller, "agents.enrollment_code", {{"agent_id", agent_id}}), "code");
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(capabilities_methods_tests, Fixture)

BOOST_AUTO_TEST_CASE(what_is_registered_is_listed_and_can_be_granted_once) {
    const auto made =
        ok(admin, "capabilities.create", {{"name", "files:read"}, {"description", "Read files."}});
    BOOST_TEST(!made.at("built_in").as_bool());
    BOOST_TEST(text(made, "created_by") == admin.agent_id);
    const auto agent_id = create_agent("a");
    const boost::json::object params{{"agent_id", agent_id}, {"capability", "files:read"}};
    const auto granted = ok(admin, "capabilities.grant", params);
    BOOST_TEST(text(granted, "agent_id") == agent_id);
    BOOST_TEST(text(granted, "capability") == "files:read");
    BOOST_TEST(text(granted, "capability_id") == text(made, "capability_id"));
    BOOST_TEST(text(granted, "granted_by") == admin.agent_id);
    BOOST_TEST(!granted.at("already_granted").as_bool());
    const auto other = identity("other-admin", {"admin:*"});
    const auto again = ok(other, "capabilities.grant", params);
    BOOST_TEST(again.at("already_granted").as_bool());
    BOOST_TEST(text(again, "granted_by") == admin.agent_id, "the first grant stands");
    BOOST_TEST(audited("capability.granted") == 1U);
    BOOST_TEST(audited("capability.created") == 1U);
    const auto shown =
        ok(admin, "agents.get", {{"agent_id", agent_id}}).at("capabilities").as_array();
    BOOST_TEST_REQUIRE(shown.size() == 1U);
    BOOST_TEST(shown.at(0).at("capability").as_string() == "files:read");
    // By its id as well.
    const auto by_id = ok(admin, "capabilities.grant",
                          {{"agent_id", agent_id}, {"capability_id", text(made, "capability_id")}});
    BOOST_TEST(by_id.at("already_granted").as_bool());
}

BOOST_AUTO_TEST_CASE(the_registry_is_paged_by_name) {
    static_cast<void>(register_one("files:read"));
    const auto reader = identity("reader", {"agents:read"});
    Names names;
    boost::json::object params{{"limit", 3}};
    for (;;) {
        const auto page = ok(reader, "capabilities.list", params);
        for (const auto& one : page.at("capabilities").as_array())
            names.push_back(text(one.as_object(), "name"));
        if (!page.contains("next_cursor")) break;
        params["cursor"] = page.at("next_cursor");
    }
    BOOST_TEST((names == Names{"admin:*", "agents:call", "agents:read", "agents:write",
                               "audit:read", "files:read", "keys:manage", "rotations:write"}));
    BOOST_TEST((refused(reader, "capabilities.list", {{"cursor", "x"}}) == Code::invalid_params));
    BOOST_TEST((refused(identity("nobody", {}), "capabilities.list") == Code::permission_denied));
}

BOOST_AUTO_TEST_CASE(names_have_one_form_and_admin_stands_for_everything) {
    for (const char* wrong : {"", "*", ":*", "files", "files:*", "admin:x", "admin:*", "a:b:c"})
        BOOST_TEST(
            (refused(admin, "capabilities.create", {{"name", wrong}}) == Code::invalid_params),
            wrong);
    static_cast<void>(register_one("files:read"));
    BOOST_TEST(
        (refused(admin, "capabilities.create", {{"name", "files:read"}}) == Code::already_exists));
    BOOST_TEST(
        (refused(admin, "capabilities.create", {{"name", "agents:read"}}) == Code::already_exists));
    const auto agent_id = create_agent("a");
    for (const char* wrong : {"", "*", ":*", "*:*", "files", "files:", "admin:x", "files:**"})
        BOOST_TEST((refused_grant(admin, agent_id, wrong) == Code::invalid_params), wrong);
    const boost::json::object both{
        {"agent_id", agent_id}, {"capability", "files:read"}, {"capability_id", agent_id}};
    BOOST_TEST((refused(admin, "capabilities.grant", both) == Code::invalid_params));
    BOOST_TEST(
        (refused(admin, "capabilities.grant", {{"agent_id", agent_id}}) == Code::invalid_params));
}

BOOST_AUTO_TEST_CASE(only_what_is_registered_is_granted_and_wildcards_over_it) {
    const auto agent_id = create_agent("a");
    BOOST_TEST((refused_grant(admin, agent_id, "files:read") == Code::not_found));
    BOOST_TEST((refused_grant(admin, agent_id, "files:*") == Code::not_found));
    static_cast<void>(register_one("files:read"));
    BOOST_TEST((refused_grant(admin, agent_id, "file:*") == Code::not_found));
    const auto wildcard = grant(admin, agent_id, "files:*");
    BOOST_REQUIRE(wildcard.has_value());
    BOOST_TEST(!wildcard->as_object().contains("capability_id"));
    BOOST_TEST(grant(admin, agent_id, "agents:*").has_value());
    BOOST_TEST(grant(admin, agent_id, "admin:*").has_value());
    BOOST_TEST((held(agent_id) == Names{"admin:*", "agents:*", "files:*"}));
    BOOST_TEST(
        (refused_grant(admin, make_uuid_v7(clock, random), "files:read") == Code::not_found));
    static_cast<void>(ok(admin, "agents.revoke", {{"agent_id", agent_id}}));
    BOOST_TEST((refused_grant(admin, agent_id, "files:read") == Code::wrong_state));
}

BOOST_AUTO_TEST_CASE(nobody_changes_their_own_capabilities) {
    const auto other = identity("other-admin", {"admin:*"});
    BOOST_TEST((refused_grant(other, other.agent_id, "agents:read") == Code::permission_denied));
    const boost::json::object own{{"agent_id", other.agent_id}, {"capability", "admin:*"}};
    BOOST_TEST((refused(other, "capabilities.revoke", own) == Code::permission_denied));
    BOOST_TEST((held(other.agent_id) == Names{"admin:*"}));
    BOOST_TEST(audited("capabilities.grant", "permission_denied") == 1U);
    BOOST_TEST(audited("capabilities.revoke", "permission_denied") == 1U);
}

BOOST_AUTO_TEST_CASE(no_grant_is_wider_than_what_its_giver_may_through_this_key) {
    const auto agent_id = create_agent("a");
    static_cast<void>(register_one("files:read"));
    for (const auto& weak : {identity("writer", {"agents:*", "keys:*", "files:*"}),
                             identity("narrow", {"admin:*"}, Names{"agents:write", "files:*"})})
        for (const char* capability : {"files:read", "agents:write", "admin:*"})
            BOOST_TEST((refused_grant(weak, agent_id, capability) == Code::permission_denied));
    BOOST_TEST(held(agent_id).empty());
}

BOOST_AUTO_TEST_CASE(a_revoked_capability_is_gone_at_the_next_call) {
    const auto user = identity("user", {"agents:read"});
    static_cast<void>(ok(user, "agents.list"));
    const boost::json::object params{{"agent_id", user.agent_id}, {"capability", "agents:read"}};
    const auto revoked = ok(admin, "capabilities.revoke", params);
    BOOST_TEST(text(revoked, "capability") == "agents:read");
    BOOST_TEST((refused(user, "agents.list") == Code::permission_denied));
    BOOST_TEST((refused(admin, "capabilities.revoke", params) == Code::not_found));
    BOOST_TEST(grant(admin, user.agent_id, "agents:*").has_value());
    static_cast<void>(ok(user, "agents.list"));
    // By a name in the path; a wildcard has no other.
    static_cast<void>(
        ok(admin, "capabilities.revoke", {{"agent_id", user.agent_id}, {"cap_id", "agents:*"}}));
    BOOST_TEST(grant(admin, user.agent_id, "agents:read").has_value());
    const auto id = "00000000-0000-7000-8000-000000000002";
    static_cast<void>(
        ok(admin, "capabilities.revoke", {{"agent_id", user.agent_id}, {"cap_id", id}}));
    BOOST_TEST(held(user.agent_id).empty());
    BOOST_TEST(audited("capability.revoked") == 3U);
    BOOST_TEST((refused(admin, "capabilities.revoke",
                        {{"agent_id", user.agent_id}, {"cap_id", "nonsense"}}) == Code::not_found));
}

// A weaker caller makes a code for an agent without rights, an admin grants it some, the code is
// used: whoever uses it would be that agent.
BOOST_AUTO_TEST_CASE(a_code_is_worthless_once_the_agent_may_more_than_its_maker_could) {
    const auto writer = identity("writer", {"agents:write"});
    const auto narrow = identity("narrow", {"admin:*"}, Names{"agents:write", "agents:read"});
    for (const auto& maker : {writer, narrow}) {
        const auto agent_id = create_agent("by-" + maker.agent_id);
        const auto code = code_by(maker, agent_id);
        BOOST_TEST(grant(admin, agent_id, "audit:read").has_value());
        BOOST_TEST((enroll_refused(code) == Code::unknown_credential));
        BOOST_TEST(!row(agent_id).enrolled_at.has_value());
        // One by somebody who may as much works.
        BOOST_TEST(enroll(code_by(admin, agent_id)).has_value());
    }
    // What its maker could is no reason to refuse it, nor is a maker who has lost it since.
    const auto agent_id = create_agent("a");
    const auto code = code_by(narrow, agent_id);
    BOOST_TEST(grant(admin, agent_id, "agents:read").has_value());
    BOOST_TEST(enroll(code).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
