#pragma once

#include "cli/context.hpp"

namespace CLI {
class App;
}

namespace rekey::cli {

// `rekeyctl signing-keys …`, beside those of commands.cpp.
void add_signing_key_commands(CLI::App& app, Verb& chosen);

}  // namespace rekey::cli
