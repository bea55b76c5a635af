#pragma once

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "protocol/json_text.hpp"
#include "protocol/vocabulary.hpp"

#include <boost/json.hpp>

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// One field list a struct, from which come strict decoding, encoding and the JSON Schema:
//
//     struct Params {
//         std::string agent_id;
//         std::optional<std::string> reason;
//         static constexpr auto fields() {
//             return std::tuple{field("agent_id", &Params::agent_id, "The agent.", kUuid),
//                               field("reason", &Params::reason, "Why, for the audit.")};
//         }
//     };
//
// Members may be bool, integers, double, std::string, Secret, Time (RFC 3339), enumerations of
// vocabulary.hpp, boost::json::object and value, other structs with fields(), and of all these
// std::optional, std::vector and std::map<std::string, T>. What one field cannot say (exactly one
// of two fields) is said by `std::optional<BadField> check() const`.
namespace rekey::protocol {

// Requests to the server refuse unknown fields, so that a misspelt one is not silently without
// effect; everything else ignores them, so that old and new understand each other.
enum class UnknownFields : std::uint8_t { refuse, ignore };

// What a string must look like.
enum class Form : std::uint8_t {
    text,                // anything up to max_bytes
    name,                // [a-z0-9._-]{1,64}
    uuid,                // lower-case, 36 characters
    hex_32_bytes,        // 64 lower-case digits
    base64url_32_bytes,  // without padding
    base64url_64_bytes,
};

// A field that may be left out is either std::optional, or `defaulted`: the member's initialiser
// stands.
enum class Presence : std::uint8_t { required, defaulted };

struct Rule {
    Presence presence = Presence::required;
    Form form = Form::text;
    std::size_t max_bytes = limits::kTextBytes;  // of a string, of a map's key, of a JSON document
    std::int64_t min = 0;                        // of an integer
    std::int64_t max = static_cast<std::int64_t>(limits::kGenerationCeiling) - 1;
    std::size_t max_items = limits::kLabels;  // of an array or a map
};

inline constexpr Rule kUuid{.form = Form::uuid};
inline constexpr Rule kName{.form = Form::name};
inline constexpr Rule kGeneration{.min = 1};

// Which field is wrong, and what belongs there; `path` is relative to the struct.
struct BadField {
    std::string path;
    std::string expected;
};

template <class Owner, class Member>
struct Field {
    std::string_view name;
    Member Owner::* member;
    std::string_view summary;
    Rule rule;
};

template <class Owner, class Inner>
struct InlinedStruct {
    Inner Owner::* member;
};

template <class Owner, class Member>
[[nodiscard]] constexpr Field<Owner, Member> field(std::string_view name, Member Owner::* member,
                                                   std::string_view summary, Rule rule = {}) {
    return {name, member, summary, rule};
}

// The fields of a member struct, as if they were the owner's own: agent.hello answers the fields of
// the welcome beside its status.
template <class Owner, class Inner>
[[nodiscard]] constexpr std::tuple<InlinedStruct<Owner, Inner>> inlined(Inner Owner::* member) {
    return {InlinedStruct<Owner, Inner>{member}};
}

template <class T>
concept Described = requires { T::fields(); };

// Reads `value` (the params of a request, a result, a body; null pointer: absent, as if {}).
// Errors: invalid_params with details.path, dotted and relative to `value`
// ("settings.heartbeat_seconds", "agents[1]"; "" for the whole), and details.expected. No value is
// ever echoed, because it may be a secret.
template <Described T>
[[nodiscard]] Result<T> decode(const boost::json::value* value, UnknownFields unknown);

// The same for text of at most limits::kMessageBytes; parse_error if it is not JSON.
template <Described T>
[[nodiscard]] Result<T> decode_text(std::string_view text, UnknownFields unknown);

// Appends the JSON of `value`. Absent optionals are left out. Secrets are written in the clear: the
// caller owns the text.
template <class T>
void append_json(std::string& out, const T& value);

template <Described T>
[[nodiscard]] std::string encode(const T& value) {
    std::string out;
    append_json(out, value);
    return out;
}

// JSON Schema 2020-12 of T.
template <Described T>
[[nodiscard]] boost::json::object schema_of(UnknownFields unknown);

// invalid_params for one field, in the form that all decoding gives.
[[nodiscard]] Error bad_field(const BadField& bad);

}  // namespace rekey::protocol

#include "protocol/fields_decode.hpp"  // IWYU pragma: export
#include "protocol/fields_encode.hpp"  // IWYU pragma: export
#include "protocol/fields_schema.hpp"  // IWYU pragma: export
