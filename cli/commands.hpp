#pragma once

#include "cli/context.hpp"

namespace CLI {
class App;
}

namespace rekey::cli {

// Adds every verb to the parser, with its help and examples. When the command line was parsed,
// `chosen` is the verb that it names, arguments included; it must live as long as the parser.
void add_commands(CLI::App& app, Verb& chosen);
// Of them, `audit` and what is below it.
void add_audit_commands(CLI::App& app, Verb& chosen);

}  // namespace rekey::cli
