#include "protocol/proof.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::protocol;

BOOST_AUTO_TEST_SUITE(proof_tests)

BOOST_AUTO_TEST_CASE(the_rotation_proof_is_the_contracts) {
    // Calculated with Python's hmac.
    BOOST_TEST(rotation_proof(Secret("rka_token"), "agent", "rotation", 7) ==
               "d7fdb20d3a20a5e2a5513c65ec2819890b0d76d6c62337a0aef010d3423b1604");
}

BOOST_AUTO_TEST_CASE(every_part_of_the_proof_counts) {
    const Secret token("rka_token");
    const std::string right = rotation_proof(token, "agent", "rotation", 7);
    BOOST_TEST(rotation_proof_is_valid(right, token, "agent", "rotation", 7));
    BOOST_TEST(!rotation_proof_is_valid(right, Secret("rka_tokem"), "agent", "rotation", 7));
    BOOST_TEST(!rotation_proof_is_valid(right, token, "other", "rotation", 7));
    BOOST_TEST(!rotation_proof_is_valid(right, token, "agent", "other", 7));
    BOOST_TEST(!rotation_proof_is_valid(right, token, "agent", "rotation", 8));
    for (std::size_t i = 0; i < right.size(); ++i) {
        std::string wrong = right;
        wrong[i] = wrong[i] == '0' ? '1' : '0';
        BOOST_TEST(!rotation_proof_is_valid(wrong, token, "agent", "rotation", 7));
    }
    BOOST_TEST(!rotation_proof_is_valid("", token, "agent", "rotation", 7));
    BOOST_TEST(!rotation_proof_is_valid(right.substr(1), token, "agent", "rotation", 7));
    BOOST_TEST(!rotation_proof_is_valid(right + "0", token, "agent", "rotation", 7));
}

BOOST_AUTO_TEST_CASE(signed_messages_are_the_contracts) {
    BOOST_TEST(enrollment_message("code", "KEY") == "rekey-enroll-v1\ncode\nKEY");
    BOOST_TEST(recovery_message("agent", "challenge", 9) ==
               "rekey-recover-v1\nagent\nchallenge\n9");
}

BOOST_AUTO_TEST_SUITE_END()
