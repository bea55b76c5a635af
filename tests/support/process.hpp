#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace rekey::testing {

// How long a test waits for anything before it fails; generous, because the machine may be busy,
// and never slept through.
inline constexpr std::chrono::seconds kPatience{60};

// A real program as a child process. Its output (stdout and stderr, line by line) is kept and can
// be waited for; it dies with its owner.
class Process {
  public:
    struct Options {
        std::vector<std::string> command;                // program, arguments
        std::map<std::string, std::string> environment;  // added to a small clean one
        std::string standard_input;
        // Called on the reading thread for each line, before it can be waited for: a killer acts
        // here.
        std::function<void(const std::string& line, int process_id)> on_line;
    };

    explicit Process(Options options);
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();  // kills -9 if it still runs

    [[nodiscard]] int id() const { return process_id_; }
    void signal(int number) const;
    void kill_hard();  // SIGKILL, and waits for the end

    // The exit code, or 128 + the signal; throws std::runtime_error after `patience`.
    int wait(std::chrono::milliseconds patience = kPatience);
    [[nodiscard]] bool running();

    // The first line from number `from` on that contains all of `parts`; throws, with the output so
    // far, when the program ends or `patience` is over before there is one.
    std::string wait_for(const std::vector<std::string>& parts, std::size_t from = 0,
                         std::chrono::milliseconds patience = kPatience);
    void wait_for_end_of_output();
    [[nodiscard]] std::size_t line_count();
    [[nodiscard]] std::string output();
    [[nodiscard]] std::size_t count(const std::string& part);

  private:
    void read_output(int descriptor);
    bool reap(bool block);

    Options options_;
    int process_id_ = -1;
    std::optional<int> exit_code_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> lines_;
    bool output_ended_ = false;
    std::thread reader_;
};

// The value of `name` in a logfmt line, or empty.
[[nodiscard]] std::string log_field(const std::string& line, const std::string& name);

}  // namespace rekey::testing
