#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rekey::cli {

// What a command may know about the process and the machine it runs in; tests make their own.
struct Environment {
    // A variable that is set and not empty.
    std::function<std::optional<std::string>(std::string_view name)> variable;
    enum class User : std::uint8_t { root, other } user = User::other;
    // Where a server that root started keeps its data.
    std::string system_data_dir = "/var/lib/rekey";
};

[[nodiscard]] Environment process_environment();

}  // namespace rekey::cli
