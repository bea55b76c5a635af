#include "base/random.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

using namespace rekey;

namespace {

// Gives these numbers, one a call, lowest byte first.
class Scripted final : public Random {
  public:
    explicit Scripted(std::vector<std::uint64_t> words) : words_(std::move(words)) {}
    void fill(std::span<std::uint8_t> bytes) override {
        BOOST_REQUIRE(at_ < words_.size());
        for (std::size_t i = 0; i < bytes.size(); ++i)
            bytes[i] = static_cast<std::uint8_t>(words_[at_] >> (8 * i));
        ++at_;
    }
    [[nodiscard]] std::size_t used() const { return at_; }

  private:
    std::vector<std::uint64_t> words_;
    std::size_t at_ = 0;
};

constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();

}  // namespace

BOOST_AUTO_TEST_SUITE(random_tests)

BOOST_AUTO_TEST_CASE(between_includes_both_ends) {
    SeededRandom random(1);
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(random.between(10, 15));
    BOOST_TEST(seen.size() == 6U);
    BOOST_TEST(*seen.begin() == 10U);
    BOOST_TEST(*seen.rbegin() == 15U);
    BOOST_TEST(random.between(7, 7) == 7U);
    BOOST_TEST(random.between(kTop, kTop) == kTop);
    Scripted whole({kTop, 0});
    BOOST_TEST(whole.between(0, kTop) == kTop);
    BOOST_TEST(whole.between(0, kTop) == 0U);
}

BOOST_AUTO_TEST_CASE(between_throws_away_what_would_be_unfair) {
    // 2^64 mod 3 = 1: one of the 2^64 words has to go.
    Scripted random({0, 1});
    BOOST_TEST(random.between(0, 2) == 1U);
    BOOST_TEST(random.used() == 2U);
}

BOOST_AUTO_TEST_CASE(between_is_uniform) {
    SeededRandom random(2);
    std::array<int, 10> counts{};
    constexpr int kDraws = 100'000;
    for (int i = 0; i < kDraws; ++i) ++counts[random.between(0, 9)];
    // Five standard deviations of a binomial with p = 0.1; fixed by the seed.
    for (const int count : counts) BOOST_TEST(std::abs(count - kDraws / 10) < 475);
}

BOOST_AUTO_TEST_CASE(unit_is_at_least_0_and_below_1) {
    Scripted random({0, kTop, 1});
    BOOST_TEST(random.unit() == 0.0);
    BOOST_TEST(random.unit() < 1.0);
    BOOST_TEST(random.unit() > 0.0);
    SeededRandom seeded(3);
    double sum = 0;
    for (int i = 0; i < 10'000; ++i) sum += seeded.unit();
    BOOST_TEST(std::abs(sum / 10'000 - 0.5) < 0.02);
}

BOOST_AUTO_TEST_CASE(a_seed_gives_its_stream_again) {
    std::array<std::uint8_t, 37> first{};
    std::array<std::uint8_t, 37> second{};
    SeededRandom one(7);
    SeededRandom same(7);
    one.fill(first);
    same.fill(second);
    BOOST_TEST((first == second));
    one.fill(first);
    BOOST_TEST((first != second));
    SeededRandom other(8);
    other.fill(first);
    BOOST_TEST((first != second));
}

BOOST_AUTO_TEST_CASE(the_system_never_repeats_itself_for_any_size) {
    SystemRandom random;
    random.fill({});
    for (const std::size_t size : {16U, 32U, 511U, 512U, 513U, 5000U}) {
        std::vector<std::uint8_t> one(size);
        std::vector<std::uint8_t> two(size);
        random.fill(one);
        random.fill(two);
        BOOST_TEST((one != two));
        // Neither is mostly zeros: the block is handed out, not what is left after wiping it.
        BOOST_TEST(std::count(one.begin(), one.end(), 0) < static_cast<long>(size / 8 + 4));
    }
}

BOOST_AUTO_TEST_CASE(threads_get_different_bytes) {
    std::mutex mutex;
    std::set<std::array<std::uint8_t, 16>> seen;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            SystemRandom random;
            for (int i = 0; i < 500; ++i) {
                std::array<std::uint8_t, 16> bytes{};
                random.fill(bytes);
                const std::lock_guard lock(mutex);
                seen.insert(bytes);
            }
        });
    for (auto& thread : threads) thread.join();
    BOOST_TEST(seen.size() == 2000U);
}

BOOST_AUTO_TEST_SUITE_END()
