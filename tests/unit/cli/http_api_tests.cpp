#include "base/clock.hpp"
#include "base/random.hpp"
#include "cli/exit_code.hpp"
#include "cli/http_api.hpp"
#include "net/certificates.hpp"
#include "net/http_server.hpp"
#include "net/listener.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <thread>
#include <vector>

using namespace rekey;
using namespace rekey::cli;

namespace {

// A server on its own thread that answers each call with {"method": …} under the call's id.
class Server {
  public:
    explicit Server(std::shared_ptr<net::ServerTls> tls = nullptr)
        : http_(io_, {std::move(tls), {}, {}},
                [this](net::HttpExchange exchange) { answer(std::move(exchange)); }),
          listener_(net::Listener::open(
                        io_, "127.0.0.1", 0, net::PortUse::exclusive,
                        [this](net::TcpSocket socket) { http_.accept(std::move(socket)); })
                        .value()),
          thread_([this] { io_.run(); }) {}
    ~Server() {
        boost::asio::post(io_, [this] {
            listener_->stop();
            http_.stop();
            work_.reset();
        });
        thread_.join();
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] Target target(std::optional<net::Trust> trust) const {
        return {
            {"127.0.0.1", listener_->port()}, std::move(trust), Secret("rkk_test"), "a test", {}};
    }
    // What was asked; read it after the answer only.
    std::vector<net::HttpRequest> requests;

  private:
    void answer(net::HttpExchange exchange) {
        requests.push_back(exchange.request());
        const auto call = boost::json::parse(exchange.request().body);
        const boost::json::object reply{
            {"jsonrpc", "2.0"}, {"id", call.at("id")}, {"result", {{"method", call.at("method")}}}};
        exchange.respond(net::HttpResponse::json(200, boost::json::serialize(reply)));
    }

    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        io_.get_executor()};
    net::HttpServer http_;
    std::unique_ptr<net::Listener> listener_;
    std::thread thread_;
};

struct Pki {
    SystemClock clock;
    SystemRandom random;
    net::KeyedCertificate ca = net::make_ca("Rekey test CA", clock, random).value();
    net::KeyedCertificate leaf = net::issue_certificate(ca, {}, clock, random).value();
    std::shared_ptr<net::ServerTls> tls =
        net::ServerTls::make(leaf.certificate_pem + ca.certificate_pem, leaf.key_pem, clock, random)
            .value();
};

}  // namespace

BOOST_AUTO_TEST_SUITE(http_api_tests)

BOOST_AUTO_TEST_CASE(calls_are_posted_with_the_key_over_one_connection) {
    Server server;
    const auto api = HttpApi::connect(server.target(std::nullopt)).value();
    for (const std::string_view method : {"system.info", "agents.list"}) {
        const auto result = api->call(method, R"({"limit":1})");
        BOOST_REQUIRE(result.has_value());
        BOOST_TEST(result->at("method").as_string() == method);
    }
    BOOST_REQUIRE(server.requests.size() == 2U);
    const net::HttpRequest& last = server.requests.back();
    BOOST_TEST(last.method == "POST");
    BOOST_TEST(last.target == "/rpc");
    BOOST_TEST(last.headers.get("Authorization") == "Bearer rkk_test");
    BOOST_TEST(last.headers.get("Content-Type") == "application/json");
    const auto body = boost::json::parse(last.body);
    BOOST_TEST(body.at("jsonrpc").as_string() == "2.0");
    BOOST_TEST(body.at("params").at("limit").as_int64() == 1);
}

BOOST_AUTO_TEST_CASE(a_server_below_the_given_ca_is_believed_and_no_other) {
    Pki pki;
    Pki other;
    Server server(pki.tls);
    const auto good =
        HttpApi::connect(server.target(net::Trust::ca(pki.ca.certificate_pem))).value();
    BOOST_TEST(good->call("system.info", "").has_value());
    BOOST_TEST(server.requests.back().secure);

    const auto bad =
        HttpApi::connect(server.target(net::Trust::ca(other.ca.certificate_pem))).value();
    const auto refused = bad->call("system.info", "");
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST((refused.error().code() == Code::permission_denied));
    BOOST_TEST(error_line(refused.error()).find("--ca-file") != std::string::npos);
    BOOST_TEST(server.requests.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_ca_file_without_a_certificate_is_said_to_be_none) {
    const auto api =
        HttpApi::connect({{"127.0.0.1", 1}, net::Trust::ca("nothing"), Secret("k"), "a test", {}});
    BOOST_REQUIRE(api.has_error());
    BOOST_TEST(error_line(api.error()).find("--ca-file") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_port_that_nobody_listens_on_is_unavailable) {
    std::optional<Target> target;
    {
        const Server server;
        target = server.target(std::nullopt);
    }
    const auto result = HttpApi::connect(*target).value()->call("system.info", "");
    BOOST_REQUIRE(result.has_error());
    BOOST_TEST((exit_code_of(result.error()) == ExitCode::unavailable));
}

BOOST_AUTO_TEST_SUITE_END()
