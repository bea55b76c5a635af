#pragma once

#include "base/result.hpp"
#include "storage/provider_keys.hpp"
#include "storage/tables.hpp"

#include <functional>

namespace rekey::storage {

// The tables as one transaction sees them. In a read transaction the writing calls answer
// `internal`.
class Transaction {
  public:
    virtual ~Transaction() = default;
    virtual AgentsTable& agents() = 0;
    virtual TombstonesTable& tombstones() = 0;
    virtual EnrollmentCodesTable& enrollment_codes() = 0;
    virtual ApiKeysTable& api_keys() = 0;
    virtual IdempotentAnswersTable& idempotent_answers() = 0;
    virtual CapabilitiesTable& capabilities() = 0;
    virtual CapabilityRegistryTable& capability_registry() = 0;
    virtual RotationsTable& rotations() = 0;
    virtual RecoveriesTable& recoveries() = 0;
    virtual ReportsTable& reports() = 0;
    virtual SettingsTable& settings() = 0;
    virtual MetaTable& meta() = 0;
    virtual ProviderKeysTable& provider_keys() = 0;
    virtual AuditTable& audit() = 0;
    virtual AuditCheckpointsTable& audit_checkpoints() = 0;
};

// Durable state behind asynchronous calls.
//
// write: units are run one after another by one writer, many to a commit. A unit that returns an
// error is rolled back alone (a savepoint each); the others of its commit stay. `done` is called
// once, on a thread of the store, after the commit is on disk (synchronous=FULL), never before:
// with the unit's own error, or `unavailable` for all units of a commit that failed, or
// `overloaded` at once when limits::kWriteQueueUnits wait. A failed commit leaves the store usable,
// and nobody reads what it held; only a crash before the next commit may still bring it to light.
// Units must be fast, must not block and may be run a second time if the first run was rolled back
// with others.
//
// read: runs on one of a few reader threads on a snapshot that holds every commit answered before
// the call.
//
// read_here: the same inside the call, on the caller's own thread, which it blocks. Only for units
// that look up a few rows by primary key, in a few microseconds: handing them to another thread and
// back costs several times as much (docs/adr/0010).
//
// stop: refuses new work with `unavailable`, finishes what is queued, joins its threads.
//
// `run` and `done` are called from the store's threads: post to your executor in `done` (see
// store_async.hpp).
class Store {
  public:
    using Unit = std::function<Result<>(Transaction&)>;
    using Done = std::function<void(Result<>)>;

    virtual ~Store() = default;
    virtual void write(Unit unit, Done done) = 0;
    virtual void read(Unit unit, Done done) = 0;
    [[nodiscard]] virtual Result<> read_here(const Unit& unit) = 0;
    virtual void stop() = 0;
};

}  // namespace rekey::storage
