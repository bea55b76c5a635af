#pragma once

// JSON Schema of a field list: included by fields.hpp, which explains it.
#include "protocol/fields.hpp"
#include "protocol/fields_decode.hpp"

namespace rekey::protocol {
namespace detail {

[[nodiscard]] boost::json::object text_schema(const Rule& rule);
[[nodiscard]] boost::json::object integer_schema(const Rule& rule);
[[nodiscard]] boost::json::object time_schema();
[[nodiscard]] boost::json::object words_schema(const std::string_view* words, std::size_t count);

template <class T>
[[nodiscard]] boost::json::object value_schema(const Rule& rule, UnknownFields unknown) {
    if constexpr (kIsOptional<T>) {
        return value_schema<typename T::value_type>(rule, unknown);
    } else if constexpr (std::same_as<T, std::string> || std::same_as<T, Secret>) {
        return text_schema(rule);
    } else if constexpr (Integer<T>) {
        return integer_schema(rule);
    } else if constexpr (std::same_as<T, Time>) {
        return time_schema();
    } else if constexpr (NamedEnum<T>) {
        static constexpr auto kWords = names_of(T{});
        return words_schema(kWords.data(), kWords.size());
    } else if constexpr (kIsVector<T>) {
        return {{"type", "array"},
                {"maxItems", rule.max_items},
                {"items", value_schema<typename T::value_type>(rule, unknown)}};
    } else if constexpr (kIsMap<T>) {
        return {{"type", "object"},
                {"maxProperties", rule.max_items},
                {"additionalProperties", value_schema<typename T::mapped_type>(rule, unknown)}};
    } else if constexpr (Described<T>) {
        return schema_of<T>(unknown);
    } else if constexpr (std::same_as<T, boost::json::value>) {
        return {};
    } else {
        return {{"type", boost::json::string(json_type<T>())}};
    }
}

// `defaults` is a T as its initialisers make it: what a field that may be left out then holds.
template <class T>
void collect_schema(const T& defaults, UnknownFields unknown, boost::json::object& properties,
                    boost::json::array& required) {
    const auto add = [&]<class F>(const F& f) {
        using Member = std::remove_cvref_t<decltype(defaults.*f.member)>;
        if constexpr (kIsInlined<F>) {
            collect_schema(defaults.*f.member, unknown, properties, required);
        } else {
            boost::json::object property = value_schema<Member>(f.rule, unknown);
            property["description"] = boost::json::string(f.summary);
            if (f.rule.presence == Presence::defaulted) {
                std::string text;
                if constexpr (!kIsOptional<Member>) append_json(text, defaults.*f.member);
                if (!text.empty()) property["default"] = boost::json::parse(text);
            } else if (!kIsOptional<Member>) {
                required.push_back(boost::json::string(f.name));
            }
            properties[f.name] = std::move(property);
        }
    };
    std::apply([&](const auto&... f) { (add(f), ...); }, T::fields());
}

}  // namespace detail

template <Described T>
boost::json::object schema_of(UnknownFields unknown) {
    boost::json::object properties;
    boost::json::array required;
    detail::collect_schema(T{}, unknown, properties, required);
    boost::json::object schema{{"type", "object"}, {"properties", std::move(properties)}};
    if (!required.empty()) schema["required"] = std::move(required);
    if (unknown == UnknownFields::refuse) schema["additionalProperties"] = false;
    return schema;
}

}  // namespace rekey::protocol
