#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <string>

namespace rekey::net {

// A concrete executor: no type erasure, no strand; a socket lives on one thread.
using Executor = boost::asio::io_context::executor_type;
using TcpSocket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using IoTimer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

// "127.0.0.1", "::1"; an IPv4 address that came through an IPv6 socket is written as IPv4.
[[nodiscard]] std::string address_text(const boost::asio::ip::address& address);
// "127.0.0.1:7443", "[::1]:7443"
[[nodiscard]] std::string endpoint_text(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace rekey::net
