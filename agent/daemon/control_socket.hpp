#pragma once

#include "base/log.hpp"
#include "base/result.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace rekey::agent {

// Where other programs of the same user ask the running daemon: a Unix stream socket beside the
// state file, FILE.sock. Only the daemon's own user and root are heard: the socket has mode 0600,
// and the kernel is asked who the peer is (SO_PEERCRED).
//
// One request a line, one answer a line, in their order, UTF-8 JSON:
//     {"method": "agent.register_mcp_server", "params": {…}}
//     {"result": {…}}   or   {"error": {"name", "message", "retry", …}}
// `error` is the body that all doors give (protocol/errors.hpp). A line over
// limits::kControlLineBytes, or silence of limits::kControlIdle between requests, ends the
// connection; so does a line that is no JSON object, after its answer.
//
// To serve another method, bind it in run_command.cpp before open(). One thread: the io_context's.
class ControlSocket {
  public:
    // JSON of the result, which may hold a secret: it is wiped once it was sent. Comes once.
    using Answer = std::function<void(Result<std::string>)>;
    // `params` lives until the handler returns; null if there were none.
    using Handler = std::function<void(const boost::json::value* params, Answer answer)>;

    // `log` and `context` outlive it.
    ControlSocket(boost::asio::io_context& context, std::string path, const Log& log);
    ~ControlSocket();  // closes
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

    void on(std::string method, Handler handler);
    // Replaces a socket that a killed daemon left: call it only while the state file's lock is
    // held. Errors: `unavailable` (the path is too long for a socket, or the system refuses).
    [[nodiscard]] Result<> open();
    // Ends all connections and removes the socket.
    void close();

  private:
    class Connection;
    void accept();
    void accept_later();
    void forget(Connection* connection);

    std::string path_;
    const Log& log_;
    std::map<std::string, Handler, std::less<>> handlers_;
    boost::asio::local::stream_protocol::acceptor acceptor_;
    boost::asio::steady_timer pause_;  // after the system refused one
    std::map<Connection*, std::shared_ptr<Connection>> connections_;
    // What is queued on the context asks it whether there is still somebody.
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace rekey::agent
