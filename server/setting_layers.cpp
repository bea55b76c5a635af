#include "server/setting_layers.hpp"

#include <utility>

namespace rekey::server {
namespace {

void lay_over(protocol::Settings& values, const boost::json::object& layer,
              std::vector<std::string>* ignored) {
    for (const auto& [name, value] : layer) {
        if (protocol::set_setting(values, name, value).has_error() && ignored != nullptr) {
            ignored->emplace_back(name);
        }
    }
}

}  // namespace

SettingLayers::SettingLayers(boost::json::object file, boost::json::object environment)
    : file_(std::move(file)), environment_(std::move(environment)) {}

Result<SettingValues> SettingLayers::combine(const boost::json::object& set,
                                             std::vector<std::string>* ignored) const {
    SettingValues values;
    lay_over(values, file_, nullptr);
    lay_over(values, environment_, nullptr);
    lay_over(values, set, ignored);
    REKEY_TRY(protocol::check_settings(values));
    return values;
}

protocol::SettingSource SettingLayers::source_of(std::string_view name,
                                                 const boost::json::object& set) const {
    if (set.contains(name)) return protocol::SettingSource::set;
    if (environment_.contains(name)) return protocol::SettingSource::environment;
    if (file_.contains(name)) return protocol::SettingSource::file;
    return protocol::SettingSource::preset;
}

}  // namespace rekey::server
