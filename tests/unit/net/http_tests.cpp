#include "base/limits.hpp"
#include "net/http_client.hpp"
#include "net_fixture.hpp"

#include <thread>

using namespace rekey;
using namespace rekey::net;

namespace {

struct Plain {
    boost::asio::io_context io{1};
    TestServer server{io};

    Result<HttpResponse> call(HttpClient& client, const HttpCall& request) {
        std::optional<Result<HttpResponse>> answer;
        client.send(request,
                    [&](Result<HttpResponse> result) { answer.emplace(std::move(result)); });
        run_until(io, [&] { return answer.has_value(); }, "an answer");
        return std::move(*answer);
    }
    [[nodiscard]] HttpClientOptions options() const {
        HttpClientOptions chosen;
        chosen.host = "127.0.0.1";
        chosen.port = server.port();
        return chosen;
    }
    // The first line of what a raw request gets.
    std::string status_of(const std::string& request) {
        RawClient client(io, server.port());
        client.send(request);
        client.expect("\r\n\r\n");
        return client.received.substr(0, client.received.find("\r\n"));
    }
};

struct Place final : HttpPlace {
    void credential_was_good() override { ++good; }
    int good = 0;
};

HttpCall post(std::string_view target, std::string_view body) {
    HttpCall call;
    call.method = "POST";
    call.target = target;
    call.body = Secret(body);
    return call;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_tests)

BOOST_AUTO_TEST_CASE(calls_share_one_connection) {
    Plain plain;
    HttpClient client(plain.io, plain.options());
    for (int i = 0; i < 5; ++i) {
        HttpCall call = post("/rpc?n=" + std::to_string(i), "{\"i\":" + std::to_string(i) + "}");
        call.headers.emplace_back("X-API-Key", Secret("rkk_test"));
        const auto answer = plain.call(client, call);
        BOOST_REQUIRE(!answer.has_error());
        BOOST_TEST(answer->status == 200U);
        BOOST_TEST(answer->body == "{\"i\":" + std::to_string(i) + "}");
        BOOST_TEST(answer->headers.get("content-type") == "application/json");
    }
    const HttpRequest& last = plain.server.requests.back();
    BOOST_TEST(last.method == "POST");
    BOOST_TEST(last.path() == "/rpc");
    BOOST_TEST(last.query() == "n=4");
    BOOST_TEST(last.headers.get("x-api-key") == "rkk_test");
    BOOST_TEST(last.headers.get("Host") == "127.0.0.1:" + std::to_string(plain.server.port()));
    BOOST_TEST(last.remote_address == "127.0.0.1");
    BOOST_TEST(!last.secure);
    BOOST_TEST(plain.server.http.connections() == 1U);
}

BOOST_AUTO_TEST_CASE(a_kept_connection_that_the_server_closed_is_opened_again) {
    Plain plain;
    const auto echo = [](HttpExchange exchange) {
        exchange.respond(HttpResponse::json(200, exchange.request().body));
    };
    HttpServer before(plain.io, {}, echo);
    HttpServer after(plain.io, {}, echo);
    HttpServer* current = &before;
    plain.server.listener =
        Listener::open(plain.io, "127.0.0.1", 0, PortUse::exclusive, [&](TcpSocket socket) {
            current->accept(std::move(socket));
        }).value();
    HttpClient client(plain.io, plain.options());
    BOOST_TEST(plain.call(client, post("/", "one"))->body == "one");
    BOOST_TEST(before.connections() == 1U);
    current = &after;
    before.stop();
    BOOST_TEST(plain.call(client, post("/", "two"))->body == "two");
    BOOST_TEST(after.connections() == 1U);
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_too_long_late_or_no_http_is_an_error) {
    Plain plain;
    HttpClientOptions options = plain.options();
    options.response_bytes = 100;
    HttpClient short_one(plain.io, options);
    BOOST_TEST(!plain.call(short_one, post("/", std::string(100, 'x'))).has_error());
    BOOST_TEST(plain.call(short_one, post("/", std::string(101, 'x'))).has_error());

    std::vector<std::shared_ptr<HttpExchange>> held;
    plain.server.handler = [&](HttpExchange exchange) {
        held.push_back(std::make_shared<HttpExchange>(std::move(exchange)));
    };
    options.timeout = std::chrono::milliseconds{50};
    HttpClient hasty(plain.io, options);
    const auto late = plain.call(hasty, post("/", "x"));
    BOOST_REQUIRE(late.has_error());
    BOOST_TEST((late.error().code() == Code::unavailable));
    // Answering somebody who has gone does nothing.
    for (const auto& exchange : held) exchange->respond(HttpResponse::json(200, "{}"));
}

BOOST_AUTO_TEST_CASE(who_speaks_tls_to_a_plain_port_is_told_so) {
    Plain plain;
    HttpClientOptions options = plain.options();
    options.tls = ClientTls::make(Trust::system()).value();
    HttpClient client(plain.io, options);
    const auto answer = plain.call(client, post("/", "x"));
    BOOST_REQUIRE(answer.has_error());
    BOOST_TEST((answer.error().code() == Code::unavailable));
    BOOST_TEST(answer.error().message().find("does not speak TLS") != std::string::npos);
    BOOST_TEST(answer.error().details()->at("reason").as_string() == "no_tls");
}

BOOST_AUTO_TEST_CASE(a_dropped_exchange_closes_its_connection) {
    Plain plain;
    plain.server.handler = [](HttpExchange) {};
    HttpClient client(plain.io, plain.options());
    BOOST_TEST(plain.call(client, post("/", "x")).has_error());
    run_until(plain.io, [&] { return plain.server.http.connections() == 0; }, "the close");
}

BOOST_AUTO_TEST_CASE(the_blocking_client_works_over_tls) {
    ManualClock clock;
    SystemRandom random;
    const Pki pki(clock);
    boost::asio::io_context io(1);
    TestServer server(io, ServerTls::make(pki.chain(), pki.leaf.key_pem, clock, random).value());
    HttpClientOptions options;
    options.host = "localhost";
    options.port = server.port();
    options.tls = ClientTls::make(Trust::pinned(pki.pin())).value();
    std::atomic<bool> done = false;
    std::vector<std::string> bodies;
    std::thread caller([&] {
        BlockingHttpClient client(options);
        for (const char* body : {"one", "two", "three"}) {
            const auto answer = client.send(post("/enroll", body));
            bodies.push_back(answer.has_error() ? answer.error().message() : answer->body);
        }
        done = true;
    });
    run_until(io, [&] { return done.load(); }, "the caller");
    caller.join();
    BOOST_TEST((bodies == std::vector<std::string>{"one", "two", "three"}));
}

BOOST_AUTO_TEST_CASE(headers_and_bodies_are_limited) {
    Plain plain;
    const std::string start = "POST / HTTP/1.1\r\nHost: x\r\n";
    const auto with_body = [&](std::size_t size) {
        return start + "Content-Length: " + std::to_string(size) + "\r\n\r\n" +
               std::string(size, 'x');
    };
    BOOST_TEST(plain.status_of(with_body(limits::kHttpBodyBytes)) == "HTTP/1.1 200 OK");
    BOOST_TEST(plain.status_of(with_body(limits::kHttpBodyBytes + 1)) ==
               "HTTP/1.1 413 Payload Too Large");
    BOOST_TEST(plain.status_of(start + "A: " + std::string(limits::kHttpHeaderBytes, 'x') +
                               "\r\n\r\n") == "HTTP/1.1 431 Request Header Fields Too Large");
    BOOST_TEST(plain.status_of("GET /" + std::string(limits::kHttpHeaderBytes, 'x') +
                               " HTTP/1.1\r\nHost: x\r\n\r\n") ==
               "HTTP/1.1 431 Request Header Fields Too Large");
    // Chunks add up, and their extensions count too.
    std::string chunks = start + "Transfer-Encoding: chunked\r\n\r\n";
    BOOST_TEST(plain.status_of(chunks + "5\r\nhello\r\n0\r\n\r\n") == "HTTP/1.1 200 OK");
    BOOST_TEST(plain.status_of(chunks + "ffffff\r\n") == "HTTP/1.1 413 Payload Too Large");
    BOOST_TEST(plain.status_of(chunks + "1;" + std::string(100'000, 'x')) ==
               "HTTP/1.1 413 Payload Too Large");
    BOOST_TEST(plain.server.requests.size() == 2U);
}

BOOST_AUTO_TEST_CASE(what_could_be_read_in_two_ways_is_refused) {
    Plain plain;
    const std::string start = "POST / HTTP/1.1\r\nHost: x\r\n";
    for (const std::string& request : {
             start + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             start + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
             start + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
             start + "Content-Length: +5\r\n\r\nhello",
             start + "Content-Length: 99999999999999999999\r\n\r\n",
             start + "Bad Header: x\r\n\r\n",
             std::string("POST / HTTP/1.1\r\n\r\n"),
             std::string("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
             std::string("GET / HTTP/3.7\r\nHost: x\r\n\r\n"),
             std::string("\x16\x03\x01 no HTTP\r\n\r\n"),
         })
        BOOST_TEST(plain.status_of(request) == "HTTP/1.1 400 Bad Request", request);
    BOOST_TEST(plain.server.requests.empty());
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order) {
    Plain plain;
    RawClient client(plain.io, plain.server.port());
    std::string requests;
    for (const char* body : {"alpha", "bravo", "gamma"})
        requests += std::string("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n") + body;
    client.send(requests);
    client.expect("gamma");
    BOOST_TEST(client.received.find("alpha") < client.received.find("bravo"));
    client.send("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    client.expect_end();
    BOOST_TEST(client.received.ends_with("\r\n\r\n"));
}

BOOST_AUTO_TEST_CASE(a_client_that_waits_for_100_continue_gets_it) {
    Plain plain;
    RawClient client(plain.io, plain.server.port());
    client.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    client.expect("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    client.expect("HTTP/1.1 200 OK");
    client.expect("hello");
}

BOOST_AUTO_TEST_CASE(admission_is_asked_for_each_connection_and_given_back) {
    boost::asio::io_context io(1);
    std::size_t admitted = 0;
    const auto count = std::make_shared<Place>();
    HttpServerOptions options;
    options.admit = [&](const std::string& address,
                        const std::function<void()>&) -> std::shared_ptr<HttpPlace> {
        BOOST_TEST(address == "127.0.0.1");
        if (count.use_count() > 2) return nullptr;
        ++admitted;
        return count;
    };
    TestServer server(io, std::move(options));
    {
        RawClient first(io, server.port());
        run_until(io, [&] { return admitted == 1; });
        RawClient second(io, server.port());
        run_until(io, [&] { return count.use_count() > 2 || second.ended; });
        RawClient third(io, server.port());
        third.expect_end();
        first.upgrade();  // a WebSocket is no unauthenticated connection any longer
        run_until(io, [&] { return count.use_count() == 2; });
    }
    run_until(io, [&] { return count.use_count() == 1; }, "all to be given back");
    BOOST_TEST(admitted == 2U);
}

BOOST_AUTO_TEST_CASE(a_connection_gives_way_when_it_is_told_from_another_thread) {
    boost::asio::io_context io(1);
    std::vector<std::function<void()>> give_way;
    HttpServerOptions options;
    options.admit = [&](const std::string&, std::function<void()> told) {
        give_way.push_back(std::move(told));
        return std::make_shared<Place>();
    };
    TestServer server(io, std::move(options));
    const std::string request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none";
    RawClient idle(io, server.port());
    idle.send(request);
    idle.expect("one");
    RawClient socket(io, server.port());
    socket.upgrade();
    RawClient kept(io, server.port());
    kept.send(request);
    kept.expect("one");
    std::thread([&] { give_way.at(0)(); }).join();
    idle.expect_end();
    std::thread([&] { give_way.at(1)(); }).join();  // too late: it is a WebSocket
    socket.send(frame(kText, "still there"));
    socket.expect("still there");
    kept.received.clear();
    kept.send(request);
    kept.expect("one");
    for (const auto& told : give_way) told();
    kept.expect_end();
    for (const auto& told : give_way) told();  // and when it has gone
    socket.send(frame(kText, "even now"));
    socket.expect("even now");
}

BOOST_AUTO_TEST_CASE(a_connection_gives_way_behind_the_answer_to_what_it_asked) {
    boost::asio::io_context io(1);
    std::function<void()> give_way;
    HttpServerOptions options;
    options.admit = [&](const std::string&, std::function<void()> told) {
        give_way = std::move(told);
        return std::make_shared<Place>();
    };
    TestServer server(io, std::move(options));
    std::optional<HttpExchange> asked;
    server.handler = [&](HttpExchange exchange) { asked.emplace(std::move(exchange)); };
    RawClient client(io, server.port());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    run_until(io, [&] { return asked.has_value(); });
    give_way();
    io.poll();
    HttpResponse answer;
    answer.body = "done";
    asked->respond(answer);
    client.expect("done");
    BOOST_TEST(client.received.find("Connection: close") != std::string::npos);
    client.expect_end();
}

BOOST_AUTO_TEST_CASE(a_good_credential_is_told_to_the_place) {
    boost::asio::io_context io(1);
    auto place = std::make_shared<Place>();
    HttpServerOptions options;
    options.admit = [&](const std::string&, const std::function<void()>&) { return place; };
    TestServer server(io, std::move(options));
    server.handler = [&](HttpExchange exchange) {
        if (exchange.request().path() == "/good") exchange.credential_was_good();
        exchange.respond(HttpResponse::json(200, exchange.request().target));
    };
    RawClient client(io, server.port());
    client.send("GET /bad HTTP/1.1\r\nHost: x\r\n\r\n");
    client.expect("/bad");
    BOOST_TEST(place->good == 0);
    client.send("GET /good HTTP/1.1\r\nHost: x\r\n\r\n");
    client.expect("/good");
    BOOST_TEST(place->good == 1);
}

BOOST_AUTO_TEST_CASE(upgrade_requests_that_lack_something_are_no_upgrades) {
    Plain plain;
    const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const std::string rest = "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n";
    std::vector<bool> seen;
    std::vector<std::string> offered;
    plain.server.handler = [&](HttpExchange exchange) {
        seen.push_back(exchange.is_upgrade());
        offered = exchange.offered_subprotocols();
        exchange.respond(HttpResponse::json(426, "{}"));
    };
    const auto ask = [&](const std::string& headers) {
        return plain.status_of("GET /agent HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n");
    };
    const std::string version = "Sec-WebSocket-Version: 13\r\n";
    BOOST_TEST(ask("") == "HTTP/1.1 426 Upgrade Required");
    (void)ask(rest + version);
    (void)ask(rest + key);
    (void)ask(rest + key + "Sec-WebSocket-Version: 8\r\n");
    (void)ask(rest + version + "Sec-WebSocket-Key: short\r\n");
    (void)ask(key + version + "Upgrade: websocket\r\n");
    (void)ask(rest + key + version + "Sec-WebSocket-Protocol: a, rekey.agent.v1\r\n");
    BOOST_TEST((seen == std::vector<bool>{false, false, false, false, false, false, true}));
    BOOST_TEST((offered == std::vector<std::string>{"a", "rekey.agent.v1"}));
}

BOOST_AUTO_TEST_CASE(stop_closes_idle_connections_and_lets_answers_finish) {
    Plain plain;
    RawClient idle(plain.io, plain.server.port());
    RawClient busy(plain.io, plain.server.port());
    std::shared_ptr<HttpExchange> held;
    plain.server.handler = [&](HttpExchange exchange) {
        held = std::make_shared<HttpExchange>(std::move(exchange));
    };
    busy.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    run_until(plain.io, [&] { return held && plain.server.http.connections() == 2; });
    plain.server.http.stop();
    idle.expect_end();
    held->respond(HttpResponse::json(200, "\"done\""));
    busy.expect("\"done\"");
    busy.expect("Connection: close");
    busy.expect_end();
}

BOOST_AUTO_TEST_SUITE_END()
