// What an agent's operator sees of its waits, and can do about them.

#include "base/limits.hpp"
#include "fakes.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::agent;
using namespace rekey::agent::test;

BOOST_AUTO_TEST_SUITE(connector_waits_tests)

BOOST_AUTO_TEST_CASE(a_second_holder_is_hinted_at) {
    for (const std::uint16_t code : {std::uint16_t{4002}, std::uint16_t{4011}}) {
        Stage stage;
        stage.establish();
        stage.transport.end(code);
        BOOST_TEST(stage.logged("two copies of its state file"));
    }
    Stage stage;
    stage.establish();
    stage.transport.end(4000);
    BOOST_TEST(!stage.logged("two copies"));
}

BOOST_AUTO_TEST_CASE(a_slow_wait_can_be_ended) {
    Stage stage;
    stage.transport.refuse_as(Code::agent_suspended);
    BOOST_TEST(stage.connector->status().retry_in >= Milliseconds{limits::kSlowRetry});
    const unsigned before = stage.transport.opens;
    stage.connector->try_now();
    BOOST_TEST(stage.transport.opens == before + 1);
    stage.connector->try_now();                  // it is at it
    stage.time.run_for(2 * limits::kSlowRetry);  // the wait that was ended does not end again
    BOOST_TEST(stage.transport.opens == before + 1);
    stage.establish();
    stage.connector->try_now();
    BOOST_TEST(stage.transport.opens == before + 1);
    BOOST_TEST((stage.connector->status().state == ConnectionState::connected));
}

BOOST_AUTO_TEST_SUITE_END()
