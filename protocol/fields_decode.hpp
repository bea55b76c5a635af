#pragma once

// Decoding from a field list: included by fields.hpp, which explains it.
#include "protocol/fields.hpp"

namespace rekey::protocol {
namespace detail {

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;
template <class T>
inline constexpr bool kIsMap = false;
template <class T>
inline constexpr bool kIsMap<std::map<std::string, T>> = true;
template <class F>
inline constexpr bool kIsInlined = false;
template <class O, class I>
inline constexpr bool kIsInlined<InlinedStruct<O, I>> = true;

template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

// "string", "integer", …: what `expected` says of a value of the wrong JSON type.
template <class T>
[[nodiscard]] constexpr std::string_view json_type() {
    if constexpr (kIsOptional<T>)
        return json_type<typename T::value_type>();
    else if constexpr (std::same_as<T, bool>)
        return "boolean";
    else if constexpr (Integer<T>)
        return "integer";
    else if constexpr (std::same_as<T, double>)
        return "number";
    else if constexpr (kIsVector<T>)
        return "array";
    else if constexpr (kIsMap<T> || Described<T> || std::same_as<T, boost::json::object>)
        return "object";
    else if constexpr (std::same_as<T, boost::json::value>)
        return "any value";
    else
        return "string";
}

// Where the reader is, as a chain on the stack: a path is only written out when something is wrong.
struct Place {
    const Place* parent = nullptr;
    std::string_view name = {};
    std::size_t index = 0;  // counts if there is no name
    [[nodiscard]] std::string path() const;
};

class Reader {
  public:
    explicit Reader(UnknownFields unknown) : unknown_(unknown) {}

    [[nodiscard]] bool refuses_unknown() const { return unknown_ == UnknownFields::refuse; }
    [[nodiscard]] std::optional<Error>& error() { return error_; }
    // Both note the first error and return false.
    bool fail(const Place& place, std::string_view expected);
    bool fail(const Place& place, const BadField& inner);
    bool fail_missing(const Place& place, std::string_view expected);
    bool fail_unknown(const Place& parent, const boost::json::object& object,
                      const std::string_view* known, std::size_t count);

    bool read_text(const boost::json::value& from, std::string_view& to, const Rule& rule,
                   const Place& place);
    bool read_integer(const boost::json::value& from, std::int64_t& to, const Rule& rule,
                      const Place& place);
    bool read_number(const boost::json::value& from, double& to, const Place& place);
    bool read_time(const boost::json::value& from, Time& to, const Place& place);
    // Any JSON within rule.max_bytes, of numbers that JSON can carry back.
    bool check_document(const boost::json::value& from, const Rule& rule, const Place& place);
    bool check_count(std::size_t count, const Rule& rule, const Place& place);
    bool check_key(std::string_view key, const Place& place);
    bool read_word(const boost::json::value& from, std::size_t& index,
                   const std::string_view* words, std::size_t count, const Place& place);

  private:
    UnknownFields unknown_;
    std::optional<Error> error_;
};

template <Described T>
bool read_struct(Reader& reader, const boost::json::value& from, T& to, const Place& place);

template <class T>
bool read_value(Reader& reader, const boost::json::value& from, T& to, const Rule& rule,
                const Place& place);

template <class T>
bool read_array(Reader& reader, const boost::json::value& from, std::vector<T>& to,
                const Rule& rule, const Place& place) {
    const auto* array = from.if_array();
    if (array == nullptr) return reader.fail(place, "array");
    if (!reader.check_count(array->size(), rule, place)) return false;
    to.clear();
    to.reserve(array->size());
    for (std::size_t i = 0; i < array->size(); ++i) {
        const Place item{&place, {}, i};
        if (!read_value(reader, (*array)[i], to.emplace_back(), rule, item)) return false;
    }
    return true;
}

template <class T>
bool read_map(Reader& reader, const boost::json::value& from, std::map<std::string, T>& to,
              const Rule& rule, const Place& place) {
    const auto* object = from.if_object();
    if (object == nullptr) return reader.fail(place, "object");
    if (!reader.check_count(object->size(), rule, place)) return false;
    to.clear();
    for (const auto& [key, value] : *object) {
        const Place item{&place, key, 0};
        if (!reader.check_key(key, item)) return false;
        if (!read_value(reader, value, to[std::string(key)], rule, item)) return false;
    }
    return true;
}

template <class T>
bool read_value(Reader& reader, const boost::json::value& from, T& to, const Rule& rule,
                const Place& place) {
    if constexpr (kIsOptional<T>) {
        return read_value(reader, from, to.emplace(), rule, place);
    } else if constexpr (std::same_as<T, bool>) {
        const bool* flag = from.if_bool();
        if (flag == nullptr) return reader.fail(place, "boolean");
        to = *flag;
        return true;
    } else if constexpr (Integer<T>) {
        std::int64_t number = 0;
        if (!reader.read_integer(from, number, rule, place)) return false;
        to = static_cast<T>(number);
        return true;
    } else if constexpr (std::same_as<T, double>) {
        return reader.read_number(from, to, place);
    } else if constexpr (std::same_as<T, std::string> || std::same_as<T, Secret>) {
        std::string_view text;
        if (!reader.read_text(from, text, rule, place)) return false;
        to = T(text);
        return true;
    } else if constexpr (std::same_as<T, Time>) {
        return reader.read_time(from, to, place);
    } else if constexpr (NamedEnum<T>) {
        static constexpr auto kWords = names_of(T{});
        std::size_t index = 0;
        if (!reader.read_word(from, index, kWords.data(), kWords.size(), place)) return false;
        to = static_cast<T>(index);
        return true;
    } else if constexpr (kIsVector<T>) {
        return read_array(reader, from, to, rule, place);
    } else if constexpr (kIsMap<T>) {
        return read_map(reader, from, to, rule, place);
    } else if constexpr (std::same_as<T, boost::json::object>) {
        if (!from.is_object()) return reader.fail(place, "object");
        if (!reader.check_document(from, rule, place)) return false;
        // Into the default memory: the document's arena is gone before the struct is.
        to = boost::json::object(from.get_object(), boost::json::storage_ptr{});
        return true;
    } else if constexpr (std::same_as<T, boost::json::value>) {
        if (!reader.check_document(from, rule, place)) return false;
        to = boost::json::value(from, boost::json::storage_ptr{});
        return true;
    } else {
        return read_struct(reader, from, to, place);
    }
}

// Reads the fields of T, and of what it inlines, from `object`; counts those that are there.
template <class T, class Owner>
bool read_fields(Reader& reader, const boost::json::object& object, Owner& to, const Place& place,
                 std::size_t& found) {
    const auto read_one = [&](const auto& f) {
        if constexpr (kIsInlined<std::remove_cvref_t<decltype(f)>>) {
            auto& inner = to.*f.member;
            return read_fields<std::remove_cvref_t<decltype(inner)>>(reader, object, inner, place,
                                                                     found);
        } else {
            using Member = std::remove_cvref_t<decltype(to.*f.member)>;
            const Place here{&place, f.name, 0};
            const boost::json::value* value = object.if_contains(f.name);
            if (value != nullptr) {
                ++found;
                // Lenient readers take null for absent, because some encoders write it so.
                if (!kIsOptional<Member> || !value->is_null() || reader.refuses_unknown())
                    return read_value(reader, *value, to.*f.member, f.rule, here);
                return true;
            }
            if (kIsOptional<Member> || f.rule.presence == Presence::defaulted) return true;
            return reader.fail_missing(here, json_type<Member>());
        }
    };
    return std::apply([&](const auto&... f) { return (read_one(f) && ...); }, T::fields());
}

template <class T>
void collect_names(std::vector<std::string_view>& names) {
    const auto add = [&]<class F>(const F& f) {
        if constexpr (kIsInlined<F>)
            []<class O, class I>(const InlinedStruct<O, I>&, auto& to) { collect_names<I>(to); }(
                f, names);
        else
            names.push_back(f.name);
    };
    std::apply([&](const auto&... f) { (add(f), ...); }, T::fields());
}

template <Described T>
bool read_struct(Reader& reader, const boost::json::value& from, T& to, const Place& place) {
    const auto* object = from.if_object();
    if (object == nullptr) return reader.fail(place, "object");
    std::size_t found = 0;
    if (!read_fields<T>(reader, *object, to, place, found)) return false;
    if (found < object->size() && reader.refuses_unknown()) {
        std::vector<std::string_view> names;
        collect_names<T>(names);
        return reader.fail_unknown(place, *object, names.data(), names.size());
    }
    if constexpr (requires { to.check(); }) {
        if (const std::optional<BadField> bad = to.check()) return reader.fail(place, *bad);
    }
    return true;
}

// Null for absent params.
[[nodiscard]] const boost::json::value& empty_object();

}  // namespace detail

template <Described T>
Result<T> decode(const boost::json::value* value, UnknownFields unknown) {
    detail::Reader reader(unknown);
    T result{};
    const detail::Place root{};
    if (!detail::read_struct(reader, value != nullptr ? *value : detail::empty_object(), result,
                             root))
        return std::move(*reader.error());
    return result;
}

template <Described T>
Result<T> decode_text(std::string_view text, UnknownFields unknown) {
    REKEY_TRY_ASSIGN(value, parse_json(text));
    return decode<T>(&value, unknown);
}

}  // namespace rekey::protocol
