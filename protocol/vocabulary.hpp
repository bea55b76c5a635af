#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

// The closed sets of words on the wire (docs/protocol.md). The enumerators are the words; storage
// writes the same words into its columns.
//
// An enumeration becomes a JSON string by `names_of`, found by argument-dependent look-up: one name
// an enumerator, in order from 0.
namespace rekey::protocol {

template <class E>
concept NamedEnum = requires(E e) {
    { names_of(e).size() };
};

template <NamedEnum E>
[[nodiscard]] constexpr std::string_view name_of(E value) {
    // Static, so that the view outlives the call whatever names_of returns.
    constexpr auto names = names_of(E{});
    return names[static_cast<std::size_t>(value)];
}

template <NamedEnum E>
[[nodiscard]] constexpr std::optional<E> enum_from(std::string_view text) {
    constexpr auto names = names_of(E{});
    const auto found = std::find(names.begin(), names.end(), text);
    if (found == names.end()) return std::nullopt;
    return static_cast<E>(found - names.begin());
}

// Whether an agent is let in. That it has not enrolled yet is no status but a fact beside it.
enum class AgentStatus : std::uint8_t { active, suspended, revoked, deleted };
constexpr auto names_of(AgentStatus) {
    return std::to_array<std::string_view>({"active", "suspended", "revoked", "deleted"});
}

// How far a rotation came, as admins see it. `queued`: minted, and its first offer takes its turn
// (rotation_concurrency). `at_next_connect`: the agent is offline; what was minted for it, if
// anything, is offered when it is back. `in_grace` (nothing begins before not_before) is found in
// rotations.start only, `ended` (revoked or replaced before it was committed) in .get and .list.
enum class RotationStatus : std::uint8_t {
    offered,
    at_next_connect,
    committed,
    activated,
    failing,
    ended,
    queued,
    in_grace,
};
constexpr auto names_of(RotationStatus) {
    return std::to_array<std::string_view>({"offered", "at_next_connect", "committed", "activated",
                                            "failing", "ended", "queued", "in_grace"});
}

// Why an agent could not take an offered token (`reason` of rotation_failed).
enum class RotationFailure : std::uint8_t {
    disk_full,
    read_only,
    readback_differs,
    candidate_unresolved,
    stale_generation,
    other,
};
constexpr auto names_of(RotationFailure) {
    return std::to_array<std::string_view>({"disk_full", "read_only", "readback_differs",
                                            "candidate_unresolved", "stale_generation", "other"});
}

// How an agent marks a token in its state file.
enum class TokenState : std::uint8_t { candidate, confirmed };
constexpr auto names_of(TokenState) {
    return std::to_array<std::string_view>({"candidate", "confirmed"});
}

enum class AgentLogLevel : std::uint8_t { debug, info, warning, error };
constexpr auto names_of(AgentLogLevel) {
    return std::to_array<std::string_view>({"debug", "info", "warning", "error"});
}

enum class AuditOrder : std::uint8_t { oldest_first, newest_first };
constexpr auto names_of(AuditOrder) {
    return std::to_array<std::string_view>({"oldest_first", "newest_first"});
}

// Where the value of a setting comes from, strongest first.
enum class SettingSource : std::uint8_t { set, environment, file, preset };
constexpr auto names_of(SettingSource) {
    return std::to_array<std::string_view>({"set", "environment", "file", "default"});
}

// Answers that can only be one word. A type each, so that another word is a decoding error.
enum class Ok : std::uint8_t { ok };
constexpr auto names_of(Ok) { return std::to_array<std::string_view>({"ok"}); }

enum class RotateOutcome : std::uint8_t { rotation_complete, rotation_failed };
constexpr auto names_of(RotateOutcome) {
    return std::to_array<std::string_view>({"rotation_complete", "rotation_failed"});
}

enum class Activated : std::uint8_t { activated };
constexpr auto names_of(Activated) { return std::to_array<std::string_view>({"activated"}); }

enum class Applied : std::uint8_t { applied };
constexpr auto names_of(Applied) { return std::to_array<std::string_view>({"applied"}); }

enum class Committed : std::uint8_t { committed };
constexpr auto names_of(Committed) { return std::to_array<std::string_view>({"committed"}); }

enum class Noted : std::uint8_t { noted };
constexpr auto names_of(Noted) { return std::to_array<std::string_view>({"noted"}); }

enum class RotationStarted : std::uint8_t { rotation_started };
constexpr auto names_of(RotationStarted) {
    return std::to_array<std::string_view>({"rotation_started"});
}

enum class Cancelled : std::uint8_t { cancelled };
constexpr auto names_of(Cancelled) { return std::to_array<std::string_view>({"cancelled"}); }

}  // namespace rekey::protocol
