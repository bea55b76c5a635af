#include "cli/environment.hpp"

#include <cstdlib>
#include <unistd.h>

namespace rekey::cli {

Environment process_environment() {
    Environment environment;
    environment.variable = [](std::string_view name) -> std::optional<std::string> {
        const char* value = std::getenv(std::string(name).c_str());
        if (value == nullptr || *value == '\0') return std::nullopt;
        return value;
    };
    environment.user = ::geteuid() == 0 ? Environment::User::root : Environment::User::other;
    return environment;
}

}  // namespace rekey::cli
