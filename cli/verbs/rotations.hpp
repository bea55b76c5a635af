#pragma once

#include "cli/context.hpp"
#include "protocol/vocabulary.hpp"

#include <cstddef>
#include <optional>
#include <string>

// `rekeyctl rotations list|get|cancel`.
namespace rekey::cli {

struct ListRotationsOptions {
    std::optional<std::string> agent;
    std::optional<protocol::RotationStatus> status;
    std::size_t limit = 50;
};
[[nodiscard]] Result<ExitCode> list_rotations(Context& context,
                                              const ListRotationsOptions& options);

[[nodiscard]] Result<ExitCode> get_rotation(Context& context, const std::string& rotation_id);

// An agent, by name or id, whose rotation waits for its next connect, or a rotation's id.
[[nodiscard]] Result<ExitCode> cancel_rotation(Context& context, const std::string& what);

}  // namespace rekey::cli
