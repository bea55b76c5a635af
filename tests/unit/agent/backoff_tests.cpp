#include "agent/backoff.hpp"
#include "fakes.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::agent;

BOOST_AUTO_TEST_SUITE(backoff_tests)

BOOST_AUTO_TEST_CASE(each_delay_is_anywhere_in_a_window_that_doubles_up_to_the_cap) {
    const Milliseconds expected[] = {
        Milliseconds{500},   Milliseconds{1000},  Milliseconds{2000},
        Milliseconds{4000},  Milliseconds{8000},  Milliseconds{16000},
        Milliseconds{32000}, Milliseconds{60000}, Milliseconds{60000},
    };
    std::vector<Milliseconds> longest(std::size(expected));
    std::vector<Milliseconds> shortest(std::size(expected), Milliseconds::max());
    SeededRandom random(7);
    for (int round = 0; round < 300; ++round) {
        Backoff backoff(random);
        for (std::size_t i = 0; i < std::size(expected); ++i) {
            BOOST_TEST(backoff.window() == expected[i]);
            const Milliseconds delay = backoff.next();
            longest[i] = std::max(longest[i], delay);
            shortest[i] = std::min(shortest[i], delay);
        }
    }
    for (std::size_t i = 0; i < std::size(expected); ++i) {
        BOOST_TEST(longest[i] <= expected[i]);
        BOOST_TEST(longest[i] > expected[i] * 9 / 10);  // full jitter: all of the window
        BOOST_TEST(shortest[i] < expected[i] / 10);
    }
}

BOOST_AUTO_TEST_CASE(a_reset_starts_anew) {
    SeededRandom random(1);
    Backoff backoff(random);
    for (int i = 0; i < 20; ++i) static_cast<void>(backoff.next());
    BOOST_TEST(backoff.window() == Milliseconds{limits::kReconnectBackoffCap});
    backoff.reset();
    BOOST_TEST(backoff.window() == Milliseconds{limits::kReconnectBackoffFirst});
}

BOOST_AUTO_TEST_CASE(at_least_never_goes_below) {
    SeededRandom random(3);
    for (int i = 0; i < 1000; ++i) {
        const Milliseconds delay = at_least(Milliseconds{60000}, random);
        BOOST_TEST(delay >= Milliseconds{60000});
        BOOST_TEST(delay <= Milliseconds{120000});
    }
}

BOOST_AUTO_TEST_SUITE_END()
