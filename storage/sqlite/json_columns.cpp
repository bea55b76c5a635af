#include "storage/sqlite/json_columns.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rekey::storage::sqlite {
namespace {

constexpr std::string_view kEmptyObject = "{}";

}  // namespace

std::string object_text(const boost::json::object& object) {
    return object.empty() ? std::string(kEmptyObject) : boost::json::serialize(object);
}

std::string labels_text(const std::map<std::string, std::string>& labels) {
    boost::json::object object;
    for (const auto& [name, value] : labels) object.emplace(name, value);
    return object_text(object);
}

boost::json::value read_json(Columns& columns) {
    boost::system::error_code failed;
    boost::json::value value = boost::json::parse(columns.view(), failed);
    if (failed) columns.wrong("JSON text");
    return value;
}

boost::json::object read_object(Columns& columns) {
    boost::system::error_code failed;
    const std::string_view text = columns.view();
    if (text == kEmptyObject) return {};
    boost::json::value value = boost::json::parse(text, failed);
    if (!failed && value.is_object()) return std::move(value.get_object());
    columns.wrong("JSON object");
    return {};
}

std::map<std::string, std::string> read_labels(Columns& columns) {
    std::map<std::string, std::string> labels;
    for (const auto& [name, value] : read_object(columns)) {
        if (value.is_string())
            labels.emplace(name, value.get_string());
        else
            columns.wrong("label");
    }
    return labels;
}

}  // namespace rekey::storage::sqlite
