#pragma once

#include "storage/rows.hpp"
#include "storage/sqlite/statement.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Values that are stored as JSON text. Empty objects, which most rows have, cost no parser.
namespace rekey::storage::sqlite {

[[nodiscard]] std::string object_text(const boost::json::object& object);
[[nodiscard]] std::string labels_text(const std::map<std::string, std::string>& labels);

[[nodiscard]] std::string names_text(const std::vector<std::string>& names);

[[nodiscard]] std::optional<std::string> sighting_text(const std::optional<Sighting>& sighting);

[[nodiscard]] boost::json::object read_object(Columns& columns);
[[nodiscard]] std::map<std::string, std::string> read_labels(Columns& columns);
[[nodiscard]] boost::json::value read_json(Columns& columns);
// An array of strings.
[[nodiscard]] std::vector<std::string> read_names(Columns& columns);
[[nodiscard]] std::optional<Sighting> read_sighting(Columns& columns);

}  // namespace rekey::storage::sqlite
