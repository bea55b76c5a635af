#pragma once

#include "tests/support/temporary_directory.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>

namespace rekey::testing {

// Debian's libfaketime, to be preloaded.
[[nodiscard]] inline std::string faketime_library() {
    for (const char* library : {"/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
                                "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"})
        if (std::filesystem::exists(library)) return library;
    throw std::runtime_error("Debian's faketime is not installed");
}

// A wall clock that a test moves while the process runs; the monotonic one stays true.
class MovableClock {
  public:
    MovableClock() { move("+0"); }
    void move(const std::string& shift) const {
        std::ofstream(home_.file("next")) << shift << "\n";
        std::filesystem::rename(home_.file("next"), home_.file("now"));
    }
    [[nodiscard]] std::map<std::string, std::string> environment() const {
        return {{"LD_PRELOAD", faketime_library()},
                {"FAKETIME_TIMESTAMP_FILE", home_.file("now")},
                {"FAKETIME_NO_CACHE", "1"},
                {"FAKETIME_DONT_FAKE_MONOTONIC", "1"}};
    }

  private:
    TemporaryDirectory home_;
};

}  // namespace rekey::testing
