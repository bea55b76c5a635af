#include "base/limits.hpp"
#include "server/rpc/failure_limiter.hpp"
#include "tests/unit/server/support/world.hpp"

using namespace rekey;
using namespace rekey::server::rpc;
using rekey::server::testing::ManualClock;

namespace {

struct Fixture {
    ManualClock clock;
    SeededRandom random{7};
    FailureLimiter limiter{clock, random};

    Error fail(const std::string& address, std::int64_t per_minute = 3) {
        return limiter.answer_failure(address, per_minute, Error(Code::unknown_credential));
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(failure_limiter_tests, Fixture)

BOOST_AUTO_TEST_CASE(the_bucket_empties_and_fills_again) {
    for (int i = 0; i < 3; ++i) BOOST_TEST((fail("192.0.2.1").code() == Code::unknown_credential));
    const Error refused = fail("192.0.2.1");
    BOOST_TEST((refused.code() == Code::rate_limited));
    BOOST_REQUIRE(refused.retry_after().has_value());
    clock.advance(*refused.retry_after());
    BOOST_TEST((fail("192.0.2.1").code() == Code::unknown_credential));
    BOOST_TEST((fail("192.0.2.1").code() == Code::rate_limited));
    clock.advance(std::chrono::hours{1});
    for (int i = 0; i < 3; ++i) BOOST_TEST((fail("192.0.2.1").code() == Code::unknown_credential));
    BOOST_TEST((fail("192.0.2.1").code() == Code::rate_limited));
}

BOOST_AUTO_TEST_CASE(each_address_has_its_own_and_zero_is_off) {
    for (int i = 0; i < 4; ++i) static_cast<void>(fail("192.0.2.1"));
    BOOST_TEST((fail("192.0.2.2").code() == Code::unknown_credential));
    BOOST_TEST((fail("192.0.2.1", 0).code() == Code::unknown_credential));
}

BOOST_AUTO_TEST_CASE(an_ipv6_network_is_one_address) {
    for (int i = 0; i < 4; ++i) static_cast<void>(fail("2001:db8::" + std::to_string(i)));
    BOOST_TEST((fail("2001:db8::ffff").code() == Code::rate_limited));
    BOOST_TEST((fail("2001:db8:0:1::1").code() == Code::unknown_credential));
    BOOST_TEST(counted_address("2001:db8::1:2:3:4") == "2001:db8::/64");
    BOOST_TEST(counted_address("::ffff:192.0.2.1") == "192.0.2.1");
    BOOST_TEST(counted_address("no address") == "no address");
}

// The attacker has a million addresses; what he cannot buy with them is a new bucket for one.
BOOST_AUTO_TEST_CASE(a_million_addresses_cost_no_memory_and_free_nobody) {
    const std::size_t memory = limiter.memory_bytes();
    BOOST_TEST(memory <= limits::kFailureAddresses * 24);
    for (int i = 0; i < 4; ++i) static_cast<void>(fail("the offender"));
    std::size_t first_heard_limited = 0;
    for (int i = 0; i < 1'000'000; ++i) {
        if (fail("198.18." + std::to_string(i)).code() == Code::rate_limited) ++first_heard_limited;
    }
    // A newcomer has a bucket of his own, however many came before.
    BOOST_TEST(first_heard_limited == 0U);
    BOOST_TEST(limiter.memory_bytes() == memory);
    BOOST_TEST(limiter.addresses() <= limits::kFailureAddresses);
    BOOST_TEST((fail("the offender").code() == Code::rate_limited));
}

// Full buckets are forgotten first, so ordinary traffic never costs anybody his own.
BOOST_AUTO_TEST_CASE(old_offenders_make_room) {
    for (std::size_t i = 0; i < 2 * limits::kFailureAddresses; ++i) {
        for (int times = 0; times < 3; ++times) static_cast<void>(fail(std::to_string(i)));
    }
    clock.advance(std::chrono::minutes{1});
    for (int i = 0; i < 4; ++i) static_cast<void>(fail("the offender"));
    for (std::size_t i = 0; i < limits::kFailureAddresses; ++i) {
        static_cast<void>(fail("another " + std::to_string(i)));
    }
    BOOST_TEST((fail("the offender").code() == Code::rate_limited));
}

BOOST_AUTO_TEST_SUITE_END()
