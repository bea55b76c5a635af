#pragma once

#include "cli/context.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// `rekeyctl keys …` and `rekeyctl token`.
namespace rekey::cli {

// What is printed of a key that was just made: all about it, or its text and nothing else.
enum class ShowKey : std::uint8_t { record, alone };

struct CreateKeyOptions {
    std::string agent;
    std::string name;
    std::vector<std::string> capabilities;  // none: all of the agent's
    std::optional<std::int64_t> days;
    ShowKey show = ShowKey::record;
};
[[nodiscard]] Result<ExitCode> create_key(Context& context, const CreateKeyOptions& options);

[[nodiscard]] Result<ExitCode> list_keys(Context& context, const std::string& agent);

// A key by its id, or by its name among those of the agent that work.
struct KeyName {
    std::string agent;
    std::string key;
};

struct RotateKeyOptions {
    KeyName key;
    std::optional<std::int64_t> grace_hours;
    ShowKey show = ShowKey::record;
};
[[nodiscard]] Result<ExitCode> rotate_key(Context& context, const RotateKeyOptions& options);

[[nodiscard]] Result<ExitCode> revoke_key(Context& context, const KeyName& key);

// The token alone, with a newline; with -o json all of the answer.
[[nodiscard]] Result<ExitCode> print_token(Context& context);

}  // namespace rekey::cli
