#include "base/limits.hpp"
#include "net_fixture.hpp"

// How long a peer may take. Where something must not happen in a time, another connection is waited
// for that the same time ends.
using namespace rekey;
using namespace rekey::net;
using namespace std::chrono_literals;

namespace {

constexpr Milliseconds kShort{30};
constexpr Milliseconds kNever = 1h;

const std::string kRequest = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none";

struct Timed {
    explicit Timed(HttpTimes times) : server(io, options(times)) {}

    static HttpServerOptions options(HttpTimes times) {
        HttpServerOptions chosen;
        chosen.times = times;
        return chosen;
    }
    // Two connections one after the other have had nothing to say for `header`.
    void let_the_header_time_pass() {
        for (int i = 0; i < 2; ++i) RawClient(io, server.port()).expect_end();
    }

    boost::asio::io_context io{1};
    TestServer server;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(http_times_tests)

BOOST_AUTO_TEST_CASE(unless_told_otherwise_the_limits_hold) {
    const HttpServerOptions options;
    BOOST_TEST((options.times.handshake == 10s));
    BOOST_TEST((options.times.header == 10s));
    BOOST_TEST((options.times.idle == 60s));
    BOOST_TEST((options.times.stranger == 2min));
}

BOOST_AUTO_TEST_CASE(who_says_nothing_is_sent_away) {
    Timed timed({.header = kShort, .idle = kNever});
    RawClient silent(timed.io, timed.server.port());
    silent.expect_end();
    BOOST_TEST(silent.received.empty());
    run_until(timed.io, [&] { return timed.server.http.connections() == 0; }, "it is forgotten");
}

BOOST_AUTO_TEST_CASE(half_a_request_is_answered_with_408) {
    Timed timed({.header = kShort, .idle = kNever});
    for (const std::string_view half :
         {std::string_view("POST / HTT"), std::string_view("POST / HTTP/1.1\r\nHost: x\r\n"),
          std::string_view(kRequest).substr(0, kRequest.size() - 1)}) {
        RawClient slow(timed.io, timed.server.port());
        slow.send(half);
        slow.expect("\r\n\r\n");
        BOOST_TEST(slow.received.starts_with("HTTP/1.1 408"));
        slow.expect_end();
    }
    BOOST_TEST(timed.server.requests.empty());
}

// The first request's answer is there while the second one lacks its last line; when the time is
// over that line comes, so that the deadline finds the interim answer being written.
BOOST_AUTO_TEST_CASE(a_deadline_writes_nothing_into_a_100_continue) {
    const HttpTimes times{.header = kShort, .idle = kNever};
    Timed timed(times);
    RawClient late(timed.io, timed.server.port());
    late.send(kRequest +
              "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n");
    late.expect("one");
    late.received.clear();
    Timed(times).let_the_header_time_pass();  // of its own, while nothing runs here
    late.send("\r\n");
    late.expect_end();
    BOOST_TEST(late.received == "HTTP/1.1 100 Continue\r\n\r\n");
    run_until(timed.io, [&] { return timed.server.http.connections() == 0; }, "it is forgotten");
}

BOOST_AUTO_TEST_CASE(a_byte_now_and_then_buys_no_time) {
    Timed timed({.header = kShort, .idle = kNever});
    RawClient drip(timed.io, timed.server.port());
    drip.send("POST / HTTP/1.1\r\nHost: x\r\nX: ");
    std::size_t sent = 0;
    run_until(
        timed.io,
        [&] {
            // Never as much as a header may have.
            if (drip.received.empty() && ++sent < limits::kHttpHeaderBytes / 2) drip.send("a");
            return !drip.received.empty() || drip.ended;
        },
        "an answer");
    BOOST_TEST(drip.received.starts_with("HTTP/1.1 408"));
}

BOOST_AUTO_TEST_CASE(a_handshake_that_does_not_come_ends) {
    const SystemClock clock;
    SystemRandom random;
    const Pki pki(clock, {"localhost"});
    HttpServerOptions options = Timed::options({.handshake = kShort, .header = kNever});
    options.tls = ServerTls::make(pki.chain(), pki.leaf.key_pem, clock, random).value();
    boost::asio::io_context io{1};
    TestServer server(io, std::move(options));
    RawClient(io, server.port()).expect_end();
}

BOOST_AUTO_TEST_CASE(a_kept_connection_may_be_idle_for_longer_than_a_header_takes) {
    Timed timed({.header = kShort, .idle = kNever});
    RawClient kept(timed.io, timed.server.port());
    kept.send(kRequest);
    kept.expect("one");
    kept.received.clear();
    timed.let_the_header_time_pass();
    BOOST_TEST(!kept.ended);
    kept.send(kRequest);
    kept.expect("one");
    // And its next request has as long as the first.
    kept.received.clear();
    kept.send(kRequest.substr(0, 20));
    kept.expect("HTTP/1.1 408");
}

BOOST_AUTO_TEST_CASE(a_kept_connection_that_stays_idle_ends) {
    Timed timed({.header = kNever, .idle = kShort});
    RawClient kept(timed.io, timed.server.port());
    kept.send(kRequest);
    kept.expect_end();
    BOOST_TEST(kept.received.starts_with("HTTP/1.1 200"));
    BOOST_TEST(kept.received.ends_with("one"));
}

BOOST_AUTO_TEST_CASE(a_strangers_time_ends_with_its_next_answer) {
    Timed timed({.stranger = Milliseconds{0}});
    RawClient stranger(timed.io, timed.server.port());
    stranger.send(kRequest);
    stranger.expect_end();
    BOOST_TEST(stranger.received.starts_with("HTTP/1.1 200"));
    BOOST_TEST(stranger.received.find("Connection: close") != std::string::npos);
    BOOST_TEST(stranger.received.ends_with("one"));

    timed.server.handler = [&](HttpExchange exchange) {
        if (timed.server.requests.size() == 2) exchange.credential_was_good();
        exchange.respond(HttpResponse::json(200, "one"));
    };
    RawClient known(timed.io, timed.server.port());
    for (int i = 0; i < 3; ++i) {
        known.received.clear();
        known.send(kRequest);
        known.expect("one");
        BOOST_TEST(known.received.find("Connection: close") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(an_answer_may_take_its_time) {
    Timed timed({.header = kShort, .idle = kNever});
    std::optional<HttpExchange> held;
    timed.server.handler = [&](HttpExchange exchange) { held.emplace(std::move(exchange)); };
    RawClient patient(timed.io, timed.server.port());
    patient.send(kRequest);
    run_until(timed.io, [&] { return held.has_value(); }, "the request");
    timed.let_the_header_time_pass();
    held->respond(HttpResponse::json(200, "late"));
    patient.expect("late");
}

BOOST_AUTO_TEST_SUITE_END()
