#include "base/limits.hpp"
#include "base/option_checks.hpp"
#include "cli/commands.hpp"
#include "cli/verbs/audit.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

namespace rekey::cli {
namespace {

constexpr std::int64_t kMostRows = 1'000'000;
constexpr auto kLastSeq = static_cast<std::int64_t>(limits::kGenerationCeiling);

void add_reading(CLI::App& audit, Verb& chosen) {
    auto options = std::make_shared<AuditOptions>();
    audit.add_option("--agent", options->agent, "Only what this agent did, or what happened to it")
        ->option_text("NAME");
    audit.add_option("--actor", options->actor, "Only what this one did; system is one")
        ->option_text("NAME");
    audit
        .add_option("--action", options->action,
                    "Only this action; 'rotation.*' for all that begin so")
        ->option_text("ACTION");
    audit.add_option("--outcome", options->outcome, "Only ok, or this error's name")
        ->option_text("NAME");
    audit.add_option("--from", options->from, "Only then and later, as 2026-11-21T07:30:00Z")
        ->option_text("TIME");
    audit.add_option("--until", options->until, "Only before")->option_text("TIME");
    auto* before = audit.add_option("--before", options->before, "The newest before this seq")
                       ->option_text("SEQ")
                       ->check(whole_number(1, kLastSeq));
    audit.add_option("--after", options->after, "The first after this seq instead")
        ->option_text("SEQ")
        ->check(whole_number(0, kLastSeq))
        ->excludes(before);
    audit.add_option("--limit", options->limit, "So many at most")
        ->option_text("N (100)")
        ->check(whole_number(1, kMostRows));
    audit.footer(
        "Examples:\n"
        "  rekeyctl audit --agent web-1 --action 'rotation.*'\n"
        "  rekeyctl audit --before 1200                          further back\n"
        "  rekeyctl audit --after 1200 --limit 1000 -o json      everything since, to go on from\n"
        "  rekeyctl audit --action auth.refused --from 2026-11-21T00:00:00Z");
    // Called for `audit export` as well.
    audit.callback([&audit, &chosen, options] {
        if (audit.get_subcommands().empty())
            chosen = [options](Context& context) { return show_audit(context, *options); };
    });
}

void add_export(CLI::App& audit, Verb& chosen) {
    auto options = std::make_shared<AuditExportOptions>();
    CLI::App* command =
        audit.add_subcommand("export", "Print the trail as it is stored, to be verified elsewhere");
    command->add_option("--from", options->from, "From the last checkpoint before this time")
        ->option_text("TIME");
    command->add_option("--until", options->until, "To the first checkpoint behind this time")
        ->option_text("TIME");
    command->footer(
        "Lines of JSON: a header with the keys, rows, checkpoints, an end (docs/audit.md).\n\n"
        "Examples:\n"
        "  rekeyctl audit export > audit.jsonl\n"
        "  rekeyctl audit export | jq -c 'select(.row) | .row'");
    command->callback([&chosen, options] {
        chosen = [options](Context& context) { return export_audit(context, *options); };
    });
}

void add_verify(CLI::App& audit, Verb& chosen) {
    auto options = std::make_shared<AuditVerifyOptions>();
    CLI::App* command =
        audit.add_subcommand("verify", "Find rows that were altered, removed, moved or cut off");
    command->add_option("FILE", options->file,
                        "An export, which is verified here, without a server; - reads it from "
                        "standard input. None: the server verifies its own trail");
    command
        ->add_option("--jwks", options->jwks_file,
                     "Keys to trust instead of those that the export brings")
        ->option_text("FILE");
    command
        ->add_option("--head", options->head,
                     "A row noted elsewhere: the export has to reach it with this hash; "
                     "without FILE: verify what comes behind it")
        ->option_text("SEQ:HASH");
    command->footer(
        "Exit codes: 0 verified, 1 something is wrong, 64 this is no export.\n\n"
        "Examples:\n"
        "  rekeyctl audit verify\n"
        "  rekeyctl audit verify audit.jsonl --jwks keys.json");
    command->callback([&chosen, options] {
        chosen = [options](Context& context) { return verify_audit(context, *options); };
    });
}

}  // namespace

void add_audit_commands(CLI::App& app, Verb& chosen) {
    CLI::App* audit =
        app.add_subcommand("audit", "Read the audit trail: the newest entries, in time order");
    add_reading(*audit, chosen);
    add_export(*audit, chosen);
    add_verify(*audit, chosen);
}

}  // namespace rekey::cli
