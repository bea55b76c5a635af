#pragma once

#include "base/limits.hpp"
#include "base/log.hpp"
#include "server/audit/caretaker.hpp"
#include "server/audit/verification.hpp"
#include "server/settings.hpp"
#include "storage/memory/memory_store.hpp"
#include "tests/support/virtual_time.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <vector>

namespace rekey::server::testing {

// A trail that grows when told, with everything that looks after it, on virtual time.
struct AuditWorld {
    void append(std::size_t count) {
        store.write(
            [&](storage::Transaction& transaction) -> Result<> {
                for (std::size_t i = 0; i < count; ++i)
                    transaction.audit().append({.time = time.now(),
                                                .actor = "system",
                                                .action = "agent.created",
                                                .subject = "agent",
                                                .outcome = "ok",
                                                .details = {}});
                return {};
            },
            [](const Result<>& result) { BOOST_REQUIRE(result.has_value()); });
    }
    void retain_days(std::int64_t days) {
        SettingValues values = *settings.snapshot();
        values.audit_retention_days = days;
        settings.replace(values);
    }
    // From the beginning to the end, or behind a place that is known.
    audit::Verification verify(std::optional<protocol::ChainHead> known = {}) {
        audit::Verification verification(key, known);
        for (bool ended = false; !ended;) {
            store.read(
                [&](storage::Transaction& transaction) -> Result<> {
                    REKEY_TRY_ASSIGN(progress, verification.page(transaction));
                    ended = progress == audit::Verification::Progress::ended;
                    return {};
                },
                [](const Result<>& result) { BOOST_REQUIRE(result.has_value()); });
        }
        return verification;
    }
    bool verified() { return !verify().fault() && verify().complete(); }
    [[nodiscard]] std::vector<std::uint64_t> checkpoints() const {
        std::vector<std::uint64_t> places;
        for (const auto& [seq, checkpoint] : database->audit_checkpoints) places.push_back(seq);
        return places;
    }
    storage::AuditRow& row(std::uint64_t seq) {
        for (auto& row : database->audit)
            if (row.seq == seq) return row;
        throw std::runtime_error("no such row");
    }

    rekey::testing::VirtualTime time;
    std::unique_ptr<Log> log = make_silent_log();
    std::shared_ptr<storage::MemoryDatabase> database = std::make_shared<storage::MemoryDatabase>();
    storage::MemoryStore store{database};
    LiveSettings settings{SettingValues{}};
    audit::CheckpointKey key{keys::PrivateKey::generate(keys::Algorithm::ed25519).value()};
    audit::Checkpoints signer{{store, key, time, *log}};
    audit::Retention retention{{store, key, time, settings, *log}};
    audit::Caretaker caretaker{
        {signer, retention, time,
         [this](std::function<void()> action) { time.later(Milliseconds{0}, std::move(action)); },
         *log}};
};

}  // namespace rekey::server::testing
