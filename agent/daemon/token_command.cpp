#include "agent/daemon/commands.hpp"
#include "agent/daemon/control_peer.hpp"
#include "protocol/methods/auth.hpp"

#include <iostream>

namespace rekey::agent {

// The server lets an agent have one session, and the daemon holds it: so the daemon is asked, over
// its socket.
ExitCode token_command(const TokenCommand& command) {
    using protocol::AgentJwt;
    AgentJwt::Params params;
    if (!command.audience.empty()) params.audience = command.audience;
    const auto answer = ask_daemon(command.state_path, AgentJwt::name, protocol::encode(params));
    if (answer.has_error()) return report(answer.error(), ExitCode::failure);
    const auto token = protocol::decode_result<AgentJwt>(*answer);
    if (token.has_error()) return report(token.error(), ExitCode::failure);
    // Printed because that is what was asked for.
    std::cout << token->access_token.expose() << std::endl;
    return ExitCode::ok;
}

}  // namespace rekey::agent
