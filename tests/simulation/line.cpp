#include "tests/simulation/line.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rekey::simulation {
namespace {

using namespace std::chrono_literals;
constexpr Milliseconds kAttemptTimeout = 30s;  // as in net::ConnectOptions
constexpr Milliseconds kCloseTimeout = limits::kCloseHandshakeTimeout;
constexpr std::string_view kAnswer = "an answer";
constexpr std::string_view kTheTime = "the time";

}  // namespace

std::string_view label_of(std::string_view message) {
    constexpr std::string_view kMethod = "\"method\":\"";
    const auto at = message.substr(0, 80).find(kMethod);
    if (at != std::string_view::npos) {
        const std::string_view name = message.substr(at + kMethod.size(), 40);
        return name.substr(0, name.find('"'));
    }
    const auto status = message.find("\"status\":\"");
    if (status != std::string_view::npos) {
        const std::string_view name = message.substr(status + 10, 40);
        return name.substr(0, name.find('"'));
    }
    return message.find("{\"server_time\"") != std::string_view::npos ? kTheTime : kAnswer;
}

bool is_routine(std::string_view label) { return label == "agent.heartbeat" || label == kTheTime; }

Milliseconds Line::latency() {
    return network_.dice.between(1ms, network_.weather.latency) + agent_.lag();
}

void Line::arrive(Direction& direction, std::function<void()> action) {
    const SteadyTime at = std::max(network_.time.steady + latency(), direction.last_arrival);
    direction.last_arrival = at;
    network_.time.later(at - network_.time.steady,
                        [self = shared_from_this(), action = std::move(action)] { action(); });
}

bool Line::survives(std::string_view what) {
    if (cut_) return false;
    if (!network_.dice.chance(network_.weather.cut)) return true;
    network_.trace.note(number(), "the connection breaks at ", what, {});
    break_now();
    return false;
}

// Each end is told by its kernel, later, or waits for a silence to grow long.
void Line::break_now() {
    cut_ = true;
    const auto tell = [this](auto action) {
        if (network_.dice.chance(network_.weather.cut_unnoticed)) return;
        network_.time.later(latency(), [self = shared_from_this(), action] { action(*self); });
    };
    tell([](Line& line) { line.end_agent({.error = "connection reset"}); });
    tell([](Line& line) { line.end_server({.error = "connection reset"}); });
}

void Line::dial(agent::Transport::Observer& observer, std::function<Secret()> credential) {
    observer_ = &observer;
    credential_ = std::move(credential);
    network_.time.later(kAttemptTimeout, [self = shared_from_this()] {
        if (!self->open_) self->unreachable("no answer");
    });
    if (network_.dice.chance(network_.weather.connect_lost))
        return network_.trace.note(number(), "dials, and nobody hears it");
    arrive(to_agent_, [this] {
        if (observer_ == nullptr) return;
        if (!network_.server.is_up()) return unreachable("connection refused");
        const Moment accepted = network_.server.now();
        agent_.enter([this, accepted] { request(std::string(credential_().expose()), accepted); });
    });
}

// The handshake is done and the token chosen.
void Line::request(std::string credential, Moment accepted) {
    network_.trace.note(number(), "asks to be let in", credential);
    const auto ask = [&](const std::shared_ptr<Line>& line) {
        return [line, credential, accepted] {
            if (line->network_.server.is_up())
                line->network_.server.upgrade(line, credential, accepted);
            else
                line->unreachable("connection reset");
        };
    };
    arrive(to_server_, ask(shared_from_this()));
    if (!network_.dice.chance(network_.weather.connect_duplicated)) return;
    // Nobody is at the agent's end of this one.
    const auto ghost = std::make_shared<Line>(network_, agent_);
    network_.time.later(network_.dice.spread(10ms, 1h), [ghost, ask = ask(ghost)] {
        ghost->network_.trace.note(ghost->number(), "the same request to be let in arrives again");
        ask();
    });
}

void Line::unreachable(const char* why) {
    if (observer_ == nullptr || open_) return;
    network_.trace.note(number(), "cannot connect: ", why, {});
    auto* observer = std::exchange(observer_, nullptr);
    agent_.enter([&] { observer->on_unreachable(Error(Code::unavailable, why)); });
}

void Line::refuse(net::HttpResponse answer) {
    if (!survives("the refusal")) return;
    arrive(to_agent_, [this, answer = std::move(answer)] {
        if (observer_ == nullptr) return;
        network_.trace.note(number(), "is refused: ", answer.headers.get("Rekey-Error"), {});
        auto* observer = std::exchange(observer_, nullptr);
        agent_.enter([&] { observer->on_refused(answer); });
    });
}

bool Line::accept() {
    if (reset_) return false;
    if (!survives("the upgrade")) return true;
    arrive(to_agent_, [this] {
        if (observer_ == nullptr || cut_) return;
        open_ = true;
        agent_.enter([this] { observer_->on_open(); });
    });
    return true;
}

void Line::start(net::WebSocketObserver& session) { session_ = &session; }

void Line::send_to_agent(std::string text) {
    network_.trace.note(number(), "the server says ", label_of(text), text);
    if (!survives(label_of(text))) return;
    arrive(to_agent_, [this, text = std::move(text)] { deliver_to_agent(text); });
}

void Line::deliver_to_agent(const std::string& text) {
    if (observer_ == nullptr || !open_ || cut_) return;
    const std::string_view label = label_of(text);
    network_.trace.note(number(), "hears ", label, {});
    const auto dies = [&] {
        return !is_routine(label) && network_.dice.chance(network_.weather.death_at_message);
    };
    if (dies()) return agent_.die("before it handles a message");
    agent_.enter([&] {
        observer_->on_frame();
        if (observer_ != nullptr) observer_->on_text(text);
    });
    if (observer_ != nullptr && dies()) agent_.die("after it handled a message");
}

void Line::send_to_server(std::string text) {
    network_.trace.note(number(), "says ", label_of(text), text);
    if (!survives(label_of(text))) return;
    arrive(to_server_, [this, text = std::move(text)] { deliver_to_server(text); });
}

void Line::deliver_to_server(const std::string& text) {
    if (session_ == nullptr || cut_) return;
    network_.server.enter([&] {
        session_->on_frame();
        if (session_ != nullptr) session_->on_text(text);
    });
}

void Line::close_from_agent(std::uint16_t code, std::string_view reason) {
    if (agent_closing_) return;
    agent_closing_ = true;
    network_.trace.note(number(), "closes: ", reason, {});
    const std::string text(reason);
    arrive(to_server_, [this, code, text] {
        if (!cut_) end_server({code, text, net::ClosedBy::peer, {}});
    });
    const Milliseconds patience = cut_ ? kCloseTimeout : std::min(2 * latency(), kCloseTimeout);
    network_.time.later(patience, [self = shared_from_this(), code, text] {
        self->end_agent({code, text, net::ClosedBy::us, {}});
    });
}

void Line::close_from_server(std::uint16_t code, std::string_view reason) {
    if (server_closing_) return;
    server_closing_ = true;
    network_.trace.note(number(), "the server closes: ", reason, {});
    const std::string text(reason);
    arrive(to_agent_, [this, code, text] {
        if (cut_) return;
        network_.trace.note(number(), "is told that it is closed: ", text, {});
        end_agent({code, text, net::ClosedBy::peer, {}});
    });
    const Milliseconds patience = cut_ ? kCloseTimeout : std::min(2 * latency(), kCloseTimeout);
    network_.time.later(patience, [self = shared_from_this(), code, text] {
        self->end_server({code, text, net::ClosedBy::us, {}});
    });
}

void Line::end_agent(const net::CloseReason& reason) {
    if (observer_ == nullptr) return;
    auto* observer = std::exchange(observer_, nullptr);
    agent_.enter([&] {
        if (open_)
            observer->on_closed(reason);
        else
            observer->on_unreachable(Error(Code::unavailable, reason.error));
    });
}

void Line::end_server(const net::CloseReason& reason) {
    reset_ = true;
    if (session_ == nullptr) return;
    network_.server.enter([&] {
        // The session dies of it, and its wire with it.
        if (auto* session = std::exchange(session_, nullptr)) session->on_closed(reason);
    });
}

void Line::leave_agent() {
    if (std::exchange(observer_, nullptr) == nullptr) return;
    if (cut_ || agent_closing_) return;
    // What was sent may still arrive before the end does, or be lost with it.
    if (network_.dice.chance(network_.weather.cut_unnoticed)) {
        cut_ = true;
        return;
    }
    if (network_.dice.chance(0.5)) return break_now();
    arrive(to_server_, [this] {
        if (!cut_) end_server({.error = "end of file"});
    });
}

void Line::leave_server() {
    if (std::exchange(session_, nullptr) == nullptr) return;
    if (cut_ || server_closing_) return;
    if (network_.dice.chance(network_.weather.cut_unnoticed)) {
        cut_ = true;
        return;
    }
    if (network_.dice.chance(0.5)) return break_now();
    arrive(to_agent_, [this] {
        if (!cut_) end_agent({.error = "end of file"});
    });
}

void VirtualTransport::open(Observer& observer, std::function<Secret()> credential) {
    line_ = std::make_shared<Line>(network_, agent_);
    line_->dial(observer, std::move(credential));
}

void VirtualTransport::abort() {
    if (line_) line_->leave_agent();
    line_.reset();
    if (posting_) posting_->cancel();
    posting_.reset();
}

void VirtualTransport::post(std::string target, Secret body, Posting::Answered answered) {
    auto as_process = [&agent = agent_,
                       answered = std::move(answered)](const Result<net::HttpResponse>& given) {
        agent.enter([&] { answered(given); });
    };
    posting_ = std::make_shared<Posting>(network_, agent_, std::move(as_process));
    posting_->send(target, body);
}

Milliseconds Posting::latency() {
    return network_.dice.between(1ms, network_.weather.latency) + agent_.lag();
}

bool Posting::is_lost() {
    const bool lost = network_.dice.chance(network_.weather.cut + network_.weather.connect_lost);
    if (lost) network_.trace.note(agent_.number(), "a request or its answer is lost");
    return lost;
}

void Posting::answer(const Result<net::HttpResponse>& given) {
    if (!answered_) return;
    network_.trace.note(agent_.number(), given.has_error() ? "has no answer" : "is answered with ",
                        given.has_error() ? "" : std::to_string(given->status), {});
    std::exchange(answered_, nullptr)(given);
}

void Posting::send(const std::string& target, const Secret& body) {
    network_.trace.note(agent_.number(), "posts to ", target, {});
    network_.time.later(kAttemptTimeout, [self = shared_from_this()] {
        self->answer(Error(Code::unavailable, "no answer"));
    });
    if (is_lost()) return;
    const auto receive = [self = shared_from_this()](net::HttpResponse given) {
        if (self->is_lost()) return;
        self->network_.time.later(self->latency(),
                                  [self, given = std::move(given)] { self->answer(given); });
    };
    network_.time.later(
        latency(), [self = shared_from_this(), target, receive, text = std::string(body.expose())] {
            if (self->network_.server.is_up()) self->network_.server.post(target, text, receive);
        });
}

}  // namespace rekey::simulation
