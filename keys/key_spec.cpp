#include "keys/key_spec.hpp"

#include "base/limits.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>

namespace rekey::keys {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 6> kUseNames{"sign",    "verify", "encrypt",
                                                    "decrypt", "mac",    "derive"};
constexpr std::size_t kDefaultRsaBits = 3072;

std::vector<KeyUse> uses_of(Algorithm algorithm) {
    if (algorithm == Algorithm::aes_256_gcm) return {KeyUse::encrypt, KeyUse::decrypt};
    if (algorithm == Algorithm::hmac_sha256) return {KeyUse::mac, KeyUse::derive};
    return {KeyUse::sign, KeyUse::verify};
}

std::size_t size_of(Algorithm algorithm) {
    return algorithm == Algorithm::rsa_pss ? kDefaultRsaBits : 256;
}

Error invalid(std::string message) { return Error(Code::invalid_params, std::move(message)); }

std::optional<std::string> text_at(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    const json::string* text = value == nullptr ? nullptr : value->if_string();
    if (text == nullptr) return std::nullopt;
    return std::string(text->data(), text->size());
}

}  // namespace

std::string_view name_of(KeyUse use) { return kUseNames.at(static_cast<std::size_t>(use)); }

std::optional<KeyUse> use_named(std::string_view name) {
    const auto found = std::find(kUseNames.begin(), kUseNames.end(), name);
    if (found == kUseNames.end()) return std::nullopt;
    return static_cast<KeyUse>(found - kUseNames.begin());
}

bool KeySpec::allows(KeyUse use) const {
    return std::find(uses.begin(), uses.end(), use) != uses.end();
}

Result<KeySpec> checked(KeySpec spec) {
    const std::vector<KeyUse> possible = uses_of(spec.algorithm);
    if (spec.uses.empty()) spec.uses = possible;
    std::sort(spec.uses.begin(), spec.uses.end());
    spec.uses.erase(std::unique(spec.uses.begin(), spec.uses.end()), spec.uses.end());
    for (const KeyUse use : spec.uses)
        if (std::find(possible.begin(), possible.end(), use) == possible.end())
            return invalid(std::string(name_of(spec.algorithm)) + " keys do not " +
                           std::string(name_of(use)));
    if (spec.size_bits == 0) spec.size_bits = size_of(spec.algorithm);
    const bool size_is_right = spec.algorithm == Algorithm::rsa_pss
                                   ? spec.size_bits >= limits::kRsaBitsMin &&
                                         spec.size_bits <= limits::kRsaBitsMax &&
                                         spec.size_bits % 8 == 0
                                   : spec.size_bits == size_of(spec.algorithm);
    if (!size_is_right) return invalid("no size of " + std::string(name_of(spec.algorithm)));
    if (spec.label.size() > limits::kTextBytes) return invalid("the key's label is too long");
    if (spec.tags.size() > limits::kKeyTags) return invalid("the key has too many tags");
    for (const auto& [name, value] : spec.tags)
        if (name.empty() || name.size() > limits::kTextBytes || value.size() > limits::kTextBytes)
            return invalid("a tag of the key is empty or too long");
    return spec;
}

json::object to_json(const KeySpec& spec, ExportPolicy policy) {
    json::array uses;
    for (const KeyUse use : spec.uses) uses.emplace_back(name_of(use));
    json::object tags;
    for (const auto& [name, value] : spec.tags) tags[name] = value;
    return {
        {"class", class_of(spec.algorithm) == KeyClass::asymmetric ? "asymmetric" : "symmetric"},
        {"algorithm", name_of(spec.algorithm)},
        {"size_bits", static_cast<std::int64_t>(spec.size_bits)},
        {"uses", std::move(uses)},
        {"export_policy", policy == ExportPolicy::exportable ? "exportable" : "never"},
        {"label", spec.label},
        {"tags", std::move(tags)}};
}

Result<StoredSpec> spec_from_json(const json::object& object) {
    Error corrupt(Code::corrupt, "the spec of a stored key cannot be read");
    const auto algorithm = algorithm_named(text_at(object, "algorithm").value_or(""));
    const auto policy = text_at(object, "export_policy");
    const auto label = text_at(object, "label");
    const json::value* size = object.if_contains("size_bits");
    const json::value* uses = object.if_contains("uses");
    const json::value* tags = object.if_contains("tags");
    if (!algorithm || !label || (policy != "never" && policy != "exportable") || size == nullptr ||
        !size->is_int64() || uses == nullptr || !uses->is_array() || tags == nullptr ||
        !tags->is_object())
        return corrupt;
    KeySpec spec{*algorithm, static_cast<std::size_t>(size->get_int64()), {}, *label, {}};
    for (const json::value& item : uses->get_array()) {
        const json::string* name = item.if_string();
        const auto use = name == nullptr ? std::nullopt : use_named({name->data(), name->size()});
        if (!use) return corrupt;
        spec.uses.push_back(*use);
    }
    for (const auto& member : tags->get_object()) {
        const json::string* value = member.value().if_string();
        if (value == nullptr) return corrupt;
        spec.tags.emplace(member.key(), std::string(value->data(), value->size()));
    }
    auto right = checked(std::move(spec));
    if (right.has_error()) return corrupt;
    return StoredSpec{std::move(*right),
                      policy == "exportable" ? ExportPolicy::exportable : ExportPolicy::never};
}

}  // namespace rekey::keys
