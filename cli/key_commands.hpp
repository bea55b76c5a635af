#pragma once

#include "cli/context.hpp"

namespace CLI {
class App;
}

namespace rekey::cli {

// `rekeyctl keys …` and `rekeyctl token`, beside those of commands.cpp.
void add_key_commands(CLI::App& app, Verb& chosen);

}  // namespace rekey::cli
