#pragma once

#include "base/result.hpp"
#include "protocol/vocabulary.hpp"
#include "server/settings.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace rekey::server {

// Where the settings come from: settings.set over environment over file over default. File and
// environment are fixed at start; what was set is read from the database each time. Immutable, safe
// from any thread.
class SettingLayers {
  public:
    SettingLayers() = default;
    // Both are valid, each value of its setting's own type.
    SettingLayers(boost::json::object file, boost::json::object environment);

    // `set`: the database's. A value that this program does not know or allow (an older or newer
    // one stored it) is left out, its name added to `ignored`. `invalid_params` if the whole
    // contradicts itself.
    [[nodiscard]] Result<SettingValues> combine(const boost::json::object& set,
                                                std::vector<std::string>* ignored = nullptr) const;
    [[nodiscard]] protocol::SettingSource source_of(std::string_view name,
                                                    const boost::json::object& set) const;

  private:
    boost::json::object file_;
    boost::json::object environment_;
};

}  // namespace rekey::server
