#include "cli/verbs/audit.hpp"

#include "base/time_format.hpp"
#include "cli/agent_names.hpp"
#include "cli/audit_file.hpp"
#include "cli/retry.hpp"
#include "cli/verbs/print.hpp"
#include "cli/views.hpp"
#include "protocol/methods/audit.hpp"
#include "protocol/methods/audit_chain.hpp"

#include <algorithm>
#include <fstream>
#include <istream>
#include <iterator>
#include <ostream>
#include <utility>

namespace rekey::cli {
namespace {

// Said to whoever reads it, also in a pipe: a part of a trail must not be taken for the whole.
std::string more_audit(const std::vector<protocol::AuditEntry>& shown, bool newest) {
    if (shown.empty()) return {};
    if (newest)
        return fmt::format(
            "rekeyctl: these are the newest {}; there are older ones: add --before {}, or a higher "
            "--limit\n",
            shown.size(), shown.front().seq);
    return fmt::format(
        "rekeyctl: there are newer ones: go on with --after {}, or a higher --limit\n",
        shown.back().seq);
}

Result<std::optional<Time>> time_of(std::string_view option,
                                    const std::optional<std::string>& text) {
    if (!text) return std::optional<Time>();
    const auto time = parse_rfc3339(*text);
    if (time.has_value()) return std::optional(*time);
    return bad_argument(fmt::format("{} {} is no time", option, printable(*text)),
                        "Write it as 2026-11-21T07:30:00Z");
}

// What became of a chain, in one line for people.
std::string fault_text(std::string_view kind, std::uint64_t seq) {
    constexpr std::pair<protocol::ChainFaultKind, std::string_view> kMeanings[] = {
        {protocol::ChainFaultKind::altered, "the row is not what was written"},
        {protocol::ChainFaultKind::missing, "rows are gone"},
        {protocol::ChainFaultKind::reordered, "a row, or a checkpoint, stands in another place"},
        {protocol::ChainFaultKind::unlinked, "the row belongs behind another one"},
        {protocol::ChainFaultKind::truncated, "the newest rows were cut off"},
        {protocol::ChainFaultKind::wrong_hash, "the rows up to here were written anew"},
        {protocol::ChainFaultKind::bad_checkpoint, "a checkpoint that no trusted key signed"},
    };
    for (const auto& [known, meaning] : kMeanings)
        if (protocol::name_of(known) == kind)
            return fmt::format("BROKEN at row {}: {} ({})\n", seq, kind, meaning);
    return fmt::format("BROKEN at row {}: {}\n", seq, kind);
}

std::string report_text(const AuditReport& report, const AuditVerifyOptions& options) {
    std::string text;
    if (report.fault)
        text += fault_text(protocol::name_of(report.fault->kind), report.fault->seq);
    else
        text += "verified\n";
    text += fmt::format("rows         {}, {} to {}{}\n", report.rows, report.first_seq,
                        report.head.seq, report.part ? ", a part of the trail" : "");
    text += fmt::format("checkpoints  {}, signed with {}\n", report.checkpoints,
                        options.jwks_file ? "keys of " + printable(*options.jwks_file)
                                          : std::string("keys that the file itself brings"));
    text += fmt::format("head         {}\n", head_text(report.head));
    if (!report.fault && !options.head && report.head.seq > report.last_checkpoint)
        text += fmt::format(
            "Rows behind {} are not signed yet: whether newer ones were cut off shows against a "
            "head that was noted elsewhere (--head).\n",
            report.last_checkpoint);
    return text;
}

boost::json::object report_json(const AuditReport& report) {
    boost::json::object json{{"verified", !report.fault},
                             {"rows", report.rows},
                             {"first_seq", report.first_seq},
                             {"last_seq", report.head.seq},
                             {"head_hash", to_hex(report.head.hash)},
                             {"checkpoints", report.checkpoints},
                             {"last_checkpoint", report.last_checkpoint},
                             {"part", report.part}};
    if (report.fault)
        json["fault"] = {{"kind", protocol::name_of(report.fault->kind)},
                         {"seq", report.fault->seq}};
    return json;
}

Result<std::string> read_small_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text(limits::kMessageBytes + 1, '\0');
    if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file.is_open() || file.bad())
        return bad_argument(fmt::format("{} cannot be read", printable(path)), "Check the path");
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

Result<ExitCode> verify_file(Context& context, const AuditVerifyOptions& options) {
    AuditTrust trust;
    if (options.jwks_file) {
        REKEY_TRY_ASSIGN(jwks, read_small_file(*options.jwks_file));
        trust.jwks = std::move(jwks);
    }
    if (options.head) {
        trust.head = parse_head(*options.head);
        if (!trust.head)
            return bad_argument(fmt::format("{} is no head", printable(*options.head)),
                                "Write SEQ:HASH, as audit verify prints it");
    }
    std::ifstream file;
    const bool from_input = *options.file == "-";
    if (!from_input) file.open(*options.file, std::ios::binary);
    if (!from_input && !file.is_open())
        return bad_argument(fmt::format("{} cannot be read", printable(*options.file)),
                            "Make one with: rekeyctl audit export > FILE");
    REKEY_TRY_ASSIGN(report, verify_export(from_input ? context.console.in : file, trust));
    print(context, report_json(report), [&] { return report_text(report, options); });
    return report.fault ? ExitCode::failure : ExitCode::ok;
}

// Retention removed what the next call was to begin with.
Error overtaken(Error error, std::string_view way_out) {
    return error.code() == Code::conflict ? with_way_out(std::move(error), way_out) : error;
}

// A long chain takes several calls; the sum is shown as one.
Result<ExitCode> verify_at_server(Context& context, const AuditVerifyOptions& options) {
    protocol::AuditVerify::Params params;
    params.cursor = options.head;
    protocol::AuditVerify::Result all;
    boost::json::value json;
    for (;;) {
        auto answered = call_patiently<protocol::AuditVerify>(context, params);
        if (answered.has_error())
            return overtaken(std::move(answered).error(), "Run it again, without --head");
        auto& answer = *answered;
        protocol::AuditVerify::Result& part = answer.value;
        part.rows += all.rows;
        part.checkpoints += all.checkpoints;
        if (all.first_seq != 0) part.first_seq = all.first_seq;
        all = std::move(part);
        json = std::move(answer.json);
        if (!all.next_cursor) break;
        params.cursor = all.next_cursor;
    }
    json.as_object()["rows"] = all.rows;
    json.as_object()["checkpoints"] = all.checkpoints;
    json.as_object()["first_seq"] = all.first_seq;
    print(context, json, [&] {
        std::string text = all.fault
                               ? fault_text(protocol::name_of(all.fault->kind), all.fault->seq)
                               : std::string("verified\n");
        text += fmt::format("rows         {}, {} to {}\ncheckpoints  {}\nhead         {}:{}\n",
                            all.rows, all.first_seq, all.last_seq, all.checkpoints, all.last_seq,
                            all.head_hash);
        return text;
    });
    return all.verified ? ExitCode::ok : ExitCode::failure;
}

// One page of an export, checkpoints first.
void write_page(std::ostream& out, const protocol::AuditExport::Result& page, AuditEnd& end) {
    for (const auto& checkpoint : page.checkpoints) out << to_line(checkpoint);
    for (const auto& row : page.rows) {
        out << to_line(row);
        end.rows += 1;
        end.last_seq = row.seq;
        end.last_hash = row.hash;
    }
}

}  // namespace

Result<ExitCode> show_audit(Context& context, const AuditOptions& options) {
    protocol::AuditQuery::Params params;
    if (options.agent) {
        REKEY_TRY_ASSIGN(agent, find_agent(context.api, *options.agent));
        params.agent_id = agent.agent_id;
    }
    if (options.actor) {
        REKEY_TRY_ASSIGN(actor, *options.actor == "system"
                                    ? Result<NamedAgent>(NamedAgent{"system", "system"})
                                    : find_agent(context.api, *options.actor));
        params.actor = actor.agent_id;
    }
    params.action = options.action;
    params.outcome = options.outcome;
    REKEY_TRY_ASSIGN(from, time_of("--from", options.from));
    REKEY_TRY_ASSIGN(until, time_of("--until", options.until));
    params.from = from;
    params.until = until;
    const bool newest = !options.after;
    params.order = newest ? protocol::AuditOrder::newest_first : protocol::AuditOrder::oldest_first;
    if (const auto& seq = newest ? options.before : options.after)
        params.cursor = std::to_string(*seq);
    REKEY_TRY_ASSIGN(answer, read_pages<protocol::AuditQuery>(
                                 context, params, &protocol::AuditQuery::Result::entries, "entries",
                                 options.limit));
    if (newest) {
        std::ranges::reverse(answer.value.entries);
        std::ranges::reverse(answer.json.as_object()["entries"].as_array());
    }
    print(context, answer.json, [&] {
        return audit_table(answer.value.entries, names_by_id(context.api), context.clock.now());
    });
    if (context.format == Format::table && answer.value.next_cursor)
        context.console.err.stream << more_audit(answer.value.entries, newest);
    return ExitCode::ok;
}

Result<ExitCode> export_audit(Context& context, const AuditExportOptions& options) {
    protocol::AuditExport::Params params;
    REKEY_TRY_ASSIGN(from, time_of("--from", options.from));
    REKEY_TRY_ASSIGN(until, time_of("--until", options.until));
    params.from = from;
    params.until = until;
    params.limit = static_cast<std::int64_t>(limits::kPageRows);
    std::ostream& out = context.console.out.stream;
    AuditEnd end{0, 0, std::string(64, '0')};
    for (bool first = true;; first = false) {
        auto page = call_patiently<protocol::AuditExport>(context, params);
        if (page.has_error())
            return overtaken(std::move(page).error(),
                             "What was written is no whole export: run it again");
        if (first)
            out << to_line(AuditHeader{std::string(kAuditFormat), page->value.stream_id,
                                       context.clock.now(), from.has_value(), page->value.keys});
        write_page(out, page->value, end);
        if (!page->value.next_cursor) break;
        params.cursor = page->value.next_cursor;
    }
    out << to_line(end);
    out.flush();
    if (!out) return Error(Code::unavailable, "the export could not be written in full");
    return ExitCode::ok;
}

Result<ExitCode> verify_audit(Context& context, const AuditVerifyOptions& options) {
    return options.file ? verify_file(context, options) : verify_at_server(context, options);
}

}  // namespace rekey::cli
