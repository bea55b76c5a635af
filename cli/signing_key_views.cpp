#include "cli/signing_key_views.hpp"

#include "cli/views.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

namespace rekey::cli {
namespace {

using protocol::KeyVersionState;
using protocol::KeyVersionView;
using protocol::KeyView;

Cell text_cell(std::string_view text) { return {text.empty() ? "-" : printable(text)}; }

const KeyVersionView* active_version(const KeyView& key) {
    const auto active = std::ranges::find(key.versions, KeyVersionState::active,
                                          [](const KeyVersionView& one) { return one.state; });
    return active == key.versions.end() ? nullptr : &*active;
}

bool is_in_use(const KeyVersionView& version) {
    return version.state != KeyVersionState::destroyed && !version.destroy_at;
}

Cell state_cell(const KeyVersionView& version) {
    const std::string state(name_of(version.state));
    if (version.state == KeyVersionState::destroyed) return {state, {}, Tone::faint};
    if (version.destroy_at) return {"out of use", {}, Tone::bad};
    return {state, {}, version.state == KeyVersionState::active ? Tone::good : Tone::waiting};
}

std::string uses_text(const KeyView& key) {
    std::string text;
    for (const protocol::KeyUsage use : key.uses)
        text += fmt::format("{}{}", text.empty() ? "" : " ", name_of(use));
    return text;
}

std::string tags_text(const KeyView& key) {
    std::string text;
    for (const auto& [name, value] : key.tags)
        text += fmt::format("{}{}={}", text.empty() ? "" : " ", printable(name), printable(value));
    return text;
}

Table versions_table(const std::vector<KeyVersionView>& versions, Time now) {
    Table table({{"VERSION", Column::Fit::whole, Column::Align::right},
                 {"STATE"},
                 {"CREATED", Column::Fit::leave_out},
                 {"ACTIVATED"},
                 {"RETIRED"},
                 {"DESTROYED"}});
    for (const KeyVersionView& version : versions)
        table.add(
            {{std::to_string(version.version)},
             state_cell(version),
             time_cell(version.created_at, now),
             time_cell(version.activated_at, now),
             time_cell(version.retired_at, now),
             time_cell(version.destroyed_at ? version.destroyed_at : version.destroy_at, now)});
    return table;
}

}  // namespace

Table signing_keys_table(const std::vector<KeyView>& keys, Time now) {
    Table table({{"LABEL", Column::Fit::cut},
                 {"ALGORITHM"},
                 {"ACTIVE", Column::Fit::whole, Column::Align::right},
                 {"SINCE"},
                 {"SIGNS TOKENS", Column::Fit::leave_out},
                 {"KID"}});
    for (const KeyView& key : keys) {
        const KeyVersionView* active = active_version(key);
        table.add({text_cell(key.label),
                   {std::string(name_of(key.algorithm))},
                   {active != nullptr ? std::to_string(active->version) : "-"},
                   time_cell(active != nullptr ? active->activated_at : std::nullopt, now),
                   {key.signs_access_tokens ? "yes" : "no"},
                   {printable(key.kid)}});
    }
    return table;
}

std::string signing_key_text(const KeyView& key, const Screen& screen, Time now) {
    const Record record{
        {"kid", {printable(key.kid)}},
        {"label", text_cell(key.label)},
        {"algorithm", {fmt::format("{}, {} bits", name_of(key.algorithm), key.size_bits)}},
        {"uses", text_cell(uses_text(key))},
        {"signs access tokens", {key.signs_access_tokens ? "yes" : "no"}},
        {"export", text_cell(key.export_policy)},
        {"tags", text_cell(tags_text(key))},
        {"created", time_cell(key.created_at, now)}};
    return render(record, screen) + "\n" + versions_table(key.versions, now).render(screen);
}

boost::json::value key_set_of(const KeyView& key) {
    boost::json::array keys;
    for (const KeyVersionView& version : std::views::reverse(key.versions))
        if (version.jwk && is_in_use(version)) keys.push_back(*version.jwk);
    return boost::json::object{{"keys", std::move(keys)}};
}

}  // namespace rekey::cli
