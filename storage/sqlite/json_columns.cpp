#include "storage/sqlite/json_columns.hpp"

#include "storage/names.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rekey::storage::sqlite {
namespace {

constexpr std::string_view kEmptyObject = "{}";

// Members of an object that this program wrote; what is not as it was written counts as wrong.
class Members {
  public:
    explicit Members(const boost::json::object& object) : object_(object) {}

    [[nodiscard]] std::string text(std::string_view name) {
        const auto* value = object_.if_contains({name.data(), name.size()});
        if (value != nullptr && value->is_string()) return std::string(value->get_string());
        wrong_ = true;
        return {};
    }
    [[nodiscard]] std::int64_t integer(std::string_view name) {
        const auto* value = object_.if_contains({name.data(), name.size()});
        if (value != nullptr && value->is_int64()) return value->get_int64();
        wrong_ = true;
        return 0;
    }
    [[nodiscard]] bool has(std::string_view name) const {
        return object_.contains({name.data(), name.size()});
    }
    [[nodiscard]] bool wrong() const { return wrong_; }

  private:
    const boost::json::object& object_;
    bool wrong_ = false;
};

}  // namespace

std::string object_text(const boost::json::object& object) {
    return object.empty() ? std::string(kEmptyObject) : boost::json::serialize(object);
}

std::string labels_text(const std::map<std::string, std::string>& labels) {
    boost::json::object object;
    for (const auto& [name, value] : labels) object.emplace(name, value);
    return object_text(object);
}

std::string names_text(const std::vector<std::string>& names) {
    boost::json::array array;
    for (const std::string& name : names) array.emplace_back(name);
    return boost::json::serialize(array);
}

std::optional<std::string> sighting_text(const std::optional<Sighting>& sighting) {
    if (!sighting) return std::nullopt;
    boost::json::object object{{"seen_at", sighting->seen_at.time_since_epoch().count()},
                               {"generation", static_cast<std::int64_t>(sighting->generation)},
                               {"address", sighting->address},
                               {"holder_address", sighting->holder_address}};
    if (sighting->answer) {
        object["rotation_id"] = sighting->answer->rotation_id;
        object["cause"] = name_of(sighting->answer->cause);
    }
    return boost::json::serialize(object);
}

std::optional<Sighting> read_sighting(Columns& columns) {
    if (columns.null()) {
        columns.skip(1);
        return std::nullopt;
    }
    const boost::json::object object = read_object(columns);
    Members members(object);
    Sighting sighting;
    sighting.seen_at = Time(Milliseconds(members.integer("seen_at")));
    sighting.generation = static_cast<std::uint64_t>(members.integer("generation"));
    sighting.address = members.text("address");
    sighting.holder_address = members.text("holder_address");
    if (members.has("rotation_id")) {
        const auto cause = rotation_cause_of(members.text("cause"));
        if (!cause) columns.wrong("sighting");
        sighting.answer =
            Sighting::Answer{members.text("rotation_id"), cause.value_or(RotationCause::recovery)};
    }
    if (members.wrong()) columns.wrong("sighting");
    return sighting;
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

std::vector<std::string> read_names(Columns& columns) {
    const boost::json::value value = read_json(columns);
    std::vector<std::string> names;
    if (!value.is_array()) {
        columns.wrong("list of names");
        return names;
    }
    for (const auto& name : value.get_array()) {
        if (name.is_string())
            names.emplace_back(name.get_string());
        else
            columns.wrong("name in a list");
    }
    return names;
}

}  // namespace rekey::storage::sqlite
