#pragma once

#include "cli/context.hpp"
#include "cli/exit_code.hpp"
#include "cli/target.hpp"

#include <string>
#include <variant>
#include <vector>

namespace rekey::cli {

// What the command line asks for.
struct Arguments {
    TargetOptions target;
    Format format = Format::table;
    Verb verb;
};

// The parser's own last word: help, the version, or what it did not understand.
struct ParserAnswer {
    ExitCode exit_code = ExitCode::ok;
    std::string text;  // with its newline; never holds a credential that was given by mistake
};

// `args` without the program's name.
[[nodiscard]] std::variant<Arguments, ParserAnswer> parse_arguments(std::vector<std::string> args);

}  // namespace rekey::cli
