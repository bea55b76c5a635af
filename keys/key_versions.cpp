#include "keys/key_versions.hpp"

#include "base/limits.hpp"
#include "base/secret.hpp"
#include "base/time_format.hpp"

#include <algorithm>
#include <array>

namespace rekey::keys {
namespace {

constexpr std::array<std::string_view, 4> kStateNames{"pre_published", "active", "retiring",
                                                      "destroyed"};

Error wrong_state(std::string message) { return Error(Code::wrong_state, std::move(message)); }

KeyVersionRecord* find_in(KeyRecord& record, std::uint64_t version) {
    const auto found =
        std::find_if(record.versions.begin(), record.versions.end(),
                     [&](const KeyVersionRecord& one) { return one.version == version; });
    return found == record.versions.end() ? nullptr : &*found;
}

Error no_such_version() { return Error(Code::not_found, "the key has no such version"); }

}  // namespace

std::string_view name_of(KeyState state) { return kStateNames.at(static_cast<std::size_t>(state)); }

std::optional<KeyState> state_named(std::string_view name) {
    const auto found = std::find(kStateNames.begin(), kStateNames.end(), name);
    if (found == kStateNames.end()) return std::nullopt;
    return static_cast<KeyState>(found - kStateNames.begin());
}

const KeyVersionRecord* KeyRecord::find(std::uint64_t version) const {
    return find_in(const_cast<KeyRecord&>(*this), version);
}

const KeyVersionRecord* KeyRecord::in_state(KeyState state) const {
    const auto found = std::find_if(versions.rbegin(), versions.rend(),
                                    [&](const auto& one) { return one.state == state; });
    return found == versions.rend() ? nullptr : &*found;
}

Result<KeyVersionRecord*> add_version(KeyRecord& record, KeyState state, Time now) {
    if (record.versions.size() >= limits::kKeyVersions)
        return wrong_state("the key has too many versions; make another key");
    KeyVersionRecord version;
    version.version = record.next_version++;
    version.state = state;
    version.created_at = now;
    if (state == KeyState::active) version.activated_at = now;
    record.versions.push_back(std::move(version));
    return &record.versions.back();
}

Result<> activate(KeyRecord& record, std::uint64_t number, RotateRule rule, Time now) {
    KeyVersionRecord* next = find_in(record, number);
    if (next == nullptr) return no_such_version();
    if (next->state != KeyState::pre_published || next->destroy_at)
        return wrong_state("only a pre-published version can become active");
    const Time not_before = next->created_at + limits::kPublicationLead;
    if (rule == RotateRule::when_published &&
        !has_passed(limits::kPublicationLead, next->created_at, now))
        return Error(Code::wrong_state,
                     "the next version was published too short a time ago: verifiers may not know "
                     "it yet")
            .with("not_before",
                  boost::json::value(boost::json::string_view(to_rfc3339(not_before))));
    for (KeyVersionRecord& version : record.versions) {
        if (version.state != KeyState::active) continue;
        version.state = KeyState::retiring;
        version.retired_at = now;
    }
    next->state = KeyState::active;
    next->activated_at = now;
    return {};
}

Result<> schedule_destruction(KeyRecord& record, std::uint64_t number, std::chrono::days delay,
                              Time now) {
    KeyVersionRecord* version = find_in(record, number);
    if (version == nullptr) return no_such_version();
    if (delay < limits::kDestructionDelayMin || delay > limits::kDestructionDelayMax)
        return Error(Code::invalid_params, "a key is destroyed after 7 to 30 days");
    if (version->state == KeyState::active)
        return wrong_state("the version is active; rotate the key first");
    if (version->state == KeyState::destroyed) return wrong_state("the version is destroyed");
    if (version->destroy_at) return wrong_state("the version's destruction is scheduled already");
    version->destroy_at = now + delay;
    return {};
}

Result<> cancel_destruction(KeyRecord& record, std::uint64_t number) {
    KeyVersionRecord* version = find_in(record, number);
    if (version == nullptr) return no_such_version();
    if (version->state == KeyState::destroyed) return wrong_state("the version is destroyed");
    if (!version->destroy_at) return wrong_state("the version's destruction is not scheduled");
    version->destroy_at.reset();
    return {};
}

std::vector<std::uint64_t> destroy_due(KeyRecord& record, Time now) {
    std::vector<std::uint64_t> destroyed;
    for (KeyVersionRecord& version : record.versions) {
        if (version.state == KeyState::destroyed || !version.destroy_at ||
            *version.destroy_at > now)
            continue;
        version.state = KeyState::destroyed;
        version.destroyed_at = now;
        wipe_memory(version.sealed_secret->data(), version.sealed_secret->size());
        version.sealed_secret.reset();
        destroyed.push_back(version.version);
    }
    return destroyed;
}

}  // namespace rekey::keys
