#include "server/rpc/last_admin.hpp"
#include "tests/unit/server/support/door_world.hpp"

using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;

namespace {

using Names = std::vector<std::string>;

struct Fixture : DoorWorld {
    bool last(const rpc::Caller& caller) {
        return read<bool>([&](storage::Transaction& t) {
            return rpc::is_last_admin_in(t, caller.agent_id, clock.now());
        });
    }
    bool last_key(const rpc::Caller& caller) {
        return read<bool>([&](storage::Transaction& t) {
            return rpc::is_last_admin_key_in(t, caller.agent_id, caller.key_id, clock.now());
        });
    }
    // A second key of the same identity.
    void add_key(const rpc::Caller& caller, const std::function<void(storage::ApiKeyRow&)>& shape) {
        storage::ApiKeyRow key;
        key.key_id = make_uuid_v7(clock, random);
        key.agent_id = caller.agent_id;
        shape(key);
        static_cast<void>(write<bool>([&](storage::Transaction& t) -> Result<bool> {
            REKEY_TRY(t.api_keys().insert(key));
            return true;
        }));
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(last_admin_tests, Fixture)

BOOST_AUTO_TEST_CASE(the_only_admin_is_the_last_one) {
    BOOST_TEST(last(admin));
    BOOST_TEST(last_key(admin));
    BOOST_TEST(!last(identity("writer", {"agents:write", "agents:*"})));
    BOOST_TEST(last(admin));
    const auto other = identity("other", {"admin:*"});
    BOOST_TEST(!last(admin));
    BOOST_TEST(!last_key(admin));
    BOOST_TEST(!last(other));
}

BOOST_AUTO_TEST_CASE(who_cannot_administer_with_any_key_does_not_count) {
    static_cast<void>(identity("narrow", {"admin:*"}, Names{"agents:*", "keys:manage"}));
    BOOST_TEST(last(admin));
    const auto suspended = identity("suspended", {"admin:*"});
    change_row(suspended.agent_id, [](storage::AgentRow& row) {
        row.credentials.status = storage::AgentStatus::suspended;
    });
    BOOST_TEST(last(admin));
    BOOST_TEST(!last(suspended));
    // A key that ends within a day does not count for others; for who has it, it does until then.
    const auto ending = identity("ending", {"admin:*"}, Names{"agents:read"});
    add_key(ending, [&](storage::ApiKeyRow& key) {
        key.expires_at = clock.now() + std::chrono::days{1} + Milliseconds{5};
        key.capabilities = Names{"admin:*"};
    });
    add_key(ending, [&](storage::ApiKeyRow& key) { key.revoked_at = clock.now(); });
    add_key(ending, [&](storage::ApiKeyRow& key) {
        key.valid_until = clock.now() + std::chrono::days{1} + Milliseconds{7};
    });
    BOOST_TEST(!last(admin));
    clock.advance(Milliseconds{5});
    BOOST_TEST(!last(admin));
    clock.advance(Milliseconds{2});
    BOOST_TEST(last(admin));
    BOOST_TEST(!last(ending));
    change_row(admin.agent_id, [](storage::AgentRow& row) {
        row.credentials.status = storage::AgentStatus::suspended;
    });
    BOOST_TEST(last(ending));
    clock.advance(std::chrono::days{1});
    BOOST_TEST(!last(ending));
}

BOOST_AUTO_TEST_CASE(a_key_that_does_not_administer_may_go_whatever_is_left) {
    const auto narrow = identity("narrow", {"admin:*"}, Names{"agents:read"});
    BOOST_TEST(!last_key(narrow));
    // Beside one that ends soon as well.
    add_key(narrow,
            [&](storage::ApiKeyRow& key) { key.expires_at = clock.now() + Milliseconds{5}; });
    change_row(admin.agent_id, [](storage::AgentRow& row) {
        row.credentials.status = storage::AgentStatus::suspended;
    });
    BOOST_TEST(last(narrow));
    BOOST_TEST(!last_key(narrow));
}

BOOST_AUTO_TEST_CASE(a_second_key_lets_the_first_one_go) {
    add_key(admin, [](storage::ApiKeyRow& key) { key.capabilities = Names{"agents:write"}; });
    BOOST_TEST(last_key(admin));
    add_key(admin, [](storage::ApiKeyRow&) {});
    BOOST_TEST(!last_key(admin));
    BOOST_TEST(last(admin));
}

BOOST_AUTO_TEST_SUITE_END()
