// The connector's part A6: what happens when no token opens a session any more.
#include "agent/connector.hpp"
#include "agent/refusal.hpp"
#include "agent/rotation_steps.hpp"
#include "protocol/errors.hpp"

#include <utility>

namespace rekey::agent {
namespace {

constexpr std::string_view kAskAnAdmin =
    "; an admin can allow one more recovery (rekeyctl agents recover NAME) or make a new "
    "enrollment "
    "code (rekeyctl enroll-code NAME)";

}  // namespace

// A6. Never in a loop: what a recovery brought has to open a session before the next recovery
// comes at once.
void Connector::recover() {
    if (std::exchange(unproven_recovery_, false))
        return begin_again("recovery.futile",
                           "the token of the last recovery opened no session; trying again later",
                           slowly());
    const auto request = rotation::recovery_due(vault_.held(), refusals_);
    around_.log.warning("recovery.started", {{"agent_id", vault_.state().agent_id},
                                             {"server", agent::to_string(vault_.state().server)},
                                             {"newest_held", request->newest_held},
                                             {"detail", last_error_}});
    set_phase(Phase::recovering);
    recovery_.attempt(*request, [this](Result<rotation::Offer> answer) {
        if (answer.has_error()) return on_recovery_failed(answer.error());
        on_recovered(*answer);
    });
}

void Connector::on_recovered(const rotation::Offer& offer) {
    const auto saved = RotationSteps(vault_, around_.log, observer_).on_recovered(refusals_, offer);
    if (saved.has_error()) return begin_again("recovery.failed", saved.error().message(), slowly());
    unproven_recovery_ = true;
    refusals_ = {};
    wait(Milliseconds{0});
}

void Connector::on_recovery_failed(const Error& error) {
    const auto& row = protocol::error_row(error.code());
    const std::string why = std::string(row.name) + ": " + error.message();
    switch (error.code()) {
        case Code::agent_revoked:
            last_error_ = why;
            around_.log.error("recovery.refused",
                              {{"agent_id", vault_.state().agent_id}, {"detail", why}});
            return end(EndReason::revoked);
        case Code::permission_denied:  // of the certificate: nothing was sent
            return begin_again("session.untrusted", why, backoff_.next());
        case Code::unavailable:
        case Code::overloaded:
        case Code::internal:
            return begin_again("recovery.failed", why, wait_told_by(error) + backoff_.next());
        case Code::rate_limited:
        case Code::agent_suspended:
            return begin_again("recovery.refused", why, wait_told_by(error) + slowly());
        default:
            return begin_again("recovery.refused", why + std::string(kAskAnAdmin), slowly());
    }
}

}  // namespace rekey::agent
