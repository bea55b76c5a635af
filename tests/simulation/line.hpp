#pragma once

#include "agent/transport.hpp"
#include "net/web_socket.hpp"
#include "server/sessions/wire.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/simulation/weather.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

// One connection of an agent: a WebSocket without sockets. What is sent arrives in order, late, or
// not at all; each end learns of a break for itself, or not.
namespace rekey::simulation {

class Line;

// The machine at an agent's end.
class AgentEnd {
  public:
    virtual ~AgentEnd() = default;
    [[nodiscard]] virtual int number() const = 0;
    // Runs something as the agent's process; a death inside of it is this call's affair.
    virtual void enter(const std::function<void()>& action) = 0;
    virtual void die(std::string_view when) = 0;
    // What its slowness adds to each message.
    [[nodiscard]] virtual Milliseconds lag() const = 0;
};

// The machine at the server's end.
class ServerEnd {
  public:
    virtual ~ServerEnd() = default;
    [[nodiscard]] virtual bool is_up() const = 0;
    virtual void enter(const std::function<void()>& action) = 0;
    // Its clocks, as it accepts a connection.
    [[nodiscard]] virtual Moment now() const = 0;
    // GET /agent with this credential, by a connection accepted back then: Line::refuse() or
    // accept() follows, or nothing.
    virtual void upgrade(std::shared_ptr<Line> line, std::string credential, Moment accepted) = 0;
    // A POST on a connection of its own. No answer when the process dies meanwhile.
    using Answer = std::function<void(net::HttpResponse)>;
    virtual void post(const std::string& target, const std::string& body, Answer answer) = 0;
};

// What all lines run on.
struct Network {
    testing::VirtualTime& time;
    Dice& dice;
    Trace& trace;
    const Weather& weather;
    ServerEnd& server;
};

class Line : public std::enable_shared_from_this<Line> {
  public:
    Line(Network& network, AgentEnd& agent) : network_(network), agent_(agent) {}

    // The agent's end.
    void dial(agent::Transport::Observer& observer, std::function<Secret()> credential);
    void send_to_server(std::string text);
    void close_from_agent(std::uint16_t code, std::string_view reason);
    void leave_agent();  // its process is gone, or has lost interest

    // The server's end.
    void refuse(net::HttpResponse answer);
    // False: it is gone already.
    [[nodiscard]] bool accept();
    void start(net::WebSocketObserver& session);
    void send_to_agent(std::string text);
    void close_from_server(std::uint16_t code, std::string_view reason);
    void leave_server();  // its process is gone, or has forgotten the session

    [[nodiscard]] int number() const { return agent_.number(); }
    // Open as both ends see it, and nothing has happened to it.
    [[nodiscard]] bool is_whole() const {
        return observer_ != nullptr && session_ != nullptr && !cut_ && !agent_closing_ &&
               !server_closing_;
    }

  private:
    // Each direction keeps its order.
    struct Direction {
        SteadyTime last_arrival{};
    };
    void arrive(Direction& direction, std::function<void()> action);
    [[nodiscard]] bool survives(std::string_view what);
    void break_now();
    void request(std::string credential, Moment accepted);
    void unreachable(const char* why);
    void deliver_to_agent(const std::string& text);
    void deliver_to_server(const std::string& text);
    void end_agent(const net::CloseReason& reason);
    void end_server(const net::CloseReason& reason);
    [[nodiscard]] Milliseconds latency();

    Network& network_;
    AgentEnd& agent_;
    agent::Transport::Observer* observer_ = nullptr;  // null: nobody there
    net::WebSocketObserver* session_ = nullptr;       // null: nobody there
    std::function<Secret()> credential_;
    Direction to_agent_;
    Direction to_server_;
    bool open_ = false;           // as the agent sees it
    bool reset_ = false;          // the server's kernel knows that the agent has gone
    bool agent_closing_ = false;  // its close frame is on its way
    bool server_closing_ = false;
    bool cut_ = false;
};

// What the method of a message is called, or what kind of answer it is.
[[nodiscard]] std::string_view label_of(std::string_view message);
[[nodiscard]] bool is_routine(std::string_view label);

// A POST on a connection of its own. `answered` comes once, unless it is cancelled: what the server
// said, or `unavailable` when nothing came in time.
class Posting : public std::enable_shared_from_this<Posting> {
  public:
    using Answered = std::function<void(Result<net::HttpResponse>)>;
    Posting(Network& network, AgentEnd& agent, Answered answered)
        : network_(network), agent_(agent), answered_(std::move(answered)) {}
    void send(const std::string& target, const Secret& body);
    void cancel() { answered_ = nullptr; }

  private:
    void answer(const Result<net::HttpResponse>& given);
    [[nodiscard]] Milliseconds latency();
    [[nodiscard]] bool is_lost();

    Network& network_;
    AgentEnd& agent_;
    Answered answered_;
};

class VirtualTransport final : public agent::Transport {
  public:
    VirtualTransport(Network& network, AgentEnd& agent) : network_(network), agent_(agent) {}
    ~VirtualTransport() override { abort(); }
    VirtualTransport(const VirtualTransport&) = delete;
    VirtualTransport& operator=(const VirtualTransport&) = delete;

    void open(Observer& observer, std::function<Secret()> credential) override;
    void send(std::string message) override { line_->send_to_server(std::move(message)); }
    void close(std::uint16_t code, std::string_view reason) override {
        line_->close_from_agent(code, reason);
    }
    void post(std::string target, Secret body, Posting::Answered answered) override;
    void abort() override;
    [[nodiscard]] const Line* line() const { return line_.get(); }

  private:
    Network& network_;
    AgentEnd& agent_;
    std::shared_ptr<Line> line_;
    std::shared_ptr<Posting> posting_;
};

// The server's end of a line.
class LineWire final : public server::sessions::Wire {
  public:
    explicit LineWire(std::shared_ptr<Line> line)
        : line_(std::move(line)), address_("10.0.0." + std::to_string(line_->number()) + ":4000") {}
    ~LineWire() override { line_->leave_server(); }
    LineWire(const LineWire&) = delete;
    LineWire& operator=(const LineWire&) = delete;

    void start(net::WebSocketObserver& observer) override { line_->start(observer); }
    void send(std::string message) override { line_->send_to_agent(std::move(message)); }
    void close(std::uint16_t code, std::string_view reason) override {
        line_->close_from_server(code, reason);
    }
    [[nodiscard]] const std::string& remote_address() const override { return address_; }
    [[nodiscard]] bool is_secure() const override { return true; }

  private:
    std::shared_ptr<Line> line_;
    std::string address_;
};

}  // namespace rekey::simulation
