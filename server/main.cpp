#include "base/log.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "server/app/app.hpp"
#include "server/bootstrap/admin_identity.hpp"
#include "server/bootstrap/data_directory.hpp"
#include "server/bootstrap/master_key_rotation.hpp"
#include "server/config/config.hpp"
#include "storage/sqlite/sqlite_store.hpp"

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <sysexits.h>
#include <unistd.h>
#include <variant>

namespace {

using namespace rekey;
using namespace rekey::server;

int complain(const std::string& message, int exit_code) {
    std::fprintf(stderr, "rekeyd: %s\n", message.c_str());
    return exit_code;
}

// The directory of a rekeyd that does not run; it is never made by a command that changes one.
bootstrap::DataDirectory open_directory(const config::Config& config, const std::string& verb) {
    if (::access(config.options.data_dir.c_str(), F_OK) != 0) {
        throw StartupError("there is no data directory " + config.options.data_dir +
                               ": nothing to " + verb +
                               "; give the --data-dir that rekeyd runs with",
                           EX_NOINPUT);
    }
    auto directory = bootstrap::DataDirectory::open(config.options.data_dir);
    if (::access(directory.database().c_str(), F_OK) != 0) {
        throw StartupError("there is no " + directory.database() + ": nothing to " + verb,
                           EX_NOINPUT);
    }
    return directory;
}

int rotate_master_key(const config::Config& config, const Log& log) {
    const auto directory = open_directory(config, "rotate");
    const SystemClock clock;
    SystemRandom random;
    const auto store = storage::open_sqlite_store({directory.database(), clock, log});
    const bootstrap::Resealed done =
        bootstrap::rotate_master_key({*store, clock, random, directory.master_key()});
    store->stop();
    std::printf(
        "%s holds a new key; sealed again: %llu keys, %llu pending tokens, %llu answers\n"
        "%s.old opens backups of the database from before; remove it once you have none\n",
        directory.master_key().c_str(), static_cast<unsigned long long>(done.keys),
        static_cast<unsigned long long>(done.tokens), static_cast<unsigned long long>(done.answers),
        directory.master_key().c_str());
    return EX_OK;
}

int reset_admin_key(const config::Config& config, const Log& log) {
    const auto directory = open_directory(config, "reset");
    const SystemClock clock;
    SystemRandom random;
    const auto store = storage::open_sqlite_store({directory.database(), clock, log});
    bootstrap::reset_admin_key({*store, clock, random, log, directory.admin_key()});
    store->stop();
    std::printf("a new API key is in %s; the old one no longer works\n",
                directory.admin_key().c_str());
    return EX_OK;
}

int serve(config::Config config, const Log& log) {
    std::string unknown;
    for (const auto& name : config.unknown_variables) {
        unknown.append(unknown.empty() ? "" : ", ").append(name);
    }
    if (!unknown.empty()) {
        log.warning("config.unknown_variables",
                    {{"names", unknown}, {"hint", "docs/configuration.md lists what there is"}});
    }
    app::App app(std::move(config), log);
    return app.run();
}

int run(int argc, const char* const* argv) {
    auto parsed = config::read_command_line(argc, argv);
    if (parsed.has_error()) return complain(parsed.error().message(), EX_USAGE);
    if (const auto* print = std::get_if<config::PrintAndExit>(&*parsed)) {
        std::fputs(print->text.c_str(), stdout);
        return EX_OK;
    }
    const auto& line = std::get<config::CommandLine>(*parsed);
    auto config = config::load_config(line, config::read_environment());
    if (config.has_error()) {
        const bool no_file = config.error().code() == Code::not_found;
        return complain(config.error().message(), no_file ? EX_NOINPUT : EX_CONFIG);
    }
    const Log log(config->options.log_level, config->options.log_format);
    if (line.command == config::Command::rotate_master_key) return rotate_master_key(*config, log);
    if (line.command == config::Command::reset_admin_key) return reset_admin_key(*config, log);
    return serve(*std::move(config), log);
}

}  // namespace

int main(int argc, char** argv) {
    forbid_core_dumps();
    // A peer that went away is an error of one write, not a signal to the process.
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return run(argc, argv);
    } catch (const StartupError& problem) {
        return complain(problem.what(), problem.exit_code());
    } catch (const std::exception& problem) {
        return complain(problem.what(), EX_SOFTWARE);
    }
}
