#include "protocol/close_codes.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey::protocol;

BOOST_AUTO_TEST_SUITE(close_codes_tests)

BOOST_AUTO_TEST_CASE(each_code_advises_as_the_contract_says) {
    for (const int code :
         {1000, 1001, 1005, 1006, 1011, 1012, 3000, 4000, 4001, 4003, 4004, 4005, 4499, 0, 65535})
        BOOST_TEST(
            (reconnect_advice(static_cast<std::uint16_t>(code)) == ReconnectAdvice::back_off),
            code);
    BOOST_TEST((reconnect_advice(4002) == ReconnectAdvice::wait_a_while));
    BOOST_TEST((reconnect_advice(4010) == ReconnectAdvice::slowly));
    BOOST_TEST((reconnect_advice(4011) == ReconnectAdvice::slowly));
    for (const int code : {1007, 1009, 4500, 4501, 4503, 4999})
        BOOST_TEST(
            (reconnect_advice(static_cast<std::uint16_t>(code)) == ReconnectAdvice::not_as_you_are),
            code);
}

BOOST_AUTO_TEST_CASE(codes_have_names) {
    BOOST_TEST(close_name(4000) == "draining");
    BOOST_TEST(close_name(4002) == "superseded");
    BOOST_TEST(close_name(4500) == "revoked");
    BOOST_TEST(close_name(4503) == "protocol_violation");
    BOOST_TEST(close_name(4242) == "unknown");
}

BOOST_AUTO_TEST_SUITE_END()
