#include "cli/json_print.hpp"

#include "protocol/json_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace rekey::cli {
namespace {

void append_line_start(std::string& out, std::size_t depth) {
    out.push_back('\n');
    out.append(depth * 2, ' ');
}

void append_value(std::string& out, const boost::json::value& value, std::size_t depth);

void append_object(std::string& out, const boost::json::object& object, std::size_t depth) {
    bool first = true;
    out.push_back('{');
    for (const auto& [name, member] : object) {
        if (!first) out.push_back(',');
        first = false;
        append_line_start(out, depth + 1);
        protocol::append_json_string(out, name);
        out.append(": ");
        append_value(out, member, depth + 1);
    }
    if (!first) append_line_start(out, depth);
    out.push_back('}');
}

void append_array(std::string& out, const boost::json::array& array, std::size_t depth) {
    bool first = true;
    out.push_back('[');
    for (const boost::json::value& item : array) {
        if (!first) out.push_back(',');
        first = false;
        append_line_start(out, depth + 1);
        append_value(out, item, depth + 1);
    }
    if (!first) append_line_start(out, depth);
    out.push_back(']');
}

void append_value(std::string& out, const boost::json::value& value, std::size_t depth) {
    if (value.is_object())
        append_object(out, value.get_object(), depth);
    else if (value.is_array())
        append_array(out, value.get_array(), depth);
    else
        protocol::append_json_value(out, value);
}

}  // namespace

std::string pretty_json(const boost::json::value& value) {
    std::string out;
    append_value(out, value, 0);
    out.push_back('\n');
    return out;
}

}  // namespace rekey::cli
