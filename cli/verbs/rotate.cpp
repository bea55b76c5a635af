#include "cli/verbs/rotate.hpp"

#include "cli/agent_names.hpp"
#include "cli/rotation_watch.hpp"
#include "cli/time_text.hpp"
#include "cli/verbs/print.hpp"
#include "cli/views.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace rekey::cli {
namespace {

using protocol::RotationsStart;
using protocol::StartedRotation;

// Up to this many agents the summary shows each, else only those that are not done.
constexpr std::size_t kShowAll = 20;

// What was started: the board to watch, and the answer as -o json shows it.
struct Started {
    RotationBoard board;
    boost::json::value json;
};

void add_one(Started& started, const RotationsStart::Result& result, const std::string& name) {
    StartedRotation one;
    one.agent_id = result.agent_id.value_or("");
    one.status = result.status;
    one.rotation_id = result.rotation_id;
    one.generation = result.generation;
    one.already_pending = result.already_pending;
    started.board.add(one, printable(name), started.json);
}

void add_many(Started& started, Answer<RotationsStart::Result>& answer, const NamesById& names) {
    const auto rotations = answer.value.rotations.value_or(std::vector<StartedRotation>{});
    auto& entries = answer.json.as_object()["rotations"];
    if (!entries.is_array()) entries.emplace_array();
    for (std::size_t i = 0; i < rotations.size(); ++i)
        started.board.add(rotations[i], name_or_id(names, rotations[i].agent_id),
                          entries.get_array()[i]);
    if (started.json.is_null()) {
        started.json = std::move(answer.json);
        return;
    }
    auto& to = started.json.as_object()["rotations"].as_array();
    for (boost::json::value& entry : entries.get_array()) to.push_back(std::move(entry));
}

Result<Started> start_all(Context& context, const RotateOptions& options) {
    const NamesById names = names_by_id(context.api, kAllPages);
    RotationsStart::Params params;
    params.all = true;
    params.force = options.force;
    REKEY_TRY_ASSIGN(answer, call<RotationsStart>(context.api, params));
    Started started;
    add_many(started, answer, names);
    return started;
}

Result<Started> start_named(Context& context, const RotateOptions& options) {
    REKEY_TRY_ASSIGN(agents, find_agents(context.api, options.names));
    RotationsStart::Params params;
    params.force = options.force;
    Started started;
    if (agents.size() == 1) {
        params.agent_id = agents.front().agent_id;
        auto answer = call<RotationsStart>(context.api, params);
        if (answer.has_error() && not_before_of(answer.error()))
            return with_way_out(Error(answer.error()),
                                "Wait, or rotate at once, ending the old token's grace, with "
                                "--force");
        if (answer.has_error()) return std::move(answer).error();
        started.json = std::move(answer->json);
        add_one(started, answer->value, agents.front().name);
        return started;
    }
    NamesById names;
    for (const NamedAgent& agent : agents) names[agent.agent_id] = agent.name;
    for (std::size_t first = 0; first < agents.size(); first += limits::kAgentsARequest) {
        params.agent_ids.emplace();
        const std::size_t last = std::min(first + limits::kAgentsARequest, agents.size());
        for (std::size_t i = first; i < last; ++i) params.agent_ids->push_back(agents[i].agent_id);
        REKEY_TRY_ASSIGN(answer, call<RotationsStart>(context.api, params));
        add_many(started, answer, names);
    }
    return started;
}

Table summary_table(const RotationBoard& board) {
    Table table({{"AGENT", Column::Fit::cut},
                 {"STATUS"},
                 {"GENERATION", Column::Fit::whole, Column::Align::right},
                 {"REASON", Column::Fit::cut},
                 {"ROTATION ID", Column::Fit::leave_out}});
    for (const TrackedRotation& rotation : board.all()) {
        const Progress progress = progress_of(rotation);
        if (progress == Progress::done && board.all().size() > kShowAll) continue;
        const bool refused = rotation.start == TrackedRotation::Start::refused;
        table.add({{rotation.name},
                   refused ? Cell{"not started", {}, Tone::bad} : status_cell(rotation.status),
                   {rotation.generation ? std::to_string(*rotation.generation) : "-"},
                   {progress == Progress::done ? "" : rotation.reason},
                   {rotation.rotation_id.empty() ? "-" : rotation.rotation_id}});
    }
    return table;
}

std::string summary(const RotationBoard& board, const Screen& screen) {
    const RotationCounts counts = board.counts();
    std::string text;
    if (counts.total <= kShowAll || counts.done < counts.total)
        text = summary_table(board).render(screen);
    return fmt::format("{}{}\n", text, counts_text(counts));
}

boost::json::value last_news(const RotationBoard& board) {
    boost::json::array rotations;
    for (const TrackedRotation& rotation : board.all()) rotations.push_back(rotation.json);
    return boost::json::object{{"rotations", std::move(rotations)}};
}

bool all_well(const RotationCounts& counts) {
    return counts.failing + counts.under_way + counts.not_started == 0;
}

// --force helps against a running grace period, and against nothing else.
std::string advice_on_refused(const RotationBoard& board) {
    std::optional<Time> last;
    for (const TrackedRotation& rotation : board.all())
        if (rotation.not_before) last = std::max(last, rotation.not_before);
    if (!last) return "; the reason is shown with each";
    return fmt::format(
        ": the grace of a rotation before still runs. Wait until {}, or rotate at once, ending the "
        "old token's grace, with --force",
        absolute_time(*last));
}

// On stderr, after the summary: what is wrong and what happens next.
void explain(Context& context, const RotationBoard& board, std::chrono::seconds timeout) {
    const RotationCounts counts = board.counts();
    std::ostream& err = context.console.err.stream;
    if (counts.failing != 0)
        err << fmt::format(
            "rekeyctl: {} of {} failed. Their tokens stay valid, and a token that "
            "was offered is offered again. See: rekeyctl rotations get ID\n",
            counts.failing, counts.total);
    if (counts.not_started != 0)
        err << fmt::format("rekeyctl: {} of {} not started{}\n", counts.not_started, counts.total,
                           advice_on_refused(board));
    if (counts.under_way != 0)
        err << fmt::format(
            "rekeyctl: {} of {} did not confirm within {} s; they go on without "
            "this command. See: rekeyctl rotations list\n",
            counts.under_way, counts.total, timeout.count());
}

}  // namespace

Result<ExitCode> rotate(Context& context, const RotateOptions& options) {
    REKEY_TRY_ASSIGN(started,
                     options.all ? start_all(context, options) : start_named(context, options));
    RotationBoard& board = started.board;
    if (board.all().empty()) hint(context, "There is no agent to rotate.");
    if (options.wait == RotateOptions::Wait::no) {
        print(context, started.json, [&] { return summary(board, context.console.out); });
        const RotationCounts counts = board.counts();
        return counts.failing + counts.not_started == 0 ? ExitCode::ok : ExitCode::failure;
    }
    {
        ProgressBar bar(context.console.err);
        for (const TrackedRotation& rotation : board.all())
            if (progress_of(rotation) != Progress::under_way) bar.changed(rotation);
        REKEY_TRY(watch(context, board, bar, options.timeout));
    }
    print(context, last_news(board), [&] { return summary(board, context.console.out); });
    explain(context, board, options.timeout);
    return all_well(board.counts()) ? ExitCode::ok : ExitCode::failure;
}

}  // namespace rekey::cli
