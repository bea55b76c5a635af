#pragma once

#include "cli/context.hpp"

#include <CLI/CLI.hpp>

#include <memory>

// What joins a command of the parser and its verb. Includes CLI11: for the *_commands sources only.
namespace rekey::cli {

// When the command line names `command`, `chosen` becomes `run` with these options, which live as
// long as the verb that reads them.
template <class Options, class Run>
void on_chosen(CLI::App* command, Verb& chosen, const std::shared_ptr<Options>& options, Run run) {
    command->callback([&chosen, options, run] {
        chosen = [options, run](Context& context) { return run(context, *options); };
    });
}

}  // namespace rekey::cli
