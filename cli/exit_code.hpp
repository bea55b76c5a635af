#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace rekey::cli {

// What a command ends with (sysexits.h), so that a script can tell why.
enum class ExitCode : int {
    ok = 0,
    failure = 1,       // the server refused it, or some of what was asked for did not succeed
    usage = 64,        // a wrong argument, or a value that the server calls invalid
    unavailable = 69,  // no server answered, or it said: later
    permission = 77,   // a missing, unknown or too weak credential; a certificate not believed
};

[[nodiscard]] ExitCode exit_code_of(const Error& error);

// Adds what to do about it, for errors that are made here; one without gets the advice that fits
// its code.
[[nodiscard]] Error with_way_out(Error error, std::string_view way_out);
// agent_suspended or agent_revoked, said of whoever called, where it is a matter of permission, and
// not of the agent that the call was about.
[[nodiscard]] Error of_the_caller(Error error);
// invalid_params: a wrong argument that the parser cannot know of.
[[nodiscard]] Error bad_argument(std::string message, std::string_view way_out);

// One line without its newline: stable name, message, the field that is wrong and what belongs
// there, when to try again, and the way out:
//   rekeyctl: invalid_params: out of range (settings.heartbeat_seconds: expected integer from 5 to
//   600). See: rekeyctl settings list
[[nodiscard]] std::string error_line(const Error& error);

// Credentials in `text` (rka_…, rkk_…, rke_…) replaced: an argument that is not understood is
// named in the error, and it may be a key.
[[nodiscard]] std::string without_credentials(std::string_view text);

}  // namespace rekey::cli
