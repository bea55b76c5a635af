#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The grammar and the order of capabilities (docs/authorization.md). A capability is
// `prefix:name`, both [a-z0-9._-]{1,64}; a wildcard is `prefix:*`.
namespace rekey::server::rpc {

// Covers all that there is.
inline constexpr std::string_view kEverything = "admin:*";

enum class CapabilityForm : std::uint8_t { one, wildcard };
// Empty for what is neither. Under the prefix `admin` there is nothing but admin:* itself: what
// reads like it must not mean less.
[[nodiscard]] std::optional<CapabilityForm> capability_form(std::string_view text);

// Does one granted capability cover a wanted one? The same text does; `admin:*` covers everything;
// `agents:*` covers all that begins with `agents:`. A wanted wildcard is covered only by a wildcard
// at least as wide, so that nobody hands on more than they hold.
[[nodiscard]] bool covers(std::string_view granted, std::string_view wanted);
[[nodiscard]] bool covers(std::span<const std::string> granted, std::string_view wanted);

// Every text that covers `wanted`, itself included.
[[nodiscard]] std::vector<std::string> covering(std::string_view wanted);

// What is covered by both: `of` narrowed to `to`.
[[nodiscard]] std::vector<std::string> narrowed(std::span<const std::string> of,
                                                std::span<const std::string> to);

}  // namespace rekey::server::rpc
