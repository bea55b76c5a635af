#include "agent/detect/config_text.hpp"

#include "base/limits.hpp"
#include "base/toml.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <utility>

namespace rekey::agent::detect {

namespace json = boost::json;

Result<json::object> parse_json_config(std::string_view text) {
    json::parse_options options;
    options.max_depth = limits::kJsonDepth;
    options.allow_comments = true;
    options.allow_trailing_commas = true;
    boost::system::error_code wrong;
    json::value value =
        json::parse(json::string_view(text.data(), text.size()), wrong, {}, options);
    // Without a word of the file: its text may be a secret.
    if (wrong) return Error(Code::parse_error, "is no JSON (" + wrong.message() + ")");
    if (!value.is_object()) return Error(Code::parse_error, "is no JSON object");
    return std::move(value.get_object());
}

Result<json::object> parse_toml_config(std::string_view text) {
    auto object = parse_toml(text);
    if (object.has_value()) return object;
    const std::string line = toml_line(object.error());
    // What has a line is the parser's, and may quote the text.
    const std::string why = line.empty() ? object.error().message() : "line " + line;
    return Error(Code::parse_error, "is no TOML (" + why + ")");
}

Result<json::object> parse_config(Format format, std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    // An editor makes an empty file before there is anything to say.
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return json::object();
    switch (format) {
        case Format::json:
            return parse_json_config(text);
        case Format::toml:
            return parse_toml_config(text);
        case Format::yaml:
            return parse_yaml_config(text);
    }
    return Error(Code::internal, "is in a format that is not known");
}

}  // namespace rekey::agent::detect
