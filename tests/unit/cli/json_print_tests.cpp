#include "cli/json_print.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

using namespace rekey::cli;

BOOST_AUTO_TEST_SUITE(json_print_tests)

BOOST_AUTO_TEST_CASE(members_keep_their_order_and_their_values) {
    const std::string text = R"({"b":[1,-2,0.7],"a":{},"c":{"x":null,"é":"\"\n"},"d":[],"e":true})";
    const std::string pretty = pretty_json(boost::json::parse(text));
    BOOST_TEST(pretty ==
               "{\n"
               "  \"b\": [\n    1,\n    -2,\n    0.7\n  ],\n"
               "  \"a\": {},\n"
               "  \"c\": {\n    \"x\": null,\n    \"é\": \"\\\"\\n\"\n  },\n"
               "  \"d\": [],\n"
               "  \"e\": true\n"
               "}\n");
    BOOST_TEST((boost::json::parse(pretty) == boost::json::parse(text)));
}

BOOST_AUTO_TEST_SUITE_END()
