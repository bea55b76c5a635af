#include "base/limits.hpp"
#include "net/web_socket.hpp"
#include "net_fixture.hpp"

#include <boost/test/data/test_case.hpp>

using namespace rekey;
using namespace rekey::net;

namespace {

struct Wires {
    explicit Wires(bool secure) {
        if (secure) {
            pki.emplace(clock);
            tls = ServerTls::make(pki->chain(), pki->leaf.key_pem, clock, random).value();
            client = ClientTls::make(Trust::pinned(pki->pin())).value();
        }
        server.emplace(io, tls);
    }
    [[nodiscard]] std::unique_ptr<Peer> connect_one() { return connect_peer(io, *server, client); }

    ManualClock clock;
    SystemRandom random;
    boost::asio::io_context io{1};
    std::optional<Pki> pki;
    std::shared_ptr<ServerTls> tls;
    std::shared_ptr<ClientTls> client;
    std::optional<TestServer> server;
};

std::string random_text(SeededRandom& random, std::size_t size) {
    std::string text(size, ' ');
    for (char& c : text) c = static_cast<char>(random.between('a', 'z'));
    return text;
}

const auto kBoth = boost::unit_test::data::make({false, true});

}  // namespace

BOOST_AUTO_TEST_SUITE(web_socket_tests)

BOOST_DATA_TEST_CASE(echo_of_every_size, kBoth, secure) {
    Wires wires(secure);
    const auto peer = wires.connect_one();
    BOOST_TEST(peer->socket.is_secure() == secure);
    BOOST_TEST(peer->socket.remote_address() ==
               "127.0.0.1:" + std::to_string(wires.server->port()));
    SeededRandom random(42);
    std::vector<std::string> sent;
    for (const std::size_t size : {0U, 1U, 125U, 126U, 255U, 256U, 257U, 1500U, 65535U, 65536U})
        sent.push_back(random_text(random, size));
    for (int i = 0; i < 100; ++i)
        sent.push_back(random_text(random, random.between(0, limits::kMessageBytes)));
    for (const std::string& message : sent) {
        const std::size_t before = peer->texts.size();
        peer->socket.send(message);
        run_until(wires.io, [&] { return peer->texts.size() > before; }, "an echo");
        BOOST_REQUIRE(peer->texts.back() == message);
    }
    BOOST_TEST(peer->socket.outbox_bytes() == 0U);
}

BOOST_DATA_TEST_CASE(a_burst_arrives_whole_and_in_order, kBoth, secure) {
    Wires wires(secure);
    const auto peer = wires.connect_one();
    SeededRandom random(43);
    std::vector<std::string> sent;
    std::size_t bytes = 0;
    for (int round = 0; round < 20; ++round) {
        // Within the outbox's limit, and pings in between must not disturb the order.
        while (true) {
            std::string message = random_text(random, random.between(0, 3000));
            if (peer->socket.outbox_bytes() + message.size() > limits::kOutboxBytes / 2) break;
            bytes += message.size();
            sent.push_back(message);
            peer->socket.send(std::move(message));
            if (sent.size() % 7 == 0) peer->socket.ping();
        }
        run_until(wires.io, [&] { return peer->texts.size() == sent.size(); }, "all echoes");
    }
    BOOST_TEST(bytes > limits::kOutboxBytes);
    BOOST_TEST((peer->texts == sent));
    BOOST_TEST(peer->pongs > 0U);
    BOOST_TEST(peer->socket.is_open());
}

BOOST_DATA_TEST_CASE(close_codes_reach_the_other_side, kBoth, secure) {
    Wires wires(secure);
    for (const bool client_closes : {true, false}) {
        const auto client = wires.connect_one();
        Peer& server = *wires.server->peers.back();
        Peer& closer = client_closes ? *client : server;
        Peer& other = client_closes ? server : *client;
        const std::size_t heard = other.texts.size();
        // What was queued before the close still arrives.
        for (int i = 0; i < 10; ++i) closer.socket.send("last words");
        closer.socket.close(4000, "draining");
        closer.socket.send("too late");
        run_until(wires.io, [&] { return closer.closed && other.closed; }, "both ends");
        BOOST_TEST(other.texts.size() == heard + 10);
        BOOST_TEST(other.closed->code == 4000);
        BOOST_TEST(other.closed->reason == "draining");
        BOOST_TEST((other.closed->by == ClosedBy::peer));
        BOOST_TEST(closer.closed->code == 4000);
        BOOST_TEST((closer.closed->by == ClosedBy::us));
        BOOST_TEST(!closer.socket.is_open());
    }
}

BOOST_DATA_TEST_CASE(a_cut_is_an_abnormal_end, kBoth, secure) {
    Wires wires(secure);
    const auto client = wires.connect_one();
    wires.server->peers.clear();
    run_until(wires.io, [&] { return client->closed.has_value(); }, "the end");
    BOOST_TEST(client->closed->code == close_code::kAbnormal);
    BOOST_TEST((client->closed->by == ClosedBy::network));
    BOOST_TEST(!client->closed->error.empty());
}

BOOST_AUTO_TEST_CASE(an_observer_may_destroy_its_socket_in_a_callback) {
    Wires wires(false);
    auto client = wires.connect_one();
    Peer& server = *wires.server->peers.back();
    server.answer = [&](std::string_view) { wires.server->peers.clear(); };
    client->socket.send("die");
    run_until(wires.io, [&] { return client->closed.has_value(); }, "the end");
    BOOST_TEST(wires.server->peers.empty());
}

BOOST_AUTO_TEST_CASE(pings_and_pongs_count_as_life) {
    Wires wires(true);
    const auto client = wires.connect_one();
    Peer& server = *wires.server->peers.back();
    server.socket.ping();
    run_until(wires.io, [&] { return server.pongs == 1; }, "the pong");
    BOOST_TEST(server.frames == 1U);
    BOOST_TEST(client->frames == 1U);
    BOOST_TEST(client->pongs == 0U);
}

BOOST_AUTO_TEST_CASE(a_refused_upgrade_can_be_read) {
    Wires wires(true);
    ConnectOptions options = agent_options(*wires.server, wires.client);
    options.target = "/refuse";
    const ConnectOutcome outcome = connect(wires.io, std::move(options));
    const auto* refused = std::get_if<UpgradeRefused>(&outcome);
    BOOST_REQUIRE(refused != nullptr);
    BOOST_TEST(refused->response.status == 403U);
    BOOST_TEST(refused->response.headers.get("rekey-error") == "agent_revoked");
    BOOST_TEST(refused->response.body == R"({"name":"agent_revoked"})");
}

BOOST_AUTO_TEST_CASE(the_credential_is_chosen_after_tls_and_sent_once) {
    Wires wires(true);
    ConnectOptions options = agent_options(*wires.server, wires.client);
    int asked = 0;
    options.authorization = [&] {
        ++asked;
        BOOST_TEST(wires.server->http.connections() == 1U);
        return Secret("Bearer rka_test");
    };
    const ConnectOutcome outcome = connect(wires.io, std::move(options));
    BOOST_TEST(std::holds_alternative<WebSocket>(outcome));
    BOOST_TEST(asked == 1);
    BOOST_TEST(wires.server->requests.back().headers.get("Authorization") == "Bearer rka_test");
    BOOST_TEST(wires.server->requests.back().secure);
}

BOOST_AUTO_TEST_CASE(the_credential_is_not_asked_for_before_the_certificate_is_believed) {
    Wires wires(true);
    const Pki other(wires.clock);
    ConnectOptions options =
        agent_options(*wires.server, ClientTls::make(Trust::pinned(other.pin())).value());
    options.authorization = []() -> Secret {
        BOOST_ERROR("asked for a credential");
        return Secret();
    };
    const ConnectOutcome outcome = connect(wires.io, std::move(options));
    BOOST_TEST(std::holds_alternative<Error>(outcome));
    BOOST_TEST(wires.server->requests.empty());
}

BOOST_AUTO_TEST_CASE(nobody_there_and_a_silent_server_are_unavailable) {
    boost::asio::io_context io(1);
    std::vector<TcpSocket> silent;
    auto listener = Listener::open(io, "127.0.0.1", 0, PortUse::exclusive, [&](TcpSocket socket) {
                        silent.push_back(std::move(socket));
                    }).value();
    ConnectOptions options;
    options.host = "127.0.0.1";
    options.port = listener->port();
    options.timeout = std::chrono::milliseconds{50};
    ConnectOutcome outcome = connect(io, options);
    BOOST_TEST((std::get<Error>(outcome).code() == Code::unavailable));
    BOOST_TEST(std::get<Error>(outcome).message().find("no answer in 50 ms") != std::string::npos);

    listener.reset();
    outcome = connect(io, options);
    BOOST_TEST((std::get<Error>(outcome).code() == Code::unavailable));
}

BOOST_AUTO_TEST_CASE(a_cancelled_attempt_calls_nobody) {
    Wires wires(true);
    auto attempt = connect_web_socket(wires.io, agent_options(*wires.server, wires.client),
                                      [](ConnectOutcome) { BOOST_ERROR("called"); });
    attempt.reset();
    // Somebody else's connection shows that everything else had its time.
    const auto peer = wires.connect_one();
    BOOST_TEST(peer->socket.is_open());
}

BOOST_AUTO_TEST_CASE(frames_behind_the_upgrade_request_are_not_lost) {
    Wires wires(false);
    RawClient client(wires.io, wires.server->port());
    client.upgrade(frame(kText, "early bird"));
    client.expect("early bird");
}

BOOST_AUTO_TEST_SUITE_END()
