#include "base/encoding.hpp"
#include "base/ids.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>
#include <string>

using namespace rekey;

namespace {

class FixedClock final : public Clock {
  public:
    explicit FixedClock(std::int64_t milliseconds) : now_(Milliseconds(milliseconds)) {}
    [[nodiscard]] Time now() const override { return now_; }
    [[nodiscard]] SteadyTime steady_now() const override { return {}; }

  private:
    Time now_;
};

class FixedRandom final : public Random {
  public:
    explicit FixedRandom(std::string_view hex) : bytes_(*from_hex(hex)) {}
    void fill(std::span<std::uint8_t> bytes) override {
        BOOST_REQUIRE(bytes.size() == bytes_.size());
        std::copy(bytes_.begin(), bytes_.end(), bytes.begin());
    }

  private:
    Bytes bytes_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(ids_tests)

// RFC 9562, appendix A.6.
BOOST_AUTO_TEST_CASE(an_id_is_the_example_of_rfc_9562) {
    FixedRandom random("0000000000000cc318c4dc0c0c07398f");
    BOOST_TEST(make_uuid_v7(FixedClock(0x017F22E279B0), random) ==
               "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    // Whatever the random bits, version and variant stay.
    FixedRandom ones("ffffffffffffffffffffffffffffffff");
    BOOST_TEST(make_uuid_v7(FixedClock(0), ones) == "00000000-0000-7fff-bfff-ffffffffffff");
}

BOOST_AUTO_TEST_CASE(ids_sort_by_the_time_they_were_made) {
    SeededRandom random(1);
    std::string before;
    for (const std::int64_t time : {1LL, 255LL, 256LL, 1'000'000LL, 1'700'000'000'000LL,
                                    1'700'000'000'001LL, (1LL << 48) - 1}) {
        const std::string id = make_uuid_v7(FixedClock(time), random);
        BOOST_TEST(is_uuid(id));
        BOOST_TEST(before < id);
        before = id;
    }
}

BOOST_AUTO_TEST_CASE(ids_of_one_millisecond_differ) {
    SystemRandom random;
    std::set<std::string> seen;
    for (int i = 0; i < 10'000; ++i) seen.insert(make_uuid_v7(FixedClock(7), random));
    BOOST_TEST(seen.size() == 10'000U);
}

BOOST_AUTO_TEST_CASE(only_the_lower_case_text_form_is_a_uuid) {
    BOOST_TEST(is_uuid("01890a5d-ac96-774b-bcce-b302099a8057"));
    BOOST_TEST(is_uuid("00000000-0000-0000-0000-000000000000"));
    for (const std::string_view text :
         {"", "01890A5D-ac96-774b-bcce-b302099a8057", "01890a5dac96774bbcceb302099a8057",
          "01890a5d-ac96-774b-bcce-b302099a805", "01890a5d-ac96-774b-bcce-b302099a80570",
          "01890a5d-ac96-774b-bcce_b302099a8057", "01890a5g-ac96-774b-bcce-b302099a8057",
          "{1890a5d-ac96-774b-bcce-b302099a805}", "-1890a5d-ac96-774b-bcce-b302099a8057"})
        BOOST_TEST(!is_uuid(text), text);
}

BOOST_AUTO_TEST_SUITE_END()
