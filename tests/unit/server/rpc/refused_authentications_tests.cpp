#include "base/limits.hpp"
#include "protocol/token.hpp"
#include "server/rpc/refused_authentications.hpp"
#include "storage/memory/memory_store.hpp"
#include "tests/support/virtual_time.hpp"
#include "tests/unit/server/support/world.hpp"

using namespace rekey;
using namespace rekey::server::rpc;
using rekey::server::testing::ManualClock;

namespace {

constexpr const char* kOneId = "01980000-0000-7000-8000-00000000000a";
constexpr const char* kOtherId = "01980000-0000-7000-8000-00000000000b";

struct Fixture {
    void refuse(std::string_view address, std::string_view claimed = {},
                Code code = Code::unknown_credential, EntryDoor door = EntryDoor::agent) {
        refused.note({door, address, claimed, code});
    }
    [[nodiscard]] const std::vector<storage::AuditRow>& rows() const { return database->audit; }

    ManualClock clock;
    std::unique_ptr<Log> log = make_silent_log();
    std::shared_ptr<storage::MemoryDatabase> database = std::make_shared<storage::MemoryDatabase>();
    storage::MemoryStore store{database};
    RefusedAuthentications refused{{store, clock, *log}};
};

std::uint64_t count_of(const storage::AuditEvent& event) {
    return event.details.at("count").to_number<std::uint64_t>();
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(refused_authentications_tests, Fixture)

BOOST_AUTO_TEST_CASE(attempts_alike_are_one_row_with_first_last_and_count) {
    for (int i = 0; i < 5; ++i) {
        refuse("192.0.2.1", kOneId);
        clock.advance(std::chrono::seconds{2});
    }
    BOOST_TEST(rows().empty());
    refused.flush();
    BOOST_REQUIRE(rows().size() == 1U);
    const auto& event = rows()[0].event;
    BOOST_TEST(event.action == "auth.refused");
    BOOST_TEST(event.actor == "system");
    BOOST_TEST(event.subject == kOneId);
    BOOST_TEST(event.outcome == "unknown_credential");
    BOOST_TEST(event.details.at("address").as_string() == "192.0.2.1");
    BOOST_TEST(event.details.at("door").as_string() == "agent");
    BOOST_TEST(count_of(event) == 5U);
    BOOST_TEST(event.details.at("first").as_string() != event.details.at("last").as_string());
    // What was written is not written again.
    refused.flush();
    BOOST_TEST(rows().size() == 1U);
}

BOOST_AUTO_TEST_CASE(each_address_id_door_and_outcome_has_its_own) {
    refuse("192.0.2.1", kOneId);
    refuse("192.0.2.2", kOneId);
    refuse("192.0.2.1", kOtherId);
    refuse("192.0.2.1", kOneId, Code::agent_suspended);
    refuse("192.0.2.1", kOneId, Code::unknown_credential, EntryDoor::enroll);
    refuse("2001:db8::1");
    refuse("2001:db8::2");
    refused.flush();
    BOOST_REQUIRE(rows().size() == 6U);
    std::size_t networks = 0;
    for (const auto& row : rows()) {
        if (row.event.details.at("address").as_string() != "2001:db8::/64") continue;
        ++networks;
        BOOST_TEST(row.event.subject == "unknown");
        BOOST_TEST(count_of(row.event) == 2U);
    }
    BOOST_TEST(networks == 1U);
}

BOOST_AUTO_TEST_CASE(what_says_nothing_about_a_credential_is_not_noted) {
    for (const Code code : {Code::unavailable, Code::rate_limited, Code::invalid_params,
                            Code::permission_denied, Code::internal})
        refuse("192.0.2.1", kOneId, code);
    BOOST_TEST(refused.take().empty());
}

BOOST_AUTO_TEST_CASE(a_flood_is_bounded_and_loses_no_count) {
    constexpr std::uint64_t kFlood = 100'000;
    for (std::uint64_t i = 0; i < kFlood; ++i) refuse("198.51.100." + std::to_string(i));
    const auto events = refused.take();
    BOOST_REQUIRE(events.size() == limits::kRefusalsRemembered + 1);
    std::uint64_t sum = 0;
    for (const auto& event : events) sum += count_of(event);
    BOOST_TEST(sum == kFlood);
    BOOST_TEST(events.back().subject == "other");
    BOOST_TEST(!events.back().details.contains("address"));
}

// No stranger's text and no part of a secret is kept.
BOOST_AUTO_TEST_CASE(only_the_id_of_a_well_formed_credential_is_claimed) {
    SeededRandom random(7);
    const Secret key = protocol::mint_token(protocol::TokenKind::api_key, kOneId, random);
    BOOST_TEST(claimed_id(key.expose()) == kOneId);
    std::string mistyped(key.expose());
    mistyped.back() = mistyped.back() == 'a' ? 'b' : 'a';
    BOOST_TEST(claimed_id(mistyped).empty());
    // Where an id is asked for, anybody may write anything.
    refuse("192.0.2.1", "rka_my-secret");
    refuse("192.0.2.1", "0123456789012345678901234567890123456789abcdefXYZ");
    const auto events = refused.take();
    BOOST_REQUIRE(events.size() == 1U);
    BOOST_TEST(events[0].subject == "unknown");
    for (const char* text : {"", "rka_x", "hello", "eyJhbGciOiJub25lIn0.e30."})
        BOOST_TEST(claimed_id(text).empty());
}

BOOST_AUTO_TEST_CASE(a_timer_writes_them_once_a_minute) {
    rekey::testing::VirtualTime time;
    refused.start(time);
    refuse("192.0.2.1");
    time.run_for(Milliseconds(limits::kRefusalsFlush) - Milliseconds{1});
    BOOST_TEST(rows().empty());
    time.run_for(Milliseconds{1});
    BOOST_TEST(rows().size() == 1U);
    refuse("192.0.2.1");
    time.run_for(Milliseconds(limits::kRefusalsFlush));
    BOOST_TEST(rows().size() == 2U);
    refused.stop();
    refuse("192.0.2.1");
    time.run_for(Milliseconds(limits::kRefusalsFlush));
    BOOST_TEST(rows().size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
