#include "bench/bench_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

namespace rekey::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

const std::string kHeartbeat =
    R"({"jsonrpc":"2.0","id":7,"method":"agent.heartbeat","params":{"status":"ok","uptime_seconds":12345,"generation":1}})";
constexpr std::string_view kHello =
    R"({"jsonrpc":"2.0","id":1,"method":"agent.hello","params":{"version":"1","hostname":"bench","os":"none","boot_id":"b",)"
    R"("tokens_held":[],"methods":[]}})";
constexpr std::string_view kAnswerStart = R"({"jsonrpc":"2.0","id":7,)";

// The leanest client that still checks what it gets: one heartbeat outstanding, the next when it is
// answered.
class Beating final : public net::WebSocketObserver {
  public:
    Beating(boost::asio::io_context& context, const testing::Rekeyd& server, std::string token) {
        net::ConnectOptions options;
        options.host = server.host();
        options.port = server.port();
        options.subprotocol = "rekey.agent.v1";
        options.tls = server.tls();
        options.authorization = [token = std::move(token)] { return Secret("Bearer " + token); };
        attempt_ = net::connect_web_socket(
            context, std::move(options), [this](net::ConnectOutcome outcome) {
                if (auto* socket = std::get_if<net::WebSocket>(&outcome)) {
                    socket_ = std::move(*socket);
                    socket_.start(*this);
                } else {
                    failed = true;
                }
            });
    }

    std::size_t answered = 0;
    bool ready = false;
    bool failed = false;
    bool running = false;

    void begin() {
        running = true;
        socket_.send(kHeartbeat);
    }

  private:
    void on_text(std::string_view message) override {
        if (message.starts_with(kAnswerStart)) {
            ++answered;
            if (running) socket_.send(kHeartbeat);
        } else if (message.find(R"("agent.welcome")") != std::string_view::npos) {
            socket_.send(std::string(kHello));
        } else if (message.find(R"("agent.commit")") != std::string_view::npos) {
            answer_commit(message);
        } else {
            ready = true;
        }
    }
    void on_closed(const net::CloseReason& /*reason*/) override { failed = true; }

    void answer_commit(std::string_view message) {
        const boost::json::value request = boost::json::parse(message);
        boost::json::object result = request.at("params").as_object();
        result["status"] = "activated";
        socket_.send(boost::json::serialize(
            boost::json::object{{"jsonrpc", "2.0"}, {"id", request.at("id")}, {"result", result}}));
    }

    std::unique_ptr<net::ConnectAttempt> attempt_;
    net::WebSocket socket_;
};

}  // namespace

void heartbeats(Transport transport, std::size_t connections, std::size_t seconds) {
    use_core(1);
    const auto server = start_server(transport, "0");
    const auto fleet = enroll_fleet(*server, transport, connections);
    boost::asio::io_context context;
    std::vector<std::unique_ptr<Beating>> agents;
    agents.reserve(fleet->size());
    for (std::size_t i = 0; i < connections; ++i)
        agents.push_back(std::make_unique<Beating>(
            context, *server, std::string(fleet->at(i).held().back().token.expose())));
    const auto all = [&](auto member) {
        return std::all_of(agents.begin(), agents.end(),
                           [&](const auto& agent) { return *agent.*member; });
    };
    while (!all(&Beating::ready)) context.run_one();
    const auto answered = [&] {
        std::size_t sum = 0;
        for (const auto& agent : agents) sum += agent->answered;
        return sum;
    };
    for (const auto& agent : agents) agent->begin();
    std::vector<double> rates;
    for (std::size_t round = 0; round < seconds; ++round) {
        const std::size_t before = answered();
        const auto started = SteadyClock::now();
        context.run_for(std::chrono::seconds{1});
        const std::chrono::duration<double> took = SteadyClock::now() - started;
        rates.push_back(static_cast<double>(answered() - before) / took.count());
    }
    std::sort(rates.begin(), rates.end());
    std::printf(
        "heartbeats      %-5s  %zu connections, one outstanding each, server on one core: %.0f "
        "round trips a "
        "second (median of %zu; %.0f to %.0f)\n",
        name_of(transport).c_str(), connections, rates[rates.size() / 2], rates.size(),
        rates.front(), rates.back());
}

}  // namespace rekey::bench
