#include "tests/support/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <signal.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace rekey::testing {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
    int read_end = -1;
    int write_end = -1;
    Pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
        read_end = ends[0];
        write_end = ends[1];
    }
};

// Only what a daemon needs: a test must not depend on who runs it.
std::vector<std::string> environment_of(const std::map<std::string, std::string>& added) {
    std::vector<std::string> all;
    for (const char* name :
         {"PATH", "HOME", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"})
        if (const char* value = std::getenv(name); value != nullptr && !added.contains(name))
            all.push_back(std::string(name) + "=" + value);
    for (const auto& [name, value] : added)
        all.push_back(std::string(name).append("=").append(value));
    return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    result.reserve(texts.size() + 1);
    for (std::string& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

int decode_status(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Process::Process(Options options) : options_(std::move(options)) {
    const Pipe out;
    const Pipe in;
    std::vector<std::string> environment = environment_of(options_.environment);
    std::vector<char*> arguments = pointers(options_.command);
    std::vector<char*> variables = pointers(environment);
    process_id_ = ::fork();
    if (process_id_ < 0) throw std::runtime_error("fork");
    if (process_id_ == 0) {
        ::dup2(in.read_end, 0);
        ::dup2(out.write_end, 1);
        ::dup2(out.write_end, 2);
        ::execvpe(arguments[0], arguments.data(), variables.data());
        ::_exit(127);
    }
    ::close(out.write_end);
    ::close(in.read_end);
    const ssize_t ignored =
        ::write(in.write_end, options_.standard_input.data(), options_.standard_input.size());
    static_cast<void>(ignored);
    ::close(in.write_end);
    reader_ = std::thread([this, descriptor = out.read_end] { read_output(descriptor); });
}

Process::~Process() {
    if (running()) kill_hard();
    reader_.join();
}

void Process::read_output(int descriptor) {
    std::string pending;
    std::array<char, 16384> buffer{};
    for (;;) {
        const ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        pending.append(buffer.data(), static_cast<std::size_t>(got));
        for (std::size_t end = pending.find('\n'); end != std::string::npos;
             end = pending.find('\n')) {
            std::string line = pending.substr(0, end);
            pending.erase(0, end + 1);
            if (options_.on_line) options_.on_line(line, process_id_);
            const std::lock_guard lock(mutex_);
            lines_.push_back(std::move(line));
            changed_.notify_all();
        }
    }
    ::close(descriptor);
    const std::lock_guard lock(mutex_);
    if (!pending.empty()) lines_.push_back(std::move(pending));
    output_ended_ = true;
    changed_.notify_all();
}

void Process::signal(int number) const { ::kill(process_id_, number); }

void Process::kill_hard() {
    signal(SIGKILL);
    reap(true);
}

bool Process::reap(bool block) {
    if (exit_code_) return true;
    int status = 0;
    if (::waitpid(process_id_, &status, block ? 0 : WNOHANG) != process_id_) return false;
    exit_code_ = decode_status(status);
    return true;
}

bool Process::running() { return !reap(false); }

int Process::wait(std::chrono::milliseconds patience) {
    const auto deadline = Clock::now() + patience;
    std::unique_lock lock(mutex_);
    // The end of its output is the wake-up; a grandchild may hold the pipe longer, so look again
    // now and then.
    while (!reap(false)) {
        if (Clock::now() > deadline) {
            lock.unlock();
            throw std::runtime_error(options_.command[0] + " did not end; its output:\n" +
                                     output());
        }
        if (output_ended_) {
            reap(true);
            break;
        }
        changed_.wait_for(lock, std::chrono::milliseconds(50));
    }
    return *exit_code_;
}

std::string Process::wait_for(const std::vector<std::string>& parts, std::size_t from,
                              std::chrono::milliseconds patience) {
    const auto deadline = Clock::now() + patience;
    const auto matches = [&](const std::string& line) {
        return std::all_of(parts.begin(), parts.end(), [&](const std::string& part) {
            return line.find(part) != std::string::npos;
        });
    };
    std::unique_lock lock(mutex_);
    for (std::size_t next = from;;) {
        for (; next < lines_.size(); ++next)
            if (matches(lines_[next])) return lines_[next];
        if (output_ended_ || changed_.wait_until(lock, deadline) == std::cv_status::timeout) {
            std::string message = options_.command[0] + " never said:";
            for (const std::string& part : parts) message += " '" + part + "'";
            message += "; its output:\n";
            for (const std::string& line : lines_) message += "  " + line + "\n";
            throw std::runtime_error(message);
        }
    }
}

void Process::wait_for_end_of_output() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return output_ended_; });
}

std::size_t Process::line_count() {
    const std::lock_guard lock(mutex_);
    return lines_.size();
}

std::string Process::output() {
    const std::lock_guard lock(mutex_);
    std::string all;
    for (const std::string& line : lines_) all += line + "\n";
    return all;
}

std::size_t Process::count(const std::string& part) {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(
        lines_.begin(), lines_.end(),
        [&](const std::string& line) { return line.find(part) != std::string::npos; }));
}

std::string log_field(const std::string& line, const std::string& name) {
    const std::string key = " " + name + "=";
    const std::size_t at = (" " + line).find(key);
    if (at == std::string::npos) return {};
    const std::size_t begin = at + key.size() - 1;
    if (begin < line.size() && line[begin] == '"')
        return line.substr(begin + 1, line.find('"', begin + 1) - begin - 1);
    return line.substr(begin, line.find(' ', begin) - begin);
}

}  // namespace rekey::testing
