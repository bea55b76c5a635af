#include "tests/kill/supervised.hpp"

#include <fstream>
#include <signal.h>

namespace rekey::testing {
namespace {

constexpr int kKilled = 128 + SIGKILL;

// proc(5): the state follows the command's name, which stands in parentheses.
bool stands_still(int process_id) {
    std::ifstream file("/proc/" + std::to_string(process_id) + "/stat");
    std::string line;
    std::getline(file, line);
    const std::size_t end = line.rfind(") ");
    return end != std::string::npos && line.compare(end + 2, 1, "T") == 0;
}

}  // namespace

Supervised::Supervised(std::vector<std::string> command,
                       std::map<std::string, std::string> environment, std::string standard_input,
                       const Orders& orders, const std::string& count_into)
    : stop_expected_(orders.armed() && orders.next().blow == Blow::stop) {
    if (orders.armed())
        environment["REKEY_FAIL_POINT"] = orders.next().point + ":" +
                                          std::to_string(orders.next().hit) +
                                          (stop_expected_ ? ":stop" : "");
    if (!count_into.empty()) environment["REKEY_FAIL_POINT_LOG"] = count_into;
    Process::Options options;
    options.command = std::move(command);
    options.environment = std::move(environment);
    options.standard_input = std::move(standard_input);
    process_ = std::make_unique<Process>(std::move(options));
}

Fate Supervised::look() {
    if (!process_->running()) return process_->wait() == kKilled ? Fate::killed : Fate::ended;
    if (stopped_at_) return Fate::stopped;
    if (!stop_expected_ || !stands_still(process_->id())) return Fate::runs;
    stopped_at_ = std::chrono::steady_clock::now();
    return Fate::stopped;
}

bool Supervised::resume_after(std::chrono::milliseconds stand) {
    if (std::chrono::steady_clock::now() - *stopped_at_ < stand) return false;
    stopped_at_.reset();
    stop_expected_ = false;
    process_->signal(SIGCONT);
    return true;
}

}  // namespace rekey::testing
