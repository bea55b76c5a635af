#pragma once

#include "base/result.hpp"
#include "server/config/flags.hpp"

#include <cstdint>
#include <string>
#include <variant>

namespace rekey::server::config {

enum class Command : std::uint8_t { serve, reset_admin_key, rotate_master_key };

struct CommandLine {
    Command command = Command::serve;
    FlagTexts flags;
};

// --help and --version: print this and end with 0.
struct PrintAndExit {
    std::string text;
};

// `rekeyd [serve] [flags]`, `rekeyd admin-key --reset [flags]`, `rekeyd master-key --rotate
// [flags]`; flags stand before or after the command. `invalid_params` with a line for people: the
// caller ends with code 64.
[[nodiscard]] Result<std::variant<CommandLine, PrintAndExit>> read_command_line(
    int argc, const char* const* argv);

}  // namespace rekey::server::config
