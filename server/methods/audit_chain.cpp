#include "protocol/methods/audit_chain.hpp"

#include "base/limits.hpp"
#include "server/audit/verification.hpp"
#include "server/methods/parts.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

// audit.verify and audit.export.
namespace rekey::server::methods {
namespace {

using protocol::AuditExport;
using protocol::AuditVerify;
using protocol::ChainHead;
using rpc::Caller;
using rpc::Task;

std::optional<std::uint64_t> parse_seq(std::string_view text) {
    std::uint64_t seq = 0;
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const auto [stop, problem] = std::from_chars(begin, end, seq);
    if (text.empty() || problem != std::errc() || stop != end || seq > limits::kGenerationCeiling)
        return std::nullopt;
    return seq;
}

Result<std::optional<ChainHead>> known_head(const std::optional<std::string>& cursor) {
    if (!cursor) return std::optional<ChainHead>();
    const auto colon = cursor->find(':');
    const auto seq = parse_seq(std::string_view(*cursor).substr(0, colon));
    const auto hash =
        colon == std::string::npos ? std::nullopt : from_hex(cursor->substr(colon + 1));
    ChainHead head;
    if (!seq || !hash || hash->size() != head.hash.size())
        return protocol::bad_field({"cursor", "SEQ:HASH of a row"});
    head.seq = *seq;
    std::copy(hash->begin(), hash->end(), head.hash.begin());
    return std::optional(head);
}

AuditVerify::Result show(const audit::Verification& verification) {
    const ChainHead& head = verification.verifier().head();
    AuditVerify::Result result;
    result.verified = !verification.fault();
    result.rows = verification.verifier().rows();
    result.first_seq = verification.first_seq();
    result.last_seq = head.seq;
    result.head_hash = to_hex(head.hash);
    result.checkpoints = verification.verifier().checkpoints();
    if (verification.fault())
        result.fault = {verification.fault()->kind, verification.fault()->seq};
    else if (!verification.complete())
        result.next_cursor = std::to_string(head.seq) + ":" + result.head_hash;
    return result;
}

Task<Result<AuditVerify::Result>> verify(const Parts& parts, AuditVerify::Params params) {
    using Progress = audit::Verification::Progress;
    const auto known = known_head(params.cursor);
    if (known.has_error()) co_return Result<AuditVerify::Result>(known.error());
    // Used by one page after the other; each is over before the next begins.
    auto verification = std::make_shared<audit::Verification>(parts.audit_key, *known);
    for (;;) {
        auto unit = [verification](storage::Transaction& transaction) {
            return verification->page(transaction);
        };
        const auto progress = co_await rpc::read_from<Progress>(parts.store, std::move(unit));
        if (progress.has_error()) co_return Result<AuditVerify::Result>(progress.error());
        if (*progress == Progress::ended) break;
    }
    if (verification->fault())
        parts.log.error("audit.chain_broken",
                        {{"kind", protocol::name_of(verification->fault()->kind)},
                         {"seq", verification->fault()->seq}});
    co_return Result<AuditVerify::Result>(show(*verification));
}

// Behind which place an export begins: a checkpoint, so that its first row can be trusted, or the
// beginning of what is kept.
Result<std::uint64_t> beginning(storage::Transaction& transaction, std::optional<Time> from) {
    REKEY_TRY_ASSIGN(ends, transaction.audit().ends());
    if (ends.first_seq == 0) return std::uint64_t{0};
    const std::uint64_t kept = ends.first_seq - 1;
    if (!from) return kept;
    REKEY_TRY_ASSIGN(places, transaction.audit().places_of(from, {}));
    // Nothing is so new: from the last checkpoint on, which there is, or from the beginning.
    const std::uint64_t wanted = places.last < places.first ? ends.head.seq : places.first - 1;
    REKEY_TRY_ASSIGN(checkpoint, transaction.audit_checkpoints().newest_up_to(wanted));
    return checkpoint ? std::max(kept, checkpoint->seq) : kept;
}

enum class End : std::uint8_t { newest_row, newest_checkpoint };

// The last place that belongs to an export: the first checkpoint at or behind `until`, else `end`.
Result<std::uint64_t> last_place(storage::Transaction& transaction, std::optional<Time> until,
                                 End end) {
    constexpr auto kAll = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (until) {
        REKEY_TRY_ASSIGN(places, transaction.audit().places_of({}, until));
        const std::uint64_t behind = places.last < places.first ? 0 : places.last - 1;
        REKEY_TRY_ASSIGN(checkpoints, transaction.audit_checkpoints().list(behind, 1));
        if (!checkpoints.empty()) return checkpoints.front().seq;
    }
    if (end == End::newest_row) return kAll;
    REKEY_TRY_ASSIGN(newest, transaction.audit_checkpoints().newest_up_to(kAll));
    return newest ? newest->seq : kAll;
}

protocol::AuditExportRow show(const storage::AuditRow& row) {
    return {row.seq,           row.event.time,    row.event.actor,  row.event.action,
            row.event.subject, row.event.outcome, row.details_json, to_hex(row.previous_hash),
            to_hex(row.hash)};
}

struct ExportPage {
    AuditExport::Result result;
    bool ends_unsigned = false;  // the last page, and no checkpoint covers its last row
};

Result<ExportPage> export_in(storage::Transaction& transaction, const audit::CheckpointKey& key,
                             const AuditExport::Params& params, End end) {
    ExportPage made;
    AuditExport::Result& page = made.result;
    page.stream_id = storage::kMainStream;
    std::uint64_t after = 0;
    if (params.cursor) {
        const auto seq = parse_seq(*params.cursor);
        if (!seq) return protocol::bad_field({"cursor", "next_cursor of the page before"});
        after = *seq;
        // A gap that retention made between two pages would look like a thief's in the export.
        REKEY_TRY(audit::require_kept_behind(transaction, key, after));
    } else {
        REKEY_TRY_ASSIGN(begin, beginning(transaction, params.from));
        after = begin;
    }
    REKEY_TRY_ASSIGN(last, last_place(transaction, params.until, end));
    const auto limit = static_cast<std::size_t>(params.limit);
    REKEY_TRY_ASSIGN(rows, transaction.audit().walk(after, limit));
    std::uint64_t seen = after;
    for (const auto& row : rows) {
        if (row.seq > last) break;
        page.rows.push_back(show(row));
        seen = row.seq;
    }
    const bool more = page.rows.size() == limit && seen < last;
    if (more) page.next_cursor = std::to_string(seen);

    // Nothing is so new as was asked for: no row, and so nothing that vouches for one.
    if (rows.empty() && !params.cursor) return made;

    // On the last page also those beyond the last row: they tell that it is not the last one.
    const std::uint64_t checkpoints_after = params.cursor || after == 0 ? after : after - 1;
    REKEY_TRY_ASSIGN(checkpoints, transaction.audit_checkpoints().list(
                                      checkpoints_after, limits::kCheckpointsAnAnswer));
    for (const auto& checkpoint : checkpoints) {
        if (checkpoint.seq > (more ? seen : last)) break;
        page.checkpoints.push_back({checkpoint.seq, to_hex(checkpoint.hash), checkpoint.signature});
    }
    if (more || seen == 0) return made;
    REKEY_TRY_ASSIGN(covering, transaction.audit_checkpoints().list(seen - 1, 1));
    made.ends_unsigned = covering.empty();
    return made;
}

Task<Result<ExportPage>> read_page(const Parts& parts, AuditExport::Params params, End end) {
    auto unit = [&key = parts.audit_key, params, end](storage::Transaction& transaction) {
        return export_in(transaction, key, params, end);
    };
    co_return co_await rpc::read_from<ExportPage>(parts.store, std::move(unit));
}

Task<Result<>> sign_newest(audit::Checkpoints& checkpoints) {
    auto start = [&checkpoints](auto answer) {
        checkpoints.look(audit::Checkpoints::Newest::always, std::move(answer));
    };
    co_return co_await rpc::await_callback<Result<>>(std::move(start));
}

// An export ends at a checkpoint, made for it if need be: rows that are cut off its end are missed.
Task<Result<AuditExport::Result>> export_page(const Parts& parts, AuditExport::Params params) {
    auto page = co_await read_page(parts, params, End::newest_row);
    if (page.has_value() && page->ends_unsigned) {
        const auto signed_end = co_await sign_newest(parts.checkpoints);
        // A chain that is not what was signed before is told as it is: it is the evidence.
        if (signed_end.has_value())
            page = co_await read_page(parts, std::move(params), End::newest_checkpoint);
        else
            parts.log.error("audit.export_not_signed", {{"error", signed_end.error().message()}});
    }
    if (page.has_error()) co_return Result<AuditExport::Result>(page.error());
    page->result.keys["keys"] = boost::json::array{keys::to_json(parts.audit_key.jwk())};
    co_return Result<AuditExport::Result>(std::move(page->result));
}

}  // namespace

void bind_audit_chain(rpc::Registry& registry, const Parts& parts) {
    registry.bind<AuditVerify>([&parts](const Caller&, AuditVerify::Params params) {
        return verify(parts, std::move(params));
    });
    registry.bind<AuditExport>([&parts](const Caller&, AuditExport::Params params) {
        return export_page(parts, std::move(params));
    });
}

}  // namespace rekey::server::methods
