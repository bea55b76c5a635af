#pragma once

#include "protocol/fields.hpp"

#include <concepts>
#include <cstdint>
#include <string_view>

// How a method is declared: once, as a struct in protocol/methods/, without a handler.
//
//     struct AgentsGet {
//         static constexpr std::string_view name = "agents.get";
//         static constexpr std::string_view summary = "Shows one agent.";
//         static constexpr Access access{.caller = Caller::admin, .capability = "agents:read"};
//         struct Params { … fields() … };
//         struct Result { … fields() … };
//     };
//
// From it come decoding, encoding, authorisation, the schemas, the CLI's commands and the
// reference. A method whose Result is `NoAnswer` is a notification.
namespace rekey::protocol {

// Who may send it. `server` means server -> agent on the agent's socket.
enum class Caller : std::uint8_t { agent, server, admin };
constexpr auto names_of(Caller) {
    return std::to_array<std::string_view>({"agent", "server", "admin"});
}

// Whether the dispatcher writes an audit row for a call that is refused; a change that succeeds is
// always audited by its own transaction (I11).
enum class Audited : std::uint8_t { no, yes };
// Whether a tool list for language models shows it.
enum class Mcp : std::uint8_t { hidden, shown };

struct Access {
    Caller caller = Caller::admin;
    std::string_view capability = {};  // e.g. "agents:write"; empty: the credential is enough
    Audited audited = Audited::no;
    Mcp mcp = Mcp::hidden;
    UnknownFields unknown_params = UnknownFields::refuse;
};

struct Nothing {
    static constexpr auto fields() { return std::tuple<>{}; }
};
// The Result of a notification.
struct NoAnswer : Nothing {};

template <class M>
concept Method = Described<typename M::Params> && Described<typename M::Result> && requires {
    { M::name } -> std::convertible_to<std::string_view>;
    { M::summary } -> std::convertible_to<std::string_view>;
    { M::access } -> std::convertible_to<Access>;
};

template <Method M>
inline constexpr bool kIsNotification = std::same_as<typename M::Result, NoAnswer>;

// The params of a call of M as they arrived, and the result as a client reads it.
template <Method M>
[[nodiscard]] Result<typename M::Params> decode_params(const boost::json::value* params) {
    return decode<typename M::Params>(params, M::access.unknown_params);
}
template <Method M>
[[nodiscard]] Result<typename M::Result> decode_result(const boost::json::value& result) {
    return decode<typename M::Result>(&result, UnknownFields::ignore);
}

}  // namespace rekey::protocol
