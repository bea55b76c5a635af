#pragma once

#include "keys/local_key_provider.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

// What every KeyProvider must pass: key_provider_conformance_tests.cpp runs its cases once for each
// type in Providers. A new provider is a type with
//   KeyProvider& provider();   ready, with no keys at first
//   void reopen();             as after a restart: the same keys
//   ManualClock clock;
// and, if it can hand secrets out, ExportingKeyProvider& exporting().
namespace rekey::keys::testing {

// Time stands until a test moves it.
class ManualClock final : public Clock {
  public:
    [[nodiscard]] Time now() const override { return now_; }
    [[nodiscard]] SteadyTime steady_now() const override {
        return SteadyTime(now_.time_since_epoch());
    }
    void advance(Milliseconds by) { now_ += by; }

  private:
    Time now_{std::chrono::seconds(1'800'000'000)};
};

// Records as a database would keep them: compare-and-swap, and a trail.
class MemoryKeyRecords final : public KeyRecords {
  public:
    [[nodiscard]] Result<KeyRecord> load(std::string_view kid) override {
        const auto found = records.find(std::string(kid));
        if (found == records.end()) return Error(Code::not_found, "no such key");
        return found->second;
    }
    [[nodiscard]] Result<std::vector<KeyRecord>> load_all() override {
        std::vector<KeyRecord> all;
        all.reserve(records.size());
        for (const auto& [kid, record] : records) all.push_back(record);
        return all;
    }
    [[nodiscard]] Result<> save(KeyRecord& record, const KeyChange& change) override {
        if (fail_next) return *std::exchange(fail_next, std::nullopt);
        const auto found = records.find(record.kid);
        const std::uint64_t stored = found == records.end() ? 0 : found->second.row_version;
        if (stored != record.row_version) return Error(Code::conflict, "changed meanwhile");
        ++record.row_version;
        records[record.kid] = record;
        trail.emplace_back(change.action, change.versions, change.by.actor);
        return {};
    }

    std::map<std::string, KeyRecord> records;
    std::vector<std::tuple<std::string, std::vector<std::uint64_t>, std::string>> trail;
    std::optional<Error> fail_next;
};

struct LocalProvider {
    LocalProvider() { reopen(); }
    void reopen() {
        auto opened = LocalKeyProvider::open({records, master_key, clock, random});
        held = std::move(*opened);
    }
    KeyProvider& provider() { return *held; }
    ExportingKeyProvider& exporting() { return *held; }

    ManualClock clock;
    SystemRandom random;
    MasterKey master_key = MasterKey::generate(random);
    MemoryKeyRecords records;
    std::unique_ptr<LocalKeyProvider> held;
};

using Providers = std::tuple<LocalProvider>;

}  // namespace rekey::keys::testing
