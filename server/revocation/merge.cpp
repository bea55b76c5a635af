#include "server/revocation/merge.hpp"

#include "base/limits.hpp"
#include "base/time_format.hpp"
#include "server/revocation/revoke.hpp"
#include "storage/store_async.hpp"

#include <future>
#include <sysexits.h>
#include <utility>

namespace rekey::server::revocation {
namespace {

// So many agents a transaction: few commits, and none that holds the writer up for long.
constexpr std::size_t kAgentsAUnit = 100;

template <class T, class Start>
Result<T> wait_for(Start start) {
    std::promise<Result<T>> answer;
    start([&answer](Result<T> result) { answer.set_value(std::move(result)); });
    return answer.get_future().get();
}

template <class T>
T or_refuse(Result<T> result) {
    if (result.has_error())
        throw StartupError(
            "cannot merge the revocations into the database: " + result.error().message(),
            EX_IOERR);
    return std::move(*result);
}

// How many of these were not revoked any more, or not yet. Those that were deleted lose their row.
Result<std::size_t> revoke_some(storage::Transaction& transaction,
                                const std::vector<Revocation>& some, Time now) {
    std::size_t revoked = 0;
    for (const Revocation& revocation : some) {
        auto row = transaction.agents().find(revocation.agent_id);
        // An agent that the restored database does not know cannot come in either.
        if (row.has_error() && row.error().code() == Code::not_found) continue;
        if (row.has_error()) return row.error();
        if (row->credentials.status != storage::AgentStatus::revoked) {
            rotation::Cause cause{.actor = "system"};
            cause.details["reason"] = "the database was restored from before this revocation";
            cause.details["revoked_at"] = to_rfc3339(revocation.revoked_at);
            cause.details["revoked_by"] = revocation.actor;
            REKEY_TRY(revoke_in(transaction, *row, cause, now));
            ++revoked;
        }
        if (revocation.end == End::deleted) {
            storage::AuditEvent event{.time = now, .actor = "system"};
            event.details["reason"] = "its deletion was under way, or the database was restored";
            event.details["deleted_by"] = revocation.actor;
            REKEY_TRY(remove_in(transaction, *row, std::move(event)));
        }
    }
    return revoked;
}

void revoke_again(storage::Store& store, const RevocationJournal& journal, const Clock& clock,
                  const Log& log) {
    const std::vector<Revocation>& all = journal.found();
    std::size_t revoked = 0;
    for (std::size_t begin = 0; begin < all.size(); begin += kAgentsAUnit) {
        const std::size_t end = std::min(begin + kAgentsAUnit, all.size());
        const std::vector<Revocation> some(all.begin() + static_cast<std::ptrdiff_t>(begin),
                                           all.begin() + static_cast<std::ptrdiff_t>(end));
        auto unit = [&some, now = clock.now()](storage::Transaction& transaction) {
            return revoke_some(transaction, some, now);
        };
        revoked += or_refuse(wait_for<std::size_t>([&](auto answer) {
            storage::write_as<std::size_t>(
                store, [](auto action) { action(); }, unit, std::move(answer));
        }));
    }
    if (revoked > 0)
        log.warning("revocations.merged", {{"agents", static_cast<std::uint64_t>(revoked)}});
}

using Page = std::vector<storage::AgentRow>;

Page revoked_after(storage::Store& store, const std::string& after) {
    auto unit = [after](storage::Transaction& transaction) {
        storage::AgentFilter filter;
        filter.status = storage::AgentStatus::revoked;
        return transaction.agents().list(filter, after, limits::kPageRows);
    };
    return or_refuse(wait_for<Page>([&](auto answer) {
        storage::read_as<Page>(store, [](auto action) { action(); }, unit, std::move(answer));
    }));
}

void note_missing(storage::Store& store, RevocationJournal& journal) {
    std::string after;
    for (;;) {
        const Page page = revoked_after(store, after);
        for (const storage::AgentRow& row : page) {
            if (journal.holds(row.agent_id)) continue;
            // A failure is logged by the journal, which tries again with its next line.
            journal.append({row.agent_id, row.updated_at, "system"}, [](const Result<>&) {});
        }
        if (page.size() < limits::kPageRows) return;
        after = page.back().agent_id;
    }
}

}  // namespace

void merge_revocations(storage::Store& store, RevocationJournal& journal, const Clock& clock,
                       const Log& log) {
    revoke_again(store, journal, clock, log);
    note_missing(store, journal);
}

}  // namespace rekey::server::revocation
