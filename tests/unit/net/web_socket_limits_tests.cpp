#include "base/limits.hpp"
#include "net_fixture.hpp"

using namespace rekey;
using namespace rekey::net;

namespace {

struct Raw {
    Raw() : client(io, server.port()) { client.upgrade(); }
    [[nodiscard]] Peer& peer() { return *server.peers.back(); }

    // Sends it, and the code with which the server closes; both sides must agree on it.
    unsigned code_for(std::string_view bytes) {
        client.send(bytes);
        const unsigned code = client.close_code();
        client.send(frame(0x88, std::string_view("\x03\xe8", 2)));
        client.expect_end();
        run_until(io, [&] { return peer().closed.has_value(); }, "the server's end");
        BOOST_TEST(peer().closed->code == code);
        return code;
    }

    boost::asio::io_context io{1};
    TestServer server{io};
    RawClient client;
};

std::string fragments(std::size_t count, std::string_view payload) {
    std::string bytes = frame(kFirstText, payload);
    for (std::size_t i = 2; i < count; ++i) bytes += frame(kContinued, payload);
    return bytes + frame(kLast, payload);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(web_socket_limits_tests)

BOOST_AUTO_TEST_CASE(the_largest_message_passes_and_one_byte_more_is_1009) {
    Raw raw;
    raw.client.send(frame(kText, std::string(limits::kMessageBytes, 'x')));
    run_until(raw.io, [&] { return raw.peer().texts.size() == 1; }, "the message");
    BOOST_TEST(raw.peer().texts.front().size() == limits::kMessageBytes);
    raw.client.received.clear();
    Raw other;
    BOOST_TEST(other.code_for(frame(kText, std::string(limits::kMessageBytes + 1, 'x'))) ==
               close_code::kTooBig);
    BOOST_TEST(other.peer().texts.empty());
}

BOOST_AUTO_TEST_CASE(too_large_over_fragments_is_1009) {
    Raw raw;
    BOOST_TEST(raw.code_for(fragments(3, std::string(limits::kMessageBytes / 2, 'x'))) ==
               close_code::kTooBig);
}

BOOST_AUTO_TEST_CASE(sixty_four_fragments_pass_and_one_more_is_1009) {
    for (const char* payload : {"", "a", "a longer piece"}) {
        Raw raw;
        raw.client.send(fragments(limits::kMessageFragments, payload));
        run_until(raw.io, [&] { return raw.peer().texts.size() == 1; }, "the message");
        raw.client.received.clear();
        BOOST_TEST(raw.code_for(fragments(limits::kMessageFragments + 1, payload)) ==
                   close_code::kTooBig);
    }
}

BOOST_AUTO_TEST_CASE(endless_empty_fragments_are_1009) {
    Raw raw;
    std::string bytes = frame(kFirstText, "");
    for (int i = 0; i < 10'000; ++i) bytes += frame(kContinued, "");
    BOOST_TEST(raw.code_for(bytes) == close_code::kTooBig);
}

BOOST_AUTO_TEST_CASE(fragments_of_any_cut_are_put_together) {
    Raw raw;
    raw.server.echo = false;
    SeededRandom random(5);
    std::string text;
    while (text.size() < 20'000) text += static_cast<char>(random.between('a', 'z'));
    for (int round = 0; round < 30; ++round) {
        std::string bytes;
        std::size_t at = 0;
        for (std::size_t i = 0; at < text.size(); ++i) {
            const bool is_last = i == limits::kMessageFragments - 1;
            const std::size_t size =
                is_last ? text.size() - at : std::min(random.between(0, 1000), text.size() - at);
            bytes += frame((i == 0 ? 1U : 0U) | (at + size == text.size() ? kLast : 0U),
                           std::string_view(text).substr(at, size));
            if (random.between(0, 3) == 0 && at + size < text.size()) bytes += frame(kPing, "hi");
            at += size;
        }
        const std::size_t before = raw.peer().texts.size();
        while (!bytes.empty()) {
            const std::size_t piece = std::min<std::size_t>(random.between(1, 3000), bytes.size());
            raw.client.send(std::string_view(bytes).substr(0, piece));
            bytes.erase(0, piece);
            raw.io.restart();
            raw.io.poll();
        }
        run_until(raw.io, [&] { return raw.peer().texts.size() > before; }, "the message");
        BOOST_REQUIRE(raw.peer().texts.back() == text);
    }
}

BOOST_AUTO_TEST_CASE(binary_is_4503) {
    for (const char* payload : {"", "bytes"}) {
        Raw raw;
        BOOST_TEST(raw.code_for(frame(kBinary, payload)) == close_code::kProtocolViolation);
        BOOST_TEST(raw.peer().texts.empty());
    }
}

BOOST_AUTO_TEST_CASE(bad_utf8_is_1007_also_at_the_edge_of_fragments) {
    for (const std::string& bytes :
         {frame(kText, "\xff"), frame(kText, "\xc3"), frame(kText, "\xed\xa0\x80"),
          frame(kFirstText, "\xc3") + frame(kLast, ""),
          frame(kFirstText, "\xc3") + frame(kLast, "x")}) {
        Raw raw;
        BOOST_TEST(raw.code_for(bytes) == close_code::kBadText);
        BOOST_TEST(raw.peer().texts.empty());
    }
    Raw raw;
    raw.client.send(frame(kFirstText, "\xc3") + frame(kLast, "\xa9"));
    run_until(raw.io, [&] { return raw.peer().texts.size() == 1; }, "the message");
    BOOST_TEST(raw.peer().texts.front() == "\xc3\xa9");
}

BOOST_AUTO_TEST_CASE(what_rfc_6455_forbids_is_1002) {
    for (const std::string& bytes : {
             std::string("\x81\x05hello"),                // not masked
             frame(0xc1, "compressed"),                   // a reserved bit
             frame(0x83, "unknown opcode"),               //
             frame(kLast, "continues nothing"),           //
             frame(0x09, "fragmented ping"),              //
             frame(kFirstText, "a") + frame(kText, "b"),  // a new message within one
             frame(kPing, std::string(126, 'x')),         // a control frame too large
         }) {
        Raw raw;
        BOOST_TEST(raw.code_for(bytes) == close_code::kProtocolError);
    }
}

BOOST_AUTO_TEST_CASE(a_reader_that_never_reads_is_cut_at_the_byte_limit) {
    for (const bool secure : {false, true}) {
        ManualClock clock;
        SystemRandom random;
        boost::asio::io_context io(1);
        const Pki pki(clock);
        const auto tls = ServerTls::make(pki.chain(), pki.leaf.key_pem, clock, random).value();
        TestServer server(io, secure ? tls : nullptr);
        const auto client = secure ? ClientTls::make(Trust::pinned(pki.pin())).value() : nullptr;
        ConnectOutcome outcome = connect(io, agent_options(server, client));
        // Never started, so it never reads.
        WebSocket sleeper = std::get<WebSocket>(std::move(outcome));
        run_until(io, [&] { return !server.peers.empty(); });
        Peer& peer = *server.peers.back();
        std::size_t most = 0;
        run_until(
            io,
            [&] {
                peer.socket.send(std::string(16'000, 'x'));
                most = std::max(most, peer.socket.outbox_bytes());
                return peer.closed.has_value();
            },
            "the slow reader's end");
        BOOST_TEST(peer.closed->code == close_code::kSlowConsumer);
        BOOST_TEST((peer.closed->by == ClosedBy::us));
        BOOST_TEST(most <= limits::kOutboxBytes);
        BOOST_TEST(most > limits::kOutboxBytes / 2);
    }
}

BOOST_AUTO_TEST_CASE(a_slow_reader_that_wakes_up_hears_why) {
    boost::asio::io_context io(1);
    TestServer server(io);
    ConnectOutcome outcome = connect(io, agent_options(server));
    WebSocket sleeper = std::get<WebSocket>(std::move(outcome));
    run_until(io, [&] { return !server.peers.empty(); });
    Peer& peer = *server.peers.back();
    while (peer.socket.is_open()) {
        peer.socket.send(std::string(16'000, 'x'));
        io.restart();
        io.poll();
    }
    Peer awake(std::move(sleeper));
    run_until(io, [&] { return awake.closed.has_value(); }, "the close code");
    BOOST_TEST(awake.closed->code == close_code::kSlowConsumer);
}

BOOST_AUTO_TEST_CASE(a_peer_that_does_not_answer_the_close_frame_is_cut_in_time) {
    Raw raw;
    raw.peer().socket.close(4000, "draining");
    BOOST_TEST(raw.client.close_code() == 4000U);
    run_until(raw.io, [&] { return raw.peer().closed.has_value(); }, "the deadline");
    BOOST_TEST(raw.peer().closed->code == 4000);
    raw.client.expect_end();
}

BOOST_AUTO_TEST_SUITE_END()
