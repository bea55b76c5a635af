#pragma once

#include "agent/disk.hpp"
#include "agent/observer.hpp"
#include "agent/state.hpp"
#include "agent/token_vault.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "net/http_message.hpp"
#include "protocol/join_string.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace rekey::agent {

// The files of one agent, by the path of its state file.
struct AgentPaths {
    std::string state;
    [[nodiscard]] std::string key() const { return state + ".key"; }
    // The identity key of an enrollment that replaces another one, until it has succeeded.
    [[nodiscard]] std::string next_key() const { return state + ".key.next"; }
    // Which code the newest key was made for; gone once enrolled.
    [[nodiscard]] std::string record() const { return state + ".enrolling"; }
    [[nodiscard]] std::string lock() const { return state + ".lock"; }
};

struct EnrollmentDisks {
    Disk& state;
    Disk& key;
    Disk& next_key;
    Disk& record;
};

// Whether an agent that is enrolled already may be enrolled again, as another agent or anew.
enum class Reenroll : std::uint8_t { refuse, replace };

struct EnrollmentOptions {
    AboutAgent about;
    Reenroll reenroll = Reenroll::refuse;
    unsigned attempts = 6;  // while the network or the server is not there
};

// What enrollment reaches the server by. `post` sends one POST and blocks; errors are those of
// net/http_client.hpp. `pause` waits between two attempts.
struct EnrollmentDoor {
    std::function<Result<net::HttpResponse>(const std::string& target, const Secret& body)> post;
    std::function<void(Milliseconds)> pause;
};

// A0: makes the identity key durable, sends the code, and writes the first token, confirmed, before
// anything connects. The same code may be tried again after any crash or lost reply: the key that
// was made for it is found again, and the server gives the same answer to the same key. With a code
// that has enrolled this state file already, returns what it holds and sends nothing.
//
// Errors: `already_exists` (enrolled; Reenroll::replace does it anyway), the server's refusals,
// `permission_denied` with details.reason for a certificate that is not believed, `unavailable` for
// the network and the disk.
[[nodiscard]] Result<AgentState> enroll(const protocol::JoinString& join,
                                        const EnrollmentDisks& disks,
                                        const EnrollmentOptions& options,
                                        const EnrollmentDoor& door, Random& random, const Log& log);

// That what listens there speaks TLS where the join string means none, or the reverse: an error of
// net/http_client.hpp.
enum class OtherTransport : std::uint8_t { no_tls, no_http };
[[nodiscard]] std::optional<OtherTransport> other_transport(const Error& error);

// `unavailable` when an enrollment was killed in the write of its token, as its record tells, and
// the token cannot be made durable now: a connect would spend the code, and a power loss could then
// take the token back (A0).
[[nodiscard]] Result<> require_first_token_durable(TokenVault& vault, Disk& record);

// The same with files, their lock, and HTTPS to the server of the join string (whose pin is checked
// before anything is sent).
[[nodiscard]] Result<AgentState> enroll_files(const protocol::JoinString& join,
                                              const AgentPaths& paths,
                                              const EnrollmentOptions& options, const Log& log);

}  // namespace rekey::agent
