#pragma once

#include "base/result.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <string_view>

// What both ends of the daemon's control socket (control_socket.hpp) share, and the asking end.
namespace rekey::agent {

// FILE.sock of a state file.
[[nodiscard]] std::string control_path(const std::string& state_path);

// `path` if a socket can have it (it must fit into sockaddr_un), else `unavailable`, which says so.
[[nodiscard]] Result<std::string> control_address(const std::string& path);

// Does the process at the other end run as this user, or as root? Asked of the kernel.
[[nodiscard]] bool is_trusted_peer(int descriptor);

// Asks the daemon that runs on this state file. Blocks, at most limits::kControlPatience. Errors:
// `agent_offline` if no daemon answers there, `permission_denied` if another user's does,
// `agent_timeout`, and whatever the daemon or the server answers.
[[nodiscard]] Result<boost::json::value> ask_daemon(const std::string& state_path,
                                                    std::string_view method,
                                                    std::string_view params_json);

}  // namespace rekey::agent
