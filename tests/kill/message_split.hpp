#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rekey::testing {

// What one direction of a connection carries, cut into pieces that can be lost or repeated whole.
struct Piece {
    enum class Kind : std::uint8_t {
        head,     // an HTTP head, up to its empty line
        bytes,    // of a body: no WebSocket
        message,  // a data message with all of its fragments, as the bytes that they came in
        control,  // a ping, pong or close frame
    };
    Kind kind = Kind::bytes;
    std::string bytes;
};

// Finds the pieces by the heads of the frames alone (RFC 6455, section 5.2): a masked frame is
// passed on, or repeated, byte by byte. A head that begins with "GET" or "HTTP/1.1 101" and speaks
// of an upgrade is followed by frames.
class MessageSplit {
  public:
    void feed(std::string_view bytes);
    // The whole pieces since the last call.
    [[nodiscard]] std::vector<Piece> take();

  private:
    [[nodiscard]] bool take_head();
    [[nodiscard]] bool take_frame();

    enum class Mode : std::uint8_t { head, bytes, frames };
    Mode mode_ = Mode::head;
    std::string buffer_;
    std::string message_;  // fragments until the last one
    std::vector<Piece> whole_;
};

}  // namespace rekey::testing
