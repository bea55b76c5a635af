#include "tests/model/mutants.hpp"
#include "tests/model/searches.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>

// rekey-model-search: the proof, in one command.
int main(int argc, char** argv) {
    using namespace rekey::model;
    CLI::App app{
        "Searches every interleaving of a rotation over the transitions that the daemons "
        "run, and tells of each wrong rule the shortest story that leads to harm."};
    unsigned depth = 0;
    bool stories = false;
    bool only_searches = false;
    std::string docs;
    std::string only;
    std::string watched;
    app.add_option("--depth", depth, "how far beyond ctest's bounds (0 to 3)")
        ->check(CLI::Range(0, 3));
    app.add_flag("--stories", stories, "tell the stories of the mutants only");
    app.add_flag("--searches", only_searches, "search production only");
    app.add_option("--only", only, "only the searches whose line holds this text");
    app.add_option("--watch", watched, "with --only: look for invariants that begin so, e.g. L:");
    app.add_option("--write-docs", docs, "write the stories into this docs/rotation.md");
    CLI11_PARSE(app, argc, argv);

    const auto print = [](const std::string& line) {
        std::puts(line.c_str());
        std::fflush(stdout);
    };
    if (!only.empty()) return run_some(depth, only, watched, print) ? 0 : 1;
    if (!docs.empty()) return write_stories_into(docs) ? 0 : 1;
    if (!only_searches) {
        const std::string told = table_of_stories();
        std::fwrite(told.data(), 1, told.size(), stdout);
    }
    if (stories) return 0;
    const bool good = run_all(depth, print);
    std::puts(good ? "Nothing is broken, and no pair of events is missing but those left out."
                   : "BROKEN");
    return good ? 0 : 1;
}
