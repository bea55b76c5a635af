#include "agent/daemon/hook_runner.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <string_view>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace rekey::agent {
namespace {

constexpr std::size_t kWaiting = 16;
constexpr Milliseconds kLook{20};
constexpr Milliseconds kAfterTerm{2000};

std::vector<std::string> environment_for(const Rotated& rotated) {
    std::vector<std::string> variables;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view variable(*entry);
        if (variable.starts_with("REKEY_") || variable.starts_with("NOTIFY_SOCKET=")) continue;
        variables.emplace_back(variable);
    }
    variables.push_back("REKEY_AGENT_ID=" + rotated.agent_id);
    variables.push_back("REKEY_GENERATION=" + std::to_string(rotated.generation));
    variables.push_back("REKEY_ROTATION_ID=" + rotated.rotation_id);
    return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// errno's number if it could not be started.
int spawn(const std::string& command, const Rotated& rotated, pid_t& process) {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_init(&files);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    // Sockets and the state file's lock stay with the daemon.
    ::posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    std::vector<std::string> arguments{"/bin/sh", "-c", command};
    std::vector<std::string> variables = environment_for(rotated);
    const int failed = ::posix_spawn(&process, "/bin/sh", &files, &attributes,
                                     pointers_to(arguments).data(), pointers_to(variables).data());
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
    return failed;
}

}  // namespace

HookRunner::HookRunner(std::string command, const Log& log, Milliseconds timeout)
    : command_(std::move(command)), log_(log), timeout_(timeout) {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are the daemon's own thread's
    thread_ = std::thread([this] { work(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

HookRunner::~HookRunner() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
    }
    thread_.join();
}

void HookRunner::run(const Rotated& rotated) {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kWaiting) {
        log_.warning("hook.skipped", {{"generation", queue_.front().generation}});
        queue_.pop_front();
    }
    queue_.push_back(rotated);
    changed_.notify_all();
}

void HookRunner::work() {
    for (;;) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        const Rotated rotated = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        run_one(rotated);
    }
}

void HookRunner::run_one(const Rotated& rotated) {
    pid_t process = -1;
    if (const int failed = spawn(command_, rotated, process); failed != 0)
        return log_.error("hook.failed", {{"generation", rotated.generation},
                                          {"detail", std::generic_category().message(failed)}});
    const int status = wait_for(process);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return log_.info("hook.done", {{"generation", rotated.generation}});
    log_.warning("hook.failed", {{"generation", rotated.generation},
                                 {WIFEXITED(status) ? "exit_code" : "signal",
                                  WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status)}});
}

// Looks now and then: waiting for a child with a time limit without touching the process's signals
// needs a pidfd, which older kernels and some sandboxes do not have.
int HookRunner::wait_for(pid_t process) {
    const auto started = std::chrono::steady_clock::now();
    auto kill_at = started + timeout_;
    bool told = false;
    for (;;) {
        int status = 0;
        if (::waitpid(process, &status, WNOHANG) == process) return status;
        if (std::chrono::steady_clock::now() >= kill_at) {
            ::kill(-process, SIGKILL);
            while (::waitpid(process, &status, 0) < 0 && errno == EINTR) continue;
            return status;
        }
        if (pause(kLook) && !told) {
            told = true;
            ::kill(-process, SIGTERM);
            kill_at = std::min(kill_at, std::chrono::steady_clock::now() + kAfterTerm);
        }
    }
}

// Whether the daemon is stopping.
bool HookRunner::pause(Milliseconds time) {
    std::unique_lock lock(mutex_);
    if (stopping_) {
        lock.unlock();
        std::this_thread::sleep_for(time);
        return true;
    }
    return changed_.wait_for(lock, time, [this] { return stopping_; });
}

}  // namespace rekey::agent
