#include "server/rpc/caller.hpp"
#include "tests/unit/server/support/door_world.hpp"

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;

namespace {

struct Fixture : DoorWorld {
    Result<rpc::Caller> authenticate(std::string_view text) {
        return bootstrap::read_now<rpc::Caller>(*store, [&](storage::Transaction& transaction) {
            return rpc::authenticate(transaction, text, clock.now());
        });
    }
    Code refusal(std::string_view text) {
        const auto caller = authenticate(text);
        BOOST_REQUIRE(caller.has_error());
        return caller.error().code();
    }
    std::string text_of(const rpc::Caller& caller) {
        return std::string(key_texts.at(caller.agent_id).expose());
    }
    void set_status(const rpc::Caller& caller, storage::AgentStatus status) {
        change_row(caller.agent_id,
                   [&](storage::AgentRow& row) { row.credentials.status = status; });
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(caller_tests, Fixture)

BOOST_AUTO_TEST_CASE(a_right_key_is_its_agent_with_its_capabilities) {
    const auto reader = identity("reader", {"agents:read"});
    const auto caller = authenticate(text_of(reader));
    BOOST_REQUIRE(caller.has_value());
    BOOST_TEST(caller->agent_id == reader.agent_id);
    BOOST_TEST(caller->may("agents:read"));
    BOOST_TEST(!caller->may("agents:write"));
}

BOOST_AUTO_TEST_CASE(a_key_may_hold_less_than_its_agent_and_never_more) {
    const std::vector<std::string> of_key{"agents:read", "keys:manage"};
    const auto caller = identity("narrow", {"agents:*"}, of_key);
    BOOST_TEST(caller.may("agents:read"));
    BOOST_TEST(!caller.may("agents:write"));
    BOOST_TEST(!caller.may("keys:manage"));
    const auto nothing = identity("nothing", {"admin:*"}, std::vector<std::string>{});
    BOOST_TEST(!nothing.may("agents:read"));
}

BOOST_AUTO_TEST_CASE(whoever_lacks_the_secret_hears_unknown_credential_whatever_the_state) {
    std::string text = text_of(admin);
    BOOST_TEST((refusal("") == Code::unknown_credential));
    BOOST_TEST((refusal("rkk_x_y") == Code::unknown_credential));
    const auto stranger =
        protocol::mint_token(protocol::TokenKind::api_key, make_uuid_v7(clock, random), random);
    BOOST_TEST((refusal(stranger.expose()) == Code::unknown_credential));
    // The right id with another secret, also when the identity is suspended.
    const auto forged = protocol::mint_token(protocol::TokenKind::api_key, admin.key_id, random);
    BOOST_TEST((refusal(forged.expose()) == Code::unknown_credential));
    set_status(admin, storage::AgentStatus::suspended);
    BOOST_TEST((refusal(forged.expose()) == Code::unknown_credential));
    BOOST_TEST((refusal(text) == Code::agent_suspended));
    // An agent token is no API key.
    const auto agent = protocol::mint_token(protocol::TokenKind::agent, admin.key_id, random);
    BOOST_TEST((refusal(agent.expose()) == Code::unknown_credential));
    text.back() = text.back() == 'a' ? 'b' : 'a';
    BOOST_TEST((refusal(text) == Code::unknown_credential));
}

BOOST_AUTO_TEST_CASE(status_expiry_and_revocation_are_read_at_each_call) {
    const auto text = text_of(admin);
    set_status(admin, storage::AgentStatus::revoked);
    BOOST_TEST((refusal(text) == Code::agent_revoked));
    set_status(admin, storage::AgentStatus::active);
    BOOST_TEST(authenticate(text).has_value());
    const auto again = [&] {
        return bootstrap::read_now<rpc::Caller>(*store, [&](storage::Transaction& transaction) {
            return rpc::read_again(transaction, admin, clock.now());
        });
    };
    BOOST_TEST(again().has_value());
    static_cast<void>(write<std::uint64_t>([&](storage::Transaction& transaction) {
        return transaction.api_keys().revoke_all(admin.agent_id, clock.now());
    }));
    BOOST_TEST((refusal(text) == Code::unknown_credential));
    BOOST_TEST((again().error().code() == Code::unknown_credential));
}

BOOST_AUTO_TEST_CASE(an_expired_key_says_so) {
    storage::ApiKeyRow key;
    key.key_id = make_uuid_v7(clock, random);
    key.agent_id = admin.agent_id;
    key.expires_at = clock.now() + std::chrono::hours{1};
    const Secret text = protocol::mint_token(protocol::TokenKind::api_key, key.key_id, random);
    key.key_hash = protocol::token_hash(text);
    static_cast<void>(write<bool>([&](storage::Transaction& transaction) -> Result<bool> {
        REKEY_TRY(transaction.api_keys().insert(key));
        return true;
    }));
    BOOST_TEST(authenticate(text.expose()).has_value());
    clock.advance(std::chrono::hours{1});
    BOOST_TEST((refusal(text.expose()) == Code::token_expired));
}

BOOST_AUTO_TEST_SUITE_END()
