#pragma once

#include "agent/rotation/transitions.hpp"
#include "agent/transport.hpp"
#include "base/ed25519.hpp"
#include "base/result.hpp"

#include <functional>
#include <string>

namespace rekey::agent {

// The agent's identity key, read when it is needed and gone afterwards.
using IdentitySource = std::function<Result<Ed25519Key>()>;

// Asks for the pending token against the identity key (docs/protocol.md, "Recovery"): POST
// /recover/challenge, then POST /recover. When to ask, and what to do with the answer, is decided
// in rotation/transitions.hpp (A6). One thread; Transport::abort() cancels.
class Recovery {
  public:
    // Errors: `corrupt`, `not_found`, … of the identity key; those of Transport::post; the server's
    // refusals as read_refusal() gives them; `internal` for an answer that is not understood.
    using Done = std::function<void(Result<rotation::Offer>)>;

    Recovery(Transport& transport, IdentitySource identity, std::string agent_id)
        : transport_(transport), identity_(std::move(identity)), agent_id_(std::move(agent_id)) {}

    // One at a time, while nothing is open. `done` never comes from inside this call.
    void attempt(const rotation::RecoveryRequest& request, Done done);

  private:
    void on_challenge(Result<net::HttpResponse> answer);
    void on_answer(Result<net::HttpResponse> answer);
    [[nodiscard]] Result<Secret> signed_request(const std::string& challenge);
    void finish(Result<rotation::Offer> result);

    Transport& transport_;
    IdentitySource identity_;
    std::string agent_id_;
    std::uint64_t newest_held_ = 0;
    std::optional<Secret> shown_;
    Done done_;
};

}  // namespace rekey::agent
