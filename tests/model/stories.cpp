#include "tests/model/mutants.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

namespace rekey::model {

namespace {

// The last line of a story is the verdict; what leads to it are the steps.
std::size_t steps_of(const Report& report) { return report.story.size() - 1; }

std::string ending_of(const Report& report) {
    const std::string& last = report.story.back();
    return last.substr(0, last.find(':'));
}

constexpr std::string_view kBegin =
    "<!-- stories: written by `rekey-model-search --write-docs docs/rotation.md` -->\n";
constexpr std::string_view kEnd = "<!-- end of the stories -->\n";

std::string read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Offset and length of what stands between the markers.
std::optional<std::pair<std::size_t, std::size_t>> place_in(const std::string& text) {
    const std::size_t begin = text.find(kBegin);
    const std::size_t end = text.find(kEnd);
    if (begin == std::string::npos || end == std::string::npos || end < begin) return std::nullopt;
    const std::size_t from = begin + kBegin.size();
    return std::pair{from, end - from};
}

}  // namespace

std::string table_of_stories() {
    std::string table =
        "| | instead of the rule | ends in | steps | what covers for it alone |\n"
        "|---|---|---|---|---|\n";
    std::string stories;
    std::size_t number = 0;
    for (const Mutant& mutant : mutants()) {
        const Report report = mutant.search();
        if (report.story.empty())
            return fmt::format("the search finds nothing wrong with: {}\n", mutant.what);
        ++number;
        table += fmt::format("| {} | {} | {} | {} | {} |\n", number, mutant.what, ending_of(report),
                             steps_of(report),
                             mutant.covered_by.empty() ? "nothing" : mutant.covered_by);
        stories += fmt::format(
            "\n**{}. {}**{} ({})\n\n", number, mutant.what,
            mutant.covered_by.empty() ? "" : fmt::format("; and without: {}", mutant.covered_by),
            mutant.bounds);
        for (std::size_t i = 0; i < steps_of(report); ++i)
            stories += fmt::format("{}. {}\n", i + 1, report.story[i]);
        stories += fmt::format("\n{}\n", report.story.back());
    }
    return table + "\n<details><summary>The stories, step by step</summary>\n" + stories +
           "\n</details>\n";
}

std::string stories_in(const std::string& path) {
    const std::string text = read(path);
    const auto place = place_in(text);
    return place ? text.substr(place->first, place->second) : "";
}

bool write_stories_into(const std::string& path) {
    std::string text = read(path);
    const auto place = place_in(text);
    if (!place) return false;
    text.replace(place->first, place->second, "\n" + table_of_stories() + "\n");
    std::ofstream file(path);
    file << text;
    return file.good();
}

}  // namespace rekey::model
