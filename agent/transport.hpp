#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "net/http_message.hpp"
#include "net/web_socket.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace rekey::agent {

// The one connection to the server, as the agent's logic sees it: agent/connection.hpp gives the
// real one, a simulation a virtual one. One thread. No callback comes from inside a call.
class Transport {
  public:
    class Observer {
      public:
        virtual ~Observer() = default;
        // open() ended in one of these three.
        virtual void on_open() = 0;
        virtual void on_refused(const net::HttpResponse& answer) = 0;
        virtual void on_unreachable(const Error& error) = 0;
        // After on_open().
        virtual void on_text(std::string_view message) = 0;
        virtual void on_frame() = 0;  // any sign of life; comes before on_text
        virtual void on_closed(const net::CloseReason& reason) = 0;  // once; nothing after it
    };

    virtual ~Transport() = default;
    // One attempt at a time, and only when nothing is open (A4). `credential` is asked after the
    // TLS handshake, just before the token is needed; it returns the token's text.
    virtual void open(Observer& observer, std::function<Secret()> credential) = 0;
    virtual void send(std::string message) = 0;
    // Sends what is queued, then the close frame; on_closed follows.
    virtual void close(std::uint16_t code, std::string_view reason) = 0;
    // One POST with a JSON body, while nothing is open; `answered` comes once. Every HTTP status is
    // a response; errors are those of net/http_client.hpp.
    virtual void post(std::string target, Secret body,
                      std::function<void(Result<net::HttpResponse>)> answered) = 0;
    // Cuts an attempt, a connection or a POST; no callback follows.
    virtual void abort() = 0;
};

}  // namespace rekey::agent
