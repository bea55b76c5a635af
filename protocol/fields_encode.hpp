#pragma once

// Encoding by a field list: included by fields.hpp, which explains it.
#include "base/time_format.hpp"
#include "protocol/fields.hpp"
#include "protocol/fields_decode.hpp"

namespace rekey::protocol {
namespace detail {

template <class T>
void append_members(std::string& out, const T& value, bool& first) {
    const auto append_one = [&]<class F>(const F& f) {
        const auto& member = value.*f.member;
        if constexpr (kIsInlined<F>) {
            append_members(out, member, first);
        } else {
            const auto write = [&](const auto& present) {
                if (!first) out.push_back(',');
                first = false;
                // Names of fields are our own and need no escaping.
                out.append(1, '"').append(f.name).append("\":");
                append_json(out, present);
            };
            if constexpr (kIsOptional<std::remove_cvref_t<decltype(member)>>) {
                if (member) write(*member);
            } else {
                write(member);
            }
        }
    };
    std::apply([&](const auto&... f) { (append_one(f), ...); }, T::fields());
}

}  // namespace detail

template <class T>
void append_json(std::string& out, const T& value) {
    if constexpr (std::same_as<T, bool>) {
        out.append(value ? "true" : "false");
    } else if constexpr (detail::Integer<T> && std::is_signed_v<T>) {
        append_json_number(out, static_cast<std::int64_t>(value));
    } else if constexpr (detail::Integer<T>) {
        append_json_number(out, static_cast<std::uint64_t>(value));
    } else if constexpr (std::same_as<T, double>) {
        append_json_number(out, value);
    } else if constexpr (std::same_as<T, std::string>) {
        append_json_string(out, value);
    } else if constexpr (std::same_as<T, Secret>) {
        append_json_string(out, value.expose());
    } else if constexpr (std::same_as<T, Time>) {
        out.append(1, '"').append(to_rfc3339(value)).push_back('"');
    } else if constexpr (NamedEnum<T>) {
        append_json_string(out, name_of(value));
    } else if constexpr (detail::kIsVector<T>) {
        out.push_back('[');
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (i != 0) out.push_back(',');
            append_json(out, value[i]);
        }
        out.push_back(']');
    } else if constexpr (detail::kIsMap<T>) {
        out.push_back('{');
        for (bool first = true; const auto& [key, item] : value) {
            if (!first) out.push_back(',');
            first = false;
            append_json_string(out, key);
            out.push_back(':');
            append_json(out, item);
        }
        out.push_back('}');
    } else if constexpr (std::same_as<T, boost::json::object>) {
        append_json_object(out, value);
    } else if constexpr (std::same_as<T, boost::json::value>) {
        append_json_value(out, value);
    } else {
        out.push_back('{');
        bool first = true;
        detail::append_members(out, value, first);
        out.push_back('}');
    }
}

}  // namespace rekey::protocol
