#include "keys/strict_json.hpp"

#include "base/limits.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <cmath>

namespace rekey::keys {
namespace {

namespace json = boost::json;

// Counts the names that stand in the text. The tree of values has one member for each of them,
// unless one came twice.
struct NameCounter {
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
    using Failure = boost::system::error_code;

    std::size_t names = 0;

    bool on_document_begin(Failure& /*failure*/) { return true; }
    bool on_document_end(Failure& /*failure*/) { return true; }
    bool on_object_begin(Failure& /*failure*/) { return true; }
    bool on_object_end(std::size_t /*size*/, Failure& /*failure*/) { return true; }
    bool on_array_begin(Failure& /*failure*/) { return true; }
    bool on_array_end(std::size_t /*size*/, Failure& /*failure*/) { return true; }
    bool on_key_part(json::string_view /*part*/, std::size_t /*size*/, Failure& /*failure*/) {
        return true;
    }
    bool on_key(json::string_view /*last*/, std::size_t /*size*/, Failure& /*failure*/) {
        ++names;
        return true;
    }
    bool on_string_part(json::string_view /*part*/, std::size_t /*size*/, Failure& /*failure*/) {
        return true;
    }
    bool on_string(json::string_view /*last*/, std::size_t /*size*/, Failure& /*failure*/) {
        return true;
    }
    bool on_number_part(json::string_view /*part*/, Failure& /*failure*/) { return true; }
    bool on_int64(std::int64_t /*value*/, json::string_view /*text*/, Failure& /*failure*/) {
        return true;
    }
    bool on_uint64(std::uint64_t /*value*/, json::string_view /*text*/, Failure& /*failure*/) {
        return true;
    }
    bool on_double(double /*value*/, json::string_view /*text*/, Failure& /*failure*/) {
        return true;
    }
    bool on_bool(bool /*value*/, Failure& /*failure*/) { return true; }
    bool on_null(Failure& /*failure*/) { return true; }
    bool on_comment_part(json::string_view /*part*/, Failure& /*failure*/) { return true; }
    bool on_comment(json::string_view /*last*/, Failure& /*failure*/) { return true; }
};

struct Census {
    std::size_t names = 0;
    bool all_finite = true;

    // As deep as the parser allowed.
    void visit(const json::value& value) {
        if (const auto* number = value.if_double())
            all_finite = all_finite && std::isfinite(*number);
        if (const auto* array = value.if_array())
            std::for_each(array->begin(), array->end(), [&](const auto& item) { visit(item); });
        if (const auto* object = value.if_object()) {
            names += object->size();
            for (const auto& member : *object) visit(member.value());
        }
    }
};

json::parse_options options() {
    json::parse_options options;
    options.max_depth = limits::kJsonDepth;
    return options;
}

}  // namespace

Result<json::object> parse_strict_object(std::string_view text, std::size_t max_bytes) {
    Error refused(Code::parse_error, "not one JSON object");
    if (text.size() > max_bytes) return Error(Code::parse_error, "the JSON text is too long");
    boost::system::error_code failure;
    json::value value = json::parse(text, failure, {}, options());
    if (failure || !value.is_object()) return refused;
    json::basic_parser<NameCounter> counter(options());
    counter.write_some(false, text.data(), text.size(), failure);
    if (failure) return refused;
    Census census;
    census.visit(value);
    if (!census.all_finite) return refused;
    if (census.names != counter.handler().names)
        return Error(Code::parse_error, "a name comes twice in the JSON text");
    return std::move(value.get_object());
}

Result<std::string_view> optional_string(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    if (value == nullptr) return std::string_view();
    const json::string* text = value->if_string();
    if (text == nullptr) return Error(Code::parse_error, std::string(name) + " is not a string");
    return std::string_view(text->data(), text->size());
}

}  // namespace rekey::keys
