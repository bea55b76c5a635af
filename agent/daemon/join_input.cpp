#include "agent/daemon/join_input.hpp"

#include "base/durable_file.hpp"
#include "base/limits.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <system_error>
#include <termios.h>
#include <unistd.h>

namespace rekey::agent {
namespace {

constexpr std::size_t kMaxBytes = 4 * limits::kCredentialBytes;

Error too_long() { return Error(Code::invalid_params, "that is too long for a join string"); }

Result<Secret> first_line(std::string text) {
    if (const auto end = text.find_first_of("\r\n"); end != std::string::npos)
        wipe_memory(text.data() + end, text.size() - end), text.resize(end);
    Secret line(text);
    wipe_string(text);
    if (line.empty())
        return Error(Code::invalid_params,
                     "no join string was given; get one with: rekeyctl enroll-code NAME");
    return line;
}

// One line or all there is; a signal ends it.
Result<Secret> read_input() {
    std::string text;
    text.reserve(kMaxBytes + 1);
    while (text.find('\n') == std::string::npos) {
        if (text.size() >= kMaxBytes) return too_long();
        char buffer[256];
        const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) return Error(Code::invalid_params, "cancelled");
        if (got < 0)
            return Error(Code::unavailable,
                         "cannot read standard input: " + std::generic_category().message(errno));
        if (got == 0) break;
        text.append(buffer, static_cast<std::size_t>(got));
        wipe_memory(buffer, sizeof buffer);
    }
    return first_line(std::move(text));
}

// No echo while it lives. Ctrl-C interrupts the read instead of killing the process, so that the
// terminal gets its echo back.
class QuietTerminal {
  public:
    QuietTerminal() {
        ::tcgetattr(STDIN_FILENO, &before_);
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
        struct sigaction interrupt{};
        interrupt.sa_handler = [](int) {};
        ::sigaction(SIGINT, &interrupt, &interrupt_before_);
        ::sigaction(SIGTERM, &interrupt, &terminate_before_);
    }
    QuietTerminal(const QuietTerminal&) = delete;
    QuietTerminal& operator=(const QuietTerminal&) = delete;
    ~QuietTerminal() {
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
        ::sigaction(SIGINT, &interrupt_before_, nullptr);
        ::sigaction(SIGTERM, &terminate_before_, nullptr);
        std::cerr << '\n';
    }

  private:
    termios before_{};
    struct sigaction interrupt_before_{};
    struct sigaction terminate_before_{};
};

}  // namespace

Result<Secret> read_join_string(const std::string& join_file) {
    if (!join_file.empty()) {
        REKEY_TRY_ASSIGN(text, read_file(join_file, kMaxBytes));
        return first_line(std::move(text));
    }
    if (char* value = std::getenv("REKEY_JOIN"); value != nullptr && *value != '\0') {
        std::string text(value);
        // Out of /proc/PID/environ as well.
        wipe_memory(value, std::strlen(value));
        ::unsetenv("REKEY_JOIN");
        return first_line(std::move(text));
    }
    if (::isatty(STDIN_FILENO) == 0) return read_input();
    std::cerr << "Join string (it will not be shown): " << std::flush;
    const QuietTerminal quiet;
    return read_input();
}

}  // namespace rekey::agent
