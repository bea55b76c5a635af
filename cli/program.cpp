#include "cli/program.hpp"

#include "cli/arguments.hpp"

#include <memory>
#include <ostream>
#include <utility>

namespace rekey::cli {
namespace {

// Looks for the server with the first call: what works on a file alone needs none.
class LazyApi final : public Api {
  public:
    LazyApi(const TargetOptions& options, const World& world) : options_(options), world_(world) {}

    Result<boost::json::value> call(std::string_view method,
                                    std::string_view params_json) override {
        if (!api_) {
            REKEY_TRY_ASSIGN(target, resolve_target(options_, world_.environment));
            REKEY_TRY_ASSIGN(api, world_.connect(target));
            api_ = std::move(api);
        }
        return api_->call(method, params_json);
    }

  private:
    const TargetOptions& options_;
    const World& world_;
    std::unique_ptr<Api> api_;
};

Result<ExitCode> run_verb(const Arguments& arguments, const World& world) {
    LazyApi api(arguments.target, world);
    Context context{api, world.console, world.clock, arguments.format, world.pause};
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
