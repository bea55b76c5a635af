#pragma once

#include "protocol/errors.hpp"
#include "protocol/proof.hpp"
#include "server/rotation/agent_link.hpp"
#include "tests/unit/server/support/world.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Agents without sockets: what they are asked is kept, and a test answers for them.
namespace rekey::server::testing {

// As it is read at the other end: numbers come back in the kind that a parser gives them.
inline boost::json::value over_the_wire(const boost::json::value& value) {
    return boost::json::parse(boost::json::serialize(value));
}

struct SentCall {
    std::string method;
    boost::json::value params;
    Milliseconds timeout{};
    rotation::AgentLink::Answer answer;
    rotation::AgentLink::Answer late;
};

class FakeLink final : public rotation::AgentLink {
  public:
    FakeLink(std::string id, std::uint64_t connection, std::uint64_t generation)
        : id_(std::move(id)), connection_(connection), bound_(generation) {}

    [[nodiscard]] const std::string& agent_id() const override { return id_; }
    [[nodiscard]] std::uint64_t connection_generation() const override { return connection_; }
    [[nodiscard]] std::uint64_t bound_generation() const override { return bound_; }
    void bind(std::uint64_t generation) override { bound_ = generation; }
    [[nodiscard]] std::string address() const override { return "192.0.2.7"; }
    [[nodiscard]] rotation::LinkProgress& progress() override { return progress_; }
    void call(std::string_view method, std::string params, Milliseconds timeout, Answer answer,
              Answer late) override {
        // Without params there is nothing to read.
        auto read = params.empty() ? boost::json::value() : parse(params);
        calls.push_back(
            {std::string(method), std::move(read), timeout, std::move(answer), std::move(late)});
    }
    void close(std::uint16_t code, std::string_view /*reason*/) override { closed_with = code; }

    // The calls of this method so far.
    [[nodiscard]] std::size_t count(std::string_view method) const {
        std::size_t found = 0;
        for (const auto& call : calls)
            if (call.method == method) ++found;
        return found;
    }
    // The newest one.
    [[nodiscard]] SentCall& last(std::string_view method) {
        for (auto call = calls.rbegin(); call != calls.rend(); ++call)
            if (call->method == method) return *call;
        throw std::logic_error("no such call");
    }
    [[nodiscard]] SentCall& offer() { return last("agent.rotate"); }
    [[nodiscard]] SentCall& commit() { return last("agent.commit"); }

    // What an honest agent answers to this offer.
    [[nodiscard]] boost::json::value complete(const SentCall& offer) const {
        const auto& params = offer.params.as_object();
        const std::string rotation_id(params.at("rotation_id").as_string());
        const auto generation = params.at("generation").to_number<std::uint64_t>();
        const Secret token(std::string_view(params.at("token").as_string()));
        return over_the_wire(
            {{"status", "rotation_complete"},
             {"rotation_id", rotation_id},
             {"generation", generation},
             {"proof", protocol::rotation_proof(token, id_, rotation_id, generation)}});
    }
    [[nodiscard]] boost::json::value failed(const SentCall& offer, std::string_view reason) const {
        const auto& params = offer.params.as_object();
        return {{"status", "rotation_failed"},
                {"rotation_id", params.at("rotation_id")},
                {"generation", params.at("generation")},
                {"reason", std::string(reason)},
                {"detail", "so it is"}};
    }
    [[nodiscard]] boost::json::value activated(const SentCall& commit) const {
        const auto& params = commit.params.as_object();
        return {{"status", "activated"},
                {"rotation_id", params.at("rotation_id")},
                {"generation", params.at("generation")}};
    }

    std::vector<SentCall> calls;
    std::uint16_t closed_with = 0;

  private:
    std::string id_;
    std::uint64_t connection_;
    std::uint64_t bound_;
    rotation::LinkProgress progress_;
};

class FakeAgents final : public rotation::ConnectedAgents {
  public:
    explicit FakeAgents(Queue& queue) : queue_(queue) {}

    FakeLink& connect(const std::string& agent_id, std::uint64_t generation) {
        auto& link = links_[agent_id];
        link = std::make_shared<FakeLink>(agent_id, ++connections_, generation);
        return *link;
    }
    // Its calls are answered as a session's end answers them.
    void disconnect(const std::string& agent_id) {
        const auto link = links_.extract(agent_id).mapped();
        for (auto& call : std::exchange(link->calls, {}))
            if (call.answer) call.answer(Error(Code::agent_offline, "gone"));
    }

    [[nodiscard]] bool connected(std::string_view agent_id) const override {
        return links_.contains(std::string(agent_id));
    }
    [[nodiscard]] std::size_t count() const override { return links_.size(); }
    void with(std::string_view agent_id, std::function<void(rotation::AgentLink&)> action,
              std::function<void()> absent) override {
        queue_.push([this, id = std::string(agent_id), action = std::move(action),
                     absent = std::move(absent)] {
            const auto link = links_.find(id);
            if (link != links_.end()) return action(*link->second);
            if (absent) absent();
        });
    }
    void for_each(std::function<void(rotation::AgentLink&)> action) override {
        for (const auto& [id, link] : links_) with(id, action, {});
    }
    void close(std::string_view agent_id, std::uint16_t code, std::string_view /*reason*/,
               std::optional<std::uint64_t> bound_to) override {
        with(agent_id,
             [code, bound_to](rotation::AgentLink& link) {
                 if (!bound_to || link.bound_generation() == *bound_to) link.close(code, {});
             },
             {});
    }

  private:
    Queue& queue_;
    std::map<std::string, std::shared_ptr<FakeLink>> links_;
    std::uint64_t connections_ = 0;
};

// A coordinator on all of this.
struct RotationWorld : World {
    FakeAgents agents{queue};
    rotation::Coordinator coordinator{rotation::Coordinator::Parts{.store = store,
                                                                   .master_key = master_key,
                                                                   .clock = clock,
                                                                   .random = random,
                                                                   .settings = settings,
                                                                   .log = log,
                                                                   .agents = agents}};

    using View = Result<rotation::RotationView>;
    View start(const std::string& agent_id,
               rotation::RotationCause cause = rotation::RotationCause::admin) {
        View answered(Error(Code::internal, "not answered"));
        coordinator.start({.agent_id = agent_id, .cause = cause, .actor = "admin"},
                          [&](View view) { answered = std::move(view); });
        queue.run();
        return answered;
    }
    void answer(SentCall& call, Result<boost::json::value> with) {
        // Moved out as a session does: an answer is given once.
        const auto answer = std::exchange(call.answer, {});
        BOOST_REQUIRE(answer);
        answer(std::move(with));
        queue.run();
    }
    void answer_late(SentCall& call, Result<boost::json::value> with) {
        const auto late = std::exchange(call.late, {});
        BOOST_REQUIRE(late);
        late(std::move(with));
        queue.run();
    }
    void time_out(SentCall& call) { answer(call, Error(Code::agent_timeout, "silent")); }
    void ready(FakeLink& link) {
        coordinator.on_ready(link);
        queue.run();
    }
    void tick(FakeLink& link) {
        coordinator.on_tick(link);
        queue.run();
    }
    // From the offer to the answered commit.
    void finish(FakeLink& link) {
        answer(link.offer(), link.complete(link.offer()));
        answer(link.commit(), link.activated(link.commit()));
    }
};

// Generation 2 was offered to the connected agent "a".
struct OfferedWorld : RotationWorld {
    OfferedWorld() {
        enrolled_agent("a");
        link = &agents.connect("a", 1);
        rotation_id = *start("a")->rotation_id;
        token = std::string(link->offer().params.at("token").as_string());
    }

    FakeLink* link = nullptr;
    std::string rotation_id;
    std::string token;
};

}  // namespace rekey::server::testing
