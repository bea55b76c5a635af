#pragma once

#include "agent/detect/find_servers.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace rekey::agent::detect::test {

// What must never come out of a configuration.
inline constexpr const char* kSecret = "hunter2-secret";

using Lines = std::vector<std::string>;

inline bool has(const std::string& text, std::string_view part) {
    return text.find(part) != text.npos;
}

// A home, a project and nothing else: the places of nobody's machine.
struct Machine {
    testing::TemporaryDirectory folder;
    const std::string root = folder.file("");
    const Places places{root + "home", root + "xdg", root + "project", root + "home",
                        root + "home/.codex"};

    void write(const std::string& path, std::string_view text) const {
        const std::filesystem::path file = root + path;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << text;
    }
    [[nodiscard]] Findings find() const { return find_servers(places); }
    // "client/name/transport/command" of each, "!" before one that is disabled.
    [[nodiscard]] Lines found() const {
        Lines lines;
        for (const auto& one : find().servers)
            lines.push_back((one.disabled ? "!" : "") + one.client + "/" + one.name + "/" +
                            one.transport + "/" + one.command);
        return lines;
    }
    // Why the only thing that was passed over was.
    [[nodiscard]] std::string passed_over() const {
        const Findings findings = find();
        BOOST_REQUIRE(findings.passed_over.size() == 1U);
        BOOST_TEST(findings.passed_over[0].file.starts_with(root));
        return findings.passed_over[0].why;
    }
};

}  // namespace rekey::agent::detect::test
