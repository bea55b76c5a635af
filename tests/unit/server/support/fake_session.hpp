#pragma once

#include "server/sessions/registry.hpp"
#include "tests/unit/server/support/fake_agents.hpp"

#include <functional>
#include <string>
#include <utility>

namespace rekey::server::testing {

// A session of the registry, without a socket.
class FakeSession final : public sessions::RegisteredSession {
  public:
    FakeSession(std::string id, std::uint64_t connection, std::uint64_t bound)
        : link_(std::move(id), connection, bound) {}
    [[nodiscard]] const std::string& agent_id() const override { return link_.agent_id(); }
    [[nodiscard]] std::uint64_t connection_generation() const override {
        return link_.connection_generation();
    }
    [[nodiscard]] std::uint64_t bound_generation() const override {
        return link_.bound_generation();
    }
    void bind(std::uint64_t generation) override { link_.bind(generation); }
    [[nodiscard]] std::string address() const override { return link_.address(); }
    [[nodiscard]] rotation::LinkProgress& progress() override { return link_.progress(); }
    void call(std::string_view method, std::string params, Milliseconds timeout, Answer answer,
              Answer late) override {
        link_.call(method, std::move(params), timeout, std::move(answer), std::move(late));
        if (on_call) on_call(link_.calls.back());
    }
    void close(std::uint16_t code, std::string_view reason) override { link_.close(code, reason); }
    [[nodiscard]] sessions::SessionFacts facts() const override {
        return {.connection_generation = connection_generation()};
    }
    [[nodiscard]] SteadyTime last_frame() const override { return heard_at; }
    void probe(std::function<void(Life)> answer) override { answer(Life::answers); }
    [[nodiscard]] std::uint16_t closed_with() const { return link_.closed_with; }

    SteadyTime heard_at{};
    // What the agent does when it is called; empty: it keeps silent.
    std::function<void(SentCall&)> on_call;
    [[nodiscard]] std::vector<SentCall>& calls() { return link_.calls; }

  private:
    FakeLink link_;
};

}  // namespace rekey::server::testing
