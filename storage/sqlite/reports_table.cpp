#include "base/limits.hpp"
#include "storage/names.hpp"
#include "storage/sqlite/json_columns.hpp"
#include "storage/sqlite/tables.hpp"

#include <string>
#include <utility>

namespace rekey::storage::sqlite {
namespace {

Result<ReportRow> read_row(Columns& columns) {
    ReportRow row;
    row.report.agent_id = columns.text();
    const auto kind = report_kind_of(columns.view());
    if (!kind) columns.wrong("kind of report");
    row.report.kind = kind.value_or(ReportKind::capability);
    row.report.name = columns.text();
    row.report.details = read_object(columns);
    row.first_seen_at = columns.time();
    row.last_seen_at = columns.time();
    row.times = columns.number();
    return columns.finish(std::move(row));
}

}  // namespace

SqliteReports::SqliteReports(Connection& connection)
    : list_(connection,
            "SELECT agent_id, kind, name, details, first_seen_at, last_seen_at, times "
            "FROM agent_reports WHERE agent_id = ? ORDER BY kind, name"),
      repeat_(connection,
              "UPDATE agent_reports SET details = ?4, last_seen_at = ?5, times = times + 1 "
              "WHERE agent_id = ?1 AND kind = ?2 AND name = ?3"),
      count_(connection, "SELECT count(*) FROM agent_reports WHERE agent_id = ? AND kind = ?"),
      insert_(connection,
              "INSERT INTO agent_reports "
              "(agent_id, kind, name, details, first_seen_at, last_seen_at, times) "
              "SELECT agent_id, ?2, ?3, ?4, ?5, ?5, 1 FROM agents WHERE agent_id = ?1") {}

Result<std::vector<ReportRow>> SqliteReports::list(std::string_view agent_id) {
    return list_.start().bind(agent_id).all<ReportRow>(read_row);
}

Result<Noted> SqliteReports::note(const Report& report, Time now) {
    const std::string details = object_text(report.details);
    const std::string_view kind = name_of(report.kind);
    const auto write = [&](Statement& statement) {
        return statement.start()
            .bind(report.agent_id)
            .bind(kind)
            .bind(report.name)
            .bind(details)
            .bind(now)
            .change();
    };
    REKEY_TRY_ASSIGN(repeated, write(repeat_));
    if (repeated != 0) return Noted::repeated;
    const auto number = [](Columns& columns) -> Result<std::uint64_t> { return columns.number(); };
    REKEY_TRY_ASSIGN(there, count_.start().bind(report.agent_id).bind(kind).one("count", number));
    if (there >= limits::kReportsAKind) return Noted::full;
    REKEY_TRY_ASSIGN(inserted, write(insert_));
    if (inserted == 0) return Error(Code::not_found, "no such agent");
    return Noted::added;
}

}  // namespace rekey::storage::sqlite
