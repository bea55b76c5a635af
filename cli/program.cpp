#include "cli/program.hpp"

#include "cli/arguments.hpp"

#include <ostream>
#include <utility>

namespace rekey::cli {
namespace {

Result<ExitCode> run_verb(const Arguments& arguments, const World& world) {
    REKEY_TRY_ASSIGN(target, resolve_target(arguments.target, world.environment));
    REKEY_TRY_ASSIGN(api, world.connect(target));
    Context context{*api, world.console, world.clock, arguments.format, world.pause};
    return arguments.verb(context);
}

}  // namespace

ExitCode run(std::vector<std::string> args, const World& world) {
    const auto parsed = parse_arguments(std::move(args));
    if (const auto* answer = std::get_if<ParserAnswer>(&parsed)) {
        const bool fine = answer->exit_code == ExitCode::ok;
        (fine ? world.console.out : world.console.err).stream << answer->text;
        return answer->exit_code;
    }
    const auto result = run_verb(std::get<Arguments>(parsed), world);
    if (result.has_value()) return *result;
    world.console.err.stream << without_credentials(error_line(result.error())) << '\n';
    return exit_code_of(result.error());
}

}  // namespace rekey::cli
