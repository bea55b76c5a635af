// What another HTTP server may read as another request (request smuggling), and what answers and
// requests get beside the message itself.
#include "base/limits.hpp"
#include "net_fixture.hpp"

#include <fmt/format.h>

using namespace rekey;
using namespace rekey::net;

namespace {

struct Strict {
    boost::asio::io_context io{1};
    TestServer server{io};

    // The whole answer to a raw request.
    std::string answer(const std::string& request) {
        RawClient client(io, server.port());
        client.send(request);
        client.expect("\r\n\r\n");
        return client.received;
    }
    // A refusal closes, so that what follows is not taken for a request.
    void refuses(const std::string& request) {
        BOOST_TEST_CONTEXT(request) {
            RawClient client(io, server.port());
            client.send(request);
            client.expect_end();
            BOOST_TEST(client.received.starts_with("HTTP/1.1 400 Bad Request"));
            BOOST_TEST(client.received.find("\r\n\r\nHTTP/1.1") == std::string::npos);
            BOOST_TEST(client.received.find("HTTP/1.1 200") == std::string::npos);
        }
    }
};

const std::string kPost = "POST / HTTP/1.1\r\nHost: x\r\n";
const std::string kSecond = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_strict_tests, Strict)

BOOST_AUTO_TEST_CASE(a_body_has_one_length) {
    for (const std::string& framing : {
             std::string("Content-Length: 5\r\nContent-Length: 5\r\n"),
             std::string("Content-Length: 5, 5\r\n"),
             std::string("Content-Length: 0x5\r\n"),
             std::string("Content-Length: -5\r\n"),
             std::string("Content-Length:\r\n"),
             std::string("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
             std::string("Transfer-Encoding: identity\r\nContent-Length: 5\r\n"),
             std::string("Transfer-Encoding: identity\r\n"),
             std::string("Transfer-Encoding: gzip, chunked\r\n"),
             std::string("Transfer-Encoding: chunked, gzip\r\n"),
             std::string("Transfer-Encoding: xchunked\r\n"),
             std::string("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
             std::string("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
         })
        refuses(fmt::format("{}{}\r\n0\r\n\r\n{}", kPost, framing, kSecond));
    refuses("POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + kSecond);
    BOOST_TEST(server.requests.empty());
    BOOST_TEST(answer(kPost + "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
                   .starts_with("HTTP/1.1 200"));
}

BOOST_AUTO_TEST_CASE(a_line_is_a_line) {
    for (const std::string& request : {
             std::string("GET / HTTP/1.1\nHost: x\n\n"),
             std::string("GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n"),
             std::string("GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n"),
             std::string("GET / HTTP/1.1\r\nX: y\r\n\tfolded\r\nHost: x\r\n\r\n"),
             std::string("GET / HTTP/1.1\r\n Host: x\r\n\r\n"),
             std::string("GET / HTTP/1.1\r\nHost : x\r\n\r\n"),
             std::string("GET / HTTP/1.1\r\nHost: x\rX: y\r\n\r\n"),
             std::string("GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n", 35),
             std::string("\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
             std::string("GET  / HTTP/1.1\r\nHost: x\r\n\r\n"),
         })
        refuses(request);
    BOOST_TEST(server.requests.empty());
}

BOOST_AUTO_TEST_CASE(chunks_carry_a_body_and_nothing_else) {
    const std::string start = kPost + "Transfer-Encoding: chunked\r\n\r\n";
    for (const std::string& chunks : {
             std::string("5;name=value\r\nhello\r\n0\r\n\r\n"),
             std::string("5\r\nhello\r\n0;name\r\n\r\n"),
             std::string("5\r\nhello\r\n0\r\nAuthorization: Bearer x\r\n\r\n"),
             std::string("5\r\nhello\r\n0\r\nX: y\r\n\r\n"),
             std::string("5\nhello\r\n0\r\n\r\n"),
             std::string("5 \r\nhello\r\n0\r\n\r\n"),
             std::string("0x5\r\nhello\r\n0\r\n\r\n"),
             std::string("-5\r\nhello\r\n0\r\n\r\n"),
             std::string("5\r\nhelloX\r\n0\r\n\r\n"),
         })
        refuses(fmt::format("{}{}{}", start, chunks, kSecond));
    BOOST_TEST(server.requests.empty());
}

BOOST_AUTO_TEST_CASE(what_counts_once_comes_once_and_there_are_not_too_many) {
    for (const std::string field : {"Authorization", "Content-Type", "Origin", "Host"})
        refuses(fmt::format("GET / HTTP/1.1\r\nHost: x\r\n{0}: a\r\n{0}: b\r\n\r\n", field));
    std::string fields = "GET / HTTP/1.1\r\nHost: x\r\n";
    for (std::size_t i = 1; i < limits::kHttpHeaderFields; ++i) fields += "A: b\r\n";
    BOOST_TEST(answer(fields + "\r\n").starts_with("HTTP/1.1 200"));
    BOOST_TEST(answer(fields + "A: b\r\n\r\n").starts_with("HTTP/1.1 431"));
}

BOOST_AUTO_TEST_CASE(an_answer_gets_the_headers_of_its_server_and_its_exchange) {
    HttpServerOptions options;
    options.headers.add("X-Frame-Options", "DENY");
    options.headers.add("Cache-Control", "no-store");
    TestServer other(io, std::move(options));
    other.handler = [](HttpExchange exchange) {
        exchange.identify("r-1");
        exchange.speaks_for("192.0.2.1");
        exchange.add_header("Vary", "Origin");
        exchange.add_header("x-frame-options", "SAMEORIGIN");
        HttpResponse response = HttpResponse::json(200, exchange.request().remote_address);
        response.headers.add("cache-control", "public");
        BOOST_TEST(exchange.request().id == "r-1");
        exchange.respond(response);
    };
    RawClient client(io, other.port());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    client.expect("192.0.2.1");
    BOOST_TEST(client.received.find("X-Request-Id: r-1\r\n") != std::string::npos);
    BOOST_TEST(client.received.find("Vary: Origin\r\n") != std::string::npos);
    BOOST_TEST(client.received.find("x-frame-options: SAMEORIGIN\r\n") != std::string::npos);
    BOOST_TEST(client.received.find("DENY") == std::string::npos);
    BOOST_TEST(client.received.find("cache-control: public\r\n") != std::string::npos);
    BOOST_TEST(client.received.find("no-store") == std::string::npos);
    // What net/ refuses itself has the server's too.
    RawClient broken(io, other.port());
    broken.send("nonsense\r\n\r\n");
    broken.expect("X-Frame-Options: DENY\r\n");
}

BOOST_AUTO_TEST_SUITE_END()
