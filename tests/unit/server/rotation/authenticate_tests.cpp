#include "tests/unit/server/rotation/rows.hpp"

using namespace rekey;
using namespace rekey::server::rotation;
using namespace std::chrono_literals;
using storage::AgentStatus;

// Who may connect: status x slot x expiry x tombstone.
BOOST_AUTO_TEST_SUITE(authenticate_tests)

namespace {

// Current 2 (expires in 10 days), previous 1 (expires in 1 day), pending 3.
Credentials full(AgentStatus status) {
    Credentials row = begin(promoted(), minted(3), kNow).after;
    row.previous->expires_at = kNow + 24h;
    row.status = status;
    return row;
}

struct Expected {
    std::uint64_t generation;
    TokenSlot slot;
    bool expires_with_time;
};

constexpr Expected kSlots[] = {
    {2, TokenSlot::current, true}, {3, TokenSlot::pending, false}, {1, TokenSlot::previous, true}};
constexpr std::uint64_t kForeign = 9;

}  // namespace

BOOST_AUTO_TEST_CASE(an_active_agent_is_let_in_with_each_live_token_until_that_expires) {
    for (const auto tombstone : {TombstoneMatch::no, TombstoneMatch::yes})
        for (const Expected& expected : kSlots)
            for (const Time now : {kNow, kNow + 11 * 24h}) {
                const auto answer = authenticate(full(AgentStatus::active),
                                                 hash_of(expected.generation), tombstone, now);
                if (now != kNow && expected.expires_with_time) {
                    check_error(answer, Code::token_expired);
                    continue;
                }
                BOOST_REQUIRE(answer.has_value());
                BOOST_TEST((answer->slot == expected.slot));
                BOOST_TEST(answer->generation == expected.generation);
                BOOST_TEST(answer->rotation_id == rotation(expected.generation));
            }
}

BOOST_AUTO_TEST_CASE(each_token_expires_by_its_own_time) {
    const Credentials row = full(AgentStatus::active);
    const auto at = [&row](std::uint64_t generation, Time now) {
        return authenticate(row, hash_of(generation), TombstoneMatch::no, now);
    };
    BOOST_TEST(at(1, kNow + 24h - 1ms).has_value());
    check_error(at(1, kNow + 24h), Code::token_expired);
    BOOST_TEST(at(2, kNow + 24h).has_value());
    BOOST_TEST(at(2, kNow + 10 * 24h - 1ms).has_value());
    check_error(at(2, kNow + 10 * 24h), Code::token_expired);
}

BOOST_AUTO_TEST_CASE(a_token_without_an_expiry_is_never_refused_as_expired) {
    Credentials row = full(AgentStatus::active);
    row.current->expires_at.reset();
    row.previous->expires_at.reset();
    for (const Expected& expected : kSlots)
        BOOST_TEST(
            authenticate(row, hash_of(expected.generation), TombstoneMatch::no, kNow + 100'000h)
                .has_value());
}

BOOST_AUTO_TEST_CASE(a_previous_past_its_grace_is_accepted_until_it_is_retired) {
    const Credentials row = in_grace();
    BOOST_TEST(authenticate(row, hash_of(1), TombstoneMatch::no, kNow + 1h).has_value());
    const Credentials retired = retire(row, kNow + 1h).after;
    check_error(authenticate(retired, hash_of(1), TombstoneMatch::yes, kNow + 1h),
                Code::unknown_credential);
}

BOOST_AUTO_TEST_CASE(a_refused_status_is_told_to_the_holder_of_a_secret_only) {
    const std::pair<AgentStatus, Code> refused[] = {{AgentStatus::suspended, Code::agent_suspended},
                                                    {AgentStatus::revoked, Code::agent_revoked}};
    for (const auto& [status, code] : refused)
        for (const Time now : {kNow, kNow + 11 * 24h}) {
            for (const Expected& expected : kSlots)
                check_error(authenticate(full(status), hash_of(expected.generation),
                                         TombstoneMatch::no, now),
                            code);
            check_error(authenticate(full(status), hash_of(kForeign), TombstoneMatch::yes, now),
                        code);
            check_error(authenticate(full(status), hash_of(kForeign), TombstoneMatch::no, now),
                        Code::unknown_credential);
        }
}

BOOST_AUTO_TEST_CASE(a_foreign_or_retired_token_of_an_active_agent_is_unknown) {
    for (const auto tombstone : {TombstoneMatch::no, TombstoneMatch::yes})
        for (const Credentials& row : {full(AgentStatus::active), settled(), Credentials{}})
            check_error(authenticate(row, hash_of(kForeign), tombstone, kNow),
                        Code::unknown_credential);
}

BOOST_AUTO_TEST_CASE(a_hash_that_differs_in_its_last_byte_only_is_foreign) {
    Bytes32 hash = hash_of(2);
    hash[31] ^= 1U;
    check_error(authenticate(full(AgentStatus::active), hash, TombstoneMatch::no, kNow),
                Code::unknown_credential);
}

BOOST_AUTO_TEST_CASE(the_accepted_hashes_are_those_of_the_row_whatever_status_and_clock) {
    for (const AgentStatus status : {AgentStatus::active, AgentStatus::suspended}) {
        const std::vector<Bytes32> hashes = accepted_hashes(full(status));
        BOOST_TEST(hashes.size() == 3U);
        for (const Expected& expected : kSlots)
            BOOST_TEST(std::ranges::count(hashes, hash_of(expected.generation)) == 1);
    }
    BOOST_TEST(accepted_hashes(Credentials{}).empty());
}

BOOST_AUTO_TEST_SUITE_END()
