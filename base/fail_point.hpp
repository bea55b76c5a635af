#pragma once

#include <cstdint>
#include <string_view>

// Where a test may end or stop a daemon. A daemon tells when it comes to such a place, and what
// that does is decided by what the program is linked with: nothing in what is shipped
// (fail_point_off.cpp), death in what tests/kill builds from the same objects. The names of the
// points live there, so that no shipped program contains them. Any thread.
namespace rekey::fail_point {

// `send`: about to be sent. `receive`: arrived, nothing was done with it yet.
enum class Point : std::uint8_t {
    agent_send_enroll,
    agent_receive_enrolled,
    agent_send_recover,
    agent_receive_recovered,
    agent_send_connect,
    agent_receive_connected,
    agent_receive_welcome,
    agent_send_hello,
    agent_receive_hello_answer,
    agent_receive_rotate,
    agent_send_rotation_complete,
    agent_receive_commit,
    agent_send_activated,
    server_receive_enroll,
    server_send_enrolled,
    server_receive_recover,
    server_send_recovered,
    server_receive_connect,
    server_send_connected,
    server_send_welcome,
    server_receive_hello,
    server_send_hello_answer,
    server_send_rotate,
    server_receive_rotation_complete,
    server_send_commit,
    server_receive_activated,
    server_receive_admin_call,
    server_send_admin_answer,
    server_begin_transaction,
    server_before_commit,
    server_after_commit,
    message_sent,  // of either daemon: the last byte of a message was given to the kernel
};

// After the step, of a file that is replaced durably (durable_file.hpp).
enum class FileStep : std::uint8_t {
    create,
    write,
    fsync,
    rename,
    directory_fsync,
    fsync_again,            // what an earlier process left
    directory_fsync_again,  // the same
    remove
};

void reached(Point point) noexcept;
void reached(FileStep step, std::string_view path) noexcept;

}  // namespace rekey::fail_point
