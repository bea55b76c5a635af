#include "net/certificates.hpp"
#include "net_fixture.hpp"

using namespace rekey;
using namespace rekey::net;

BOOST_AUTO_TEST_SUITE(certificates_tests)

BOOST_AUTO_TEST_CASE(a_ca_lives_ten_years_and_says_that_it_is_one) {
    ManualClock clock;
    SystemRandom random;
    const KeyedCertificate ca = make_ca("Rekey", clock, random).value();
    const CertificateFacts facts = read_certificate(ca.certificate_pem).value();
    BOOST_TEST(facts.is_ca);
    BOOST_TEST(is_pin(facts.pin));
    const auto days =
        std::chrono::duration_cast<std::chrono::days>(facts.not_after - clock.wall).count();
    BOOST_TEST(days >= 3649);
    BOOST_TEST(days <= 3650);
    BOOST_TEST(!require_matching_key(ca.certificate_pem, ca.key_pem).has_error());
}

BOOST_AUTO_TEST_CASE(a_leaf_is_named_for_its_hosts_and_the_loopback) {
    const ManualClock clock;
    const Pki pki(clock, {"Rekey.example.org", "10.0.0.7", "fe80::1", "localhost"});
    const CertificateFacts facts = read_certificate(pki.leaf.certificate_pem).value();
    BOOST_TEST(!facts.is_ca);
    BOOST_TEST(facts.names.size() == 6U);
    for (const char* host : {"rekey.example.org", "REKEY.example.org", "10.0.0.7", "fe80::1",
                             "fe80:0::1", "localhost", "127.0.0.1", "::1"})
        BOOST_TEST(names_host(facts, host), host);
    for (const char* host : {"example.org", "10.0.0.8", "x.rekey.example.org", ""})
        BOOST_TEST(!names_host(facts, host), host);
}

BOOST_AUTO_TEST_CASE(a_host_that_is_none_is_refused) {
    const ManualClock clock;
    SystemRandom random;
    const KeyedCertificate ca = make_ca("Rekey", clock, random).value();
    for (const char* host : {"", "a b", "a,DNS:evil", "*.example.org", "host:7443", ".x"}) {
        const auto leaf = issue_certificate(ca, {host}, clock, random);
        BOOST_TEST(leaf.has_error(), host);
        BOOST_TEST((leaf.has_error() && leaf.error().code() == Code::invalid_params));
    }
}

BOOST_AUTO_TEST_CASE(renewal_is_due_at_two_thirds_of_its_life_or_before_its_life) {
    const ManualClock clock;
    const Pki pki(clock);
    const CertificateFacts facts = read_certificate(pki.leaf.certificate_pem).value();
    const auto days = [](int count) { return std::chrono::days{count}; };
    BOOST_TEST(!is_due_for_renewal(facts, clock.wall));
    BOOST_TEST(!is_due_for_renewal(facts, clock.wall + days(59)));
    BOOST_TEST(is_due_for_renewal(facts, clock.wall + days(60)));
    BOOST_TEST(is_due_for_renewal(facts, clock.wall - days(1)));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_named) {
    const ManualClock clock;
    const Pki pki(clock);
    for (const std::string& text :
         {std::string(), std::string("no PEM"), pki.leaf.certificate_pem.substr(0, 200)})
        BOOST_TEST(read_certificate(text).has_error());
    BOOST_TEST(read_certificates(pki.chain())->size() == 2U);
    BOOST_TEST(require_matching_key(pki.chain(), pki.ca.key_pem).has_error());
    BOOST_TEST(require_matching_key(pki.chain(), Secret("no key")).has_error());
    BOOST_TEST(!is_pin("sha256:abc"));
    BOOST_TEST(!is_pin(pki.pin().substr(7)));
}

BOOST_AUTO_TEST_SUITE_END()
