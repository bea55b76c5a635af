#include "fake_server.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::cli;
using namespace rekey::cli::test;

BOOST_FIXTURE_TEST_SUITE(why_tests, Rekeyctl)

BOOST_AUTO_TEST_CASE(each_finding_is_a_paragraph_with_what_to_do) {
    server.hold({agent(1, "web-1")});
    server.answer("agents.why",
                  R"({"agent_id":")" + id_of(1) +
                      R"(","name":"web-1","findings":[)"
                      R"({"name":"contested","level":"alarm","text":"two live holders",)"
                      R"("advice":"find the second copy"},)"
                      R"({"name":"connected","level":"ok","text":"it is connected"}]})");
    BOOST_TEST((run({"agents", "why", "web-1"}) == ExitCode::ok));
    BOOST_TEST(out.str() ==
               "contested  ALARM\n  two live holders\n  To do: find the second copy\n"
               "\nconnected\n  it is connected\n");
}

BOOST_AUTO_TEST_SUITE_END()
