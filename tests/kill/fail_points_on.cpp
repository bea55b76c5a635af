#include "base/fail_point.hpp"
#include "tests/kill/fail_points.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <iterator>
#include <signal.h>
#include <string>
#include <unistd.h>

namespace rekey::fail_point {
namespace {

constexpr auto kLastPoint = Point::message_sent;

// The one table of names; the compiler finds a point that has none.
constexpr std::string_view name_of(Point point, Side side) {
    switch (point) {
        case Point::agent_send_enroll:
            return "agent.send.enroll";
        case Point::agent_receive_enrolled:
            return "agent.receive.enrolled";
        case Point::agent_send_recover:
            return "agent.send.recover";
        case Point::agent_receive_recovered:
            return "agent.receive.recovered";
        case Point::agent_send_connect:
            return "agent.send.connect";
        case Point::agent_receive_connected:
            return "agent.receive.connected";
        case Point::agent_receive_welcome:
            return "agent.receive.welcome";
        case Point::agent_send_hello:
            return "agent.send.hello";
        case Point::agent_receive_hello_answer:
            return "agent.receive.hello_answer";
        case Point::agent_receive_rotate:
            return "agent.receive.rotate";
        case Point::agent_send_rotation_complete:
            return "agent.send.rotation_complete";
        case Point::agent_receive_commit:
            return "agent.receive.commit";
        case Point::agent_send_activated:
            return "agent.send.activated";
        case Point::server_receive_enroll:
            return "server.receive.enroll";
        case Point::server_send_enrolled:
            return "server.send.enrolled";
        case Point::server_receive_recover:
            return "server.receive.recover";
        case Point::server_send_recovered:
            return "server.send.recovered";
        case Point::server_receive_connect:
            return "server.receive.connect";
        case Point::server_send_connected:
            return "server.send.connected";
        case Point::server_send_welcome:
            return "server.send.welcome";
        case Point::server_receive_hello:
            return "server.receive.hello";
        case Point::server_send_hello_answer:
            return "server.send.hello_answer";
        case Point::server_send_rotate:
            return "server.send.rotate";
        case Point::server_receive_rotation_complete:
            return "server.receive.rotation_complete";
        case Point::server_send_commit:
            return "server.send.commit";
        case Point::server_receive_activated:
            return "server.receive.activated";
        case Point::server_receive_admin_call:
            return "server.receive.admin_call";
        case Point::server_send_admin_answer:
            return "server.send.admin_answer";
        case Point::server_begin_transaction:
            return "server.store.begin";
        case Point::server_before_commit:
            return "server.store.before_commit";
        case Point::server_after_commit:
            return "server.store.after_commit";
        case Point::message_sent:
            return side == Side::agent ? "agent.message.sent" : "server.message.sent";
    }
    std::abort();
}

constexpr std::array<std::string_view, 8> kSteps = {
    "create", "write", "fsync", "rename", "directory_fsync", "fsync_again", "directory_fsync_again",
    "remove"};

// A durable file is known by how its path ends; one that is not in this table ends the program, so
// that none is forgotten. Each is replaced; what else happens to it is listed.
struct DurableFile {
    std::string_view ending;
    std::string_view name;
    Side side = Side::server;
    bool synced_again = false;
    bool removed = false;
    bool in_a_play = true;  // of the kill matrix; the others have a test of their own

    [[nodiscard]] bool takes(FileStep step) const {
        if (step == FileStep::remove) return removed;
        const bool again = step == FileStep::fsync_again || step == FileStep::directory_fsync_again;
        return !again || synced_again;
    }
    [[nodiscard]] std::string point(FileStep step) const {
        return std::string(name) + "." + std::string(kSteps.at(static_cast<std::size_t>(step)));
    }
};

constexpr DurableFile kFiles[] = {
    {.ending = "/state.json", .name = "agent.state", .side = Side::agent, .synced_again = true},
    {.ending = "/state.json.key", .name = "agent.identity", .side = Side::agent},
    {.ending = "/state.json.enrolling",
     .name = "agent.record",
     .side = Side::agent,
     .removed = true},
    {.ending = "/master.key", .name = "server.master_key"},
    {.ending = "/master.key.next", .name = "server.next_master_key", .in_a_play = false},
    {.ending = "/master.key.old", .name = "server.old_master_key", .in_a_play = false},
    {.ending = "/ca.pem", .name = "server.ca"},
    {.ending = "/admin.key", .name = "server.admin_key"},
    {.ending = "/listen", .name = "server.listen"},
    {.ending = "/revocations", .name = "server.revocations"},
};

// What the environment asks for; both daemons are told by their names.
struct Orders {
    Side side = std::string_view(program_invocation_short_name).starts_with("rekeyd") ? Side::server
                                                                                      : Side::agent;
    std::string name;
    int signal = SIGKILL;
    std::atomic<long> left{1};
    int log = -1;

    Orders() {
        if (const char* path = std::getenv("REKEY_FAIL_POINT_LOG"))
            log = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        const char* text = std::getenv("REKEY_FAIL_POINT");
        if (text == nullptr) return;
        name = text;
        const std::size_t colon = name.find(':');
        if (colon == std::string::npos) return;
        const std::string rest = name.substr(colon + 1);
        name.resize(colon);
        left = std::atol(rest.c_str());
        if (rest.ends_with(":stop")) signal = SIGSTOP;
    }
};

Orders& orders() {
    static Orders the_orders;
    return the_orders;
}

}  // namespace

std::vector<std::string> names_of(Side side) {
    std::vector<std::string> names;
    const std::string_view prefix = side == Side::agent ? "agent." : "server.";
    for (int i = 0; i <= static_cast<int>(kLastPoint); ++i)
        if (const auto name = name_of(static_cast<Point>(i), side); name.starts_with(prefix))
            names.emplace_back(name);
    for (const DurableFile& file : kFiles)
        for (std::size_t i = 0; i < kSteps.size(); ++i)
            if (const auto step = static_cast<FileStep>(i);
                file.side == side && file.in_a_play && file.takes(step))
                names.push_back(file.point(step));
    if (side == Side::server)
        names.insert(names.end(), std::begin(kDatabasePoints), std::end(kDatabasePoints));
    return names;
}

void reached_named(std::string_view name) noexcept {
    Orders& ordered = orders();
    if (ordered.log >= 0) {
        const std::string line = std::string(name) + "\n";
        if (::write(ordered.log, line.data(), line.size()) < 0) std::abort();
    }
    // raise() would signal one thread; this is the end, or the halt, of all of them at once.
    if (ordered.name == name && --ordered.left == 0) ::kill(::getpid(), ordered.signal);
}

void reached(Point point) noexcept { reached_named(name_of(point, orders().side)); }

void reached(FileStep step, std::string_view path) noexcept {
    const Orders& ordered = orders();
    if (ordered.name.empty() && ordered.log < 0) return;
    for (const DurableFile& file : kFiles) {
        if (path.ends_with(file.ending) && file.takes(step)) return reached_named(file.point(step));
    }
    std::fprintf(stderr, "fail point: step %d of %.*s has no name in tests/kill\n",
                 static_cast<int>(step), static_cast<int>(path.size()), path.data());
    std::abort();
}

}  // namespace rekey::fail_point
