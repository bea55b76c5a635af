#include "base/fail_point.hpp"
#include "tests/kill/fail_points.hpp"

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

// A durable file is known by how its path ends; one that is not in this table ends the program, so
// that none is forgotten.
struct DurableFile {
    Side side;
    std::string_view ending;
    std::string_view points[8];  // in the order of FileStep; empty: a step that it never takes
};

#define REKEY_REPLACED(file) \
    file ".create", file ".write", file ".fsync", file ".rename", file ".directory_fsync"

constexpr DurableFile kFiles[] = {
    {Side::agent,
     "/state.json",
     {REKEY_REPLACED("agent.state"), "agent.state.fsync_again", "agent.state.directory_fsync_again",
      ""}},
    {Side::agent, "/state.json.key", {REKEY_REPLACED("agent.identity"), "", "", ""}},
    {Side::agent,
     "/state.json.enrolling",
     {REKEY_REPLACED("agent.record"), "", "", "agent.record.remove"}},
    {Side::server, "/master.key", {REKEY_REPLACED("server.master_key"), "", "", ""}},
    {Side::server, "/ca.pem", {REKEY_REPLACED("server.ca"), "", "", ""}},
    {Side::server, "/admin.key", {REKEY_REPLACED("server.admin_key"), "", "", ""}},
    {Side::server, "/listen", {REKEY_REPLACED("server.listen"), "", "", ""}},
};
#undef REKEY_REPLACED

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

std::vector<std::string_view> names_of(Side side) {
    std::vector<std::string_view> names;
    const std::string_view prefix = side == Side::agent ? "agent." : "server.";
    for (int i = 0; i <= static_cast<int>(kLastPoint); ++i)
        if (const auto name = name_of(static_cast<Point>(i), side); name.starts_with(prefix))
            names.push_back(name);
    for (const DurableFile& file : kFiles)
        for (const std::string_view name : file.points)
            if (file.side == side && !name.empty()) names.push_back(name);
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
        if (!path.ends_with(file.ending)) continue;
        const std::string_view name = file.points[static_cast<std::size_t>(step)];
        if (!name.empty()) return reached_named(name);
    }
    std::fprintf(stderr, "fail point: step %d of %.*s has no name in tests/kill\n",
                 static_cast<int>(step), static_cast<int>(path.size()), path.data());
    std::abort();
}

}  // namespace rekey::fail_point
