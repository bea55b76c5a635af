#pragma once

#include "cli/context.hpp"

namespace CLI {
class App;
}

namespace rekey::cli {

// The verbs about who an agent is and what it may: under `agents`, and `capabilities`. As
// add_commands(), which calls this.
void add_identity_commands(CLI::App& app, CLI::App& agents, Verb& chosen);

}  // namespace rekey::cli
