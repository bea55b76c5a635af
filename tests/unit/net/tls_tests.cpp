#include "net/http_client.hpp"
#include "net/tls_context.hpp"
#include "net_fixture.hpp"

using namespace rekey;
using namespace rekey::net;

namespace {

struct TlsFixture {
    explicit TlsFixture(const std::vector<std::string>& hosts = {}) : pki(clock, hosts) {
        tls = ServerTls::make(pki.chain(), pki.leaf.key_pem, clock, random).value();
        server.emplace(io, tls);
    }
    // For a case whose certificates are made at another time than now.
    TlsFixture(const Clock& issued, const std::vector<std::string>& hosts) : pki(issued, hosts) {
        tls = ServerTls::make(pki.chain(), pki.leaf.key_pem, clock, random).value();
        server.emplace(io, tls);
    }

    [[nodiscard]] std::shared_ptr<ClientTls> client(
        Trust trust, CertificateTimes times = CertificateTimes::checked_unless_pinned) const {
        return ClientTls::make(std::move(trust), times).value();
    }
    // "ok", or the reason why the certificate was not believed.
    std::string attempt(const std::shared_ptr<ClientTls>& client_tls,
                        const std::string& host = "127.0.0.1") {
        ConnectOptions options = agent_options(*server, client_tls);
        options.host = host;
        const ConnectOutcome outcome = connect(io, std::move(options));
        if (std::holds_alternative<WebSocket>(outcome)) return "ok";
        const auto* error = std::get_if<Error>(&outcome);
        BOOST_REQUIRE(error != nullptr);
        BOOST_TEST_MESSAGE(error->message());
        BOOST_TEST((error->code() == Code::permission_denied));
        BOOST_REQUIRE(error->details() != nullptr);
        return std::string(error->details()->at("reason").as_string());
    }

    ManualClock clock;
    SystemRandom random;
    boost::asio::io_context io{1};
    Pki pki;
    std::shared_ptr<ServerTls> tls;
    std::optional<TestServer> server;
};

ManualClock years_ago(int years) {
    ManualClock clock;
    clock.wall -= std::chrono::days{365 * years};
    return clock;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tls_tests)

BOOST_AUTO_TEST_CASE(a_pinned_ca_is_believed_and_another_pin_is_not) {
    TlsFixture fixture;
    BOOST_TEST(fixture.tls->pin() == fixture.pki.pin());
    BOOST_TEST(fixture.attempt(fixture.client(Trust::pinned(fixture.pki.pin()))) == "ok");
    const Pki other(fixture.clock);
    BOOST_TEST(fixture.attempt(fixture.client(Trust::pinned(other.pin()))) == "pin");
    // The leaf's own pin is not what may be pinned: it is neither a CA nor the chain's last.
    const std::string leaf_pin = read_certificate(fixture.pki.leaf.certificate_pem)->pin;
    BOOST_TEST(fixture.attempt(fixture.client(Trust::pinned(leaf_pin))) == "pin");
}

BOOST_AUTO_TEST_CASE(a_stolen_ca_certificate_behind_a_foreign_leaf_is_not_believed) {
    TlsFixture fixture;
    const Pki attacker(fixture.clock);
    BOOST_REQUIRE(!fixture.tls
                       ->replace(attacker.leaf.certificate_pem + fixture.pki.ca.certificate_pem,
                                 attacker.leaf.key_pem)
                       .has_error());
    BOOST_TEST(fixture.tls->pin() == fixture.pki.pin());
    BOOST_TEST(fixture.attempt(fixture.client(Trust::pinned(fixture.pki.pin()))) == "chain");
}

BOOST_AUTO_TEST_CASE(the_last_certificate_of_a_chain_can_be_pinned_without_being_a_ca) {
    TlsFixture fixture;
    const KeyedCertificate& leaf = fixture.pki.leaf;
    BOOST_REQUIRE(!fixture.tls->replace(leaf.certificate_pem, leaf.key_pem).has_error());
    BOOST_TEST(fixture.tls->pin() == read_certificate(leaf.certificate_pem)->pin);
    BOOST_TEST(fixture.attempt(fixture.client(Trust::pinned(fixture.tls->pin()))) == "ok");
    BOOST_TEST(fixture.attempt(fixture.client(Trust::pinned(fixture.pki.pin()))) == "pin");
}

BOOST_AUTO_TEST_CASE(a_certificate_that_is_none_of_a_server_is_refused) {
    TlsFixture fixture;
    const KeyedCertificate& ca = fixture.pki.ca;
    BOOST_REQUIRE(!fixture.tls->replace(ca.certificate_pem, ca.key_pem).has_error());
    BOOST_TEST(fixture.attempt(fixture.client(Trust::pinned(fixture.pki.pin()))) == "chain");
}

BOOST_AUTO_TEST_CASE(another_host_is_refused) {
    TlsFixture fixture;
    // The whole of 127/8 is this machine, and the certificate names one address of it.
    fixture.server->listener =
        Listener::open(fixture.io, "127.0.0.2", 0, PortUse::exclusive, [&](TcpSocket socket) {
            fixture.server->http.accept(std::move(socket));
        }).value();
    const Trust pin = Trust::pinned(fixture.pki.pin());
    BOOST_TEST(fixture.attempt(fixture.client(pin), "127.0.0.2") == "name");
    const KeyedCertificate leaf =
        issue_certificate(fixture.pki.ca, {"127.0.0.2"}, fixture.clock, fixture.random).value();
    BOOST_REQUIRE(
        !fixture.tls->replace(leaf.certificate_pem + fixture.pki.ca.certificate_pem, leaf.key_pem)
             .has_error());
    BOOST_TEST(fixture.attempt(fixture.client(pin), "127.0.0.2") == "ok");
}

BOOST_AUTO_TEST_CASE(names_work_as_well_as_addresses) {
    TlsFixture fixture;
    BOOST_TEST(fixture.attempt(fixture.client(Trust::pinned(fixture.pki.pin())), "localhost") ==
               "ok");
}

BOOST_AUTO_TEST_CASE(an_expired_certificate_passes_below_a_pin_unless_times_are_strict) {
    const ManualClock issued = years_ago(1);
    TlsFixture fixture(issued, {});
    const Trust pin = Trust::pinned(fixture.pki.pin());
    BOOST_TEST(fixture.attempt(fixture.client(pin)) == "ok");
    BOOST_TEST(fixture.attempt(fixture.client(pin, CertificateTimes::always_checked)) == "expired");
    BOOST_TEST(fixture.attempt(fixture.client(Trust::ca(fixture.pki.ca.certificate_pem))) ==
               "expired");
}

BOOST_AUTO_TEST_CASE(a_certificate_from_the_future_is_named_as_such) {
    const ManualClock issued = years_ago(-1);
    TlsFixture fixture(issued, {});
    const Trust pin = Trust::pinned(fixture.pki.pin());
    BOOST_TEST(fixture.attempt(fixture.client(pin)) == "ok");
    BOOST_TEST(fixture.attempt(fixture.client(pin, CertificateTimes::always_checked)) ==
               "not_yet_valid");
}

BOOST_AUTO_TEST_CASE(a_ca_file_is_believed_and_the_systems_cas_are_not) {
    TlsFixture fixture;
    BOOST_TEST(fixture.attempt(fixture.client(Trust::ca(fixture.pki.ca.certificate_pem))) == "ok");
    BOOST_TEST(fixture.attempt(fixture.client(Trust::system())) == "chain");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_trusted_is_said_at_once) {
    BOOST_TEST(ClientTls::make(Trust::pinned("sha256:12")).has_error());
    BOOST_TEST(ClientTls::make(Trust::ca("no PEM")).has_error());
    ManualClock clock;
    SystemRandom random;
    const Pki pki(clock);
    BOOST_TEST(ServerTls::make("no PEM", pki.leaf.key_pem, clock, random).has_error());
    BOOST_TEST(ServerTls::make(pki.chain(), pki.ca.key_pem, clock, random).has_error());
}

BOOST_AUTO_TEST_CASE(the_certificate_is_replaced_under_open_connections) {
    TlsFixture fixture;
    const auto old_client = fixture.client(Trust::pinned(fixture.pki.pin()));
    const auto before = connect_peer(fixture.io, *fixture.server, old_client);

    const Pki renewed(fixture.clock);
    BOOST_REQUIRE(!fixture.tls->replace(renewed.chain(), renewed.leaf.key_pem).has_error());
    BOOST_TEST(fixture.tls->pin() == renewed.pin());
    // A fresh client of the old pin hears the new certificate, and the open connection lives on.
    BOOST_TEST(fixture.attempt(fixture.client(Trust::pinned(fixture.pki.pin()))) == "pin");
    BOOST_TEST(fixture.attempt(fixture.client(Trust::pinned(renewed.pin()))) == "ok");
    before->socket.send("still here");
    run_until(fixture.io, [&] { return before->texts.size() == 1; }, "the echo");

    // A key that does not fit changes nothing.
    BOOST_TEST(fixture.tls->replace(fixture.pki.chain(), renewed.leaf.key_pem).has_error());
    BOOST_TEST(fixture.tls->pin() == renewed.pin());
}

BOOST_AUTO_TEST_CASE(a_reconnect_resumes_also_after_a_hard_cut_and_a_new_certificate) {
    TlsFixture fixture;
    const auto client = fixture.client(Trust::pinned(fixture.pki.pin()));
    auto peer = connect_peer(fixture.io, *fixture.server, client);
    BOOST_TEST(!peer->socket.resumed_tls());
    peer->socket.send("the ticket comes with the first answer");
    run_until(fixture.io, [&] { return peer->texts.size() == 1; }, "the echo");
    peer->socket.abort();
    const KeyedCertificate leaf =
        issue_certificate(fixture.pki.ca, {}, fixture.clock, fixture.random).value();
    BOOST_REQUIRE(
        !fixture.tls->replace(leaf.certificate_pem + fixture.pki.ca.certificate_pem, leaf.key_pem)
             .has_error());
    peer = connect_peer(fixture.io, *fixture.server, client);
    BOOST_TEST(peer->socket.resumed_tls());
    BOOST_TEST(fixture.server->peers.back()->socket.resumed_tls());
    BOOST_TEST(peer->socket.is_secure());
}

BOOST_AUTO_TEST_CASE(tickets_of_yesterday_open_and_those_of_the_day_before_do_not) {
    TlsFixture fixture;
    const auto resumes = [&](const std::shared_ptr<ClientTls>& client) {
        const auto peer = connect_peer(fixture.io, *fixture.server, client);
        peer->socket.send("hello");
        run_until(fixture.io, [&] { return peer->texts.size() == 1; }, "the echo");
        return peer->socket.resumed_tls();
    };
    const auto client = fixture.client(Trust::pinned(fixture.pki.pin()));
    BOOST_TEST(!resumes(client));
    fixture.clock.steady += std::chrono::hours{25};
    BOOST_TEST(resumes(client));
    fixture.clock.steady += std::chrono::hours{49};
    BOOST_TEST(!resumes(client));
    BOOST_TEST(resumes(client));
}

BOOST_AUTO_TEST_CASE(a_plain_client_at_a_tls_port_is_dropped_and_harms_nobody) {
    TlsFixture fixture;
    RawClient client(fixture.io, fixture.server->port());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    client.expect_end();
    HttpClientOptions options;
    options.host = "127.0.0.1";
    options.port = fixture.server->port();
    HttpClient plain(fixture.io, options);
    std::optional<Error> failed;
    HttpCall call;
    call.method = "GET";
    call.target = "/";
    plain.send(call, [&](const Result<HttpResponse>& answer) { failed = answer.error(); });
    run_until(fixture.io, [&] { return failed.has_value(); }, "an answer");
    BOOST_TEST(failed->details()->at("reason").as_string() == "no_http");
    BOOST_TEST(fixture.attempt(fixture.client(Trust::pinned(fixture.pki.pin()))) == "ok");
}

BOOST_AUTO_TEST_SUITE_END()
