#include "agent/daemon/control_peer.hpp"

#include "base/limits.hpp"
#include "base/secret.hpp"
#include "protocol/errors.hpp"
#include "protocol/json_text.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace rekey::agent {
namespace {

class Socket {
  public:
    Socket() : number_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
    ~Socket() {
        if (number_ >= 0) ::close(number_);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    [[nodiscard]] int get() const { return number_; }

  private:
    int number_;
};

Error no_daemon(const std::string& state_path, int system_error) {
    return Error(Code::agent_offline, "no daemon answers for " + state_path + " (" +
                                          std::strerror(system_error) +
                                          "); start it: rekey-agent run --state " + state_path);
}

Error cut_off(int system_error) {
    if (system_error == EAGAIN || system_error == EWOULDBLOCK)
        return Error(Code::agent_timeout, "the daemon did not answer in time");
    return Error(Code::agent_offline, "the daemon closed the connection");
}

void be_patient(int descriptor) {
    timeval patience{};
    patience.tv_sec = std::chrono::seconds(limits::kControlPatience).count();
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

Result<> send_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t sent = ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return cut_off(errno);
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

Result<std::string> receive_line(int descriptor) {
    std::string line;
    std::array<char, 4096> piece{};
    while (line.size() <= limits::kControlLineBytes) {
        const ssize_t got = ::recv(descriptor, piece.data(), piece.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return cut_off(got < 0 ? errno : 0);
        line.append(piece.data(), static_cast<std::size_t>(got));
        wipe_memory(piece.data(), static_cast<std::size_t>(got));
        if (line.ends_with('\n')) return line;
    }
    return Error(Code::internal, "the daemon's answer is too long");
}

Result<boost::json::value> read_answer(std::string_view line) {
    REKEY_TRY_ASSIGN(document, protocol::parse_json(line));
    if (auto* object = document.if_object()) {
        if (auto* result = object->if_contains("result")) return std::move(*result);
        constexpr unsigned kNoStatus = 500;
        if (const auto* error = object->if_contains("error"))
            return protocol::error_from_body(*error, kNoStatus);
    }
    return Error(Code::internal, "the daemon's answer is not understood");
}

}  // namespace

std::string control_path(const std::string& state_path) { return state_path + ".sock"; }

Result<std::string> control_address(const std::string& path) {
    if (path.size() < sizeof(sockaddr_un::sun_path)) return path;
    return Error(Code::unavailable, path + " is too long for a socket: at most " +
                                        std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                                        " bytes");
}

bool is_trusted_peer(int descriptor) {
    ucred peer{};
    socklen_t size = sizeof(peer);
    if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
    return peer.uid == ::geteuid() || peer.uid == 0;
}

Result<boost::json::value> ask_daemon(const std::string& state_path, std::string_view method,
                                      std::string_view params_json) {
    REKEY_TRY_ASSIGN(path, control_address(control_path(state_path)));
    const Socket socket;
    if (socket.get() < 0) return Error(Code::unavailable, std::strerror(errno));
    be_patient(socket.get());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket interface's own way
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
        return no_daemon(state_path, errno);
    if (!is_trusted_peer(socket.get()))
        return Error(Code::permission_denied, path + " belongs to another user's process");
    std::string request = R"({"method":)";
    protocol::append_json_string(request, method);
    request.append(R"(,"params":)").append(params_json).append("}\n");
    REKEY_TRY(send_all(socket.get(), request));
    REKEY_TRY_ASSIGN(line, receive_line(socket.get()));
    auto answer = read_answer(line);
    wipe_string(line);
    return answer;
}

}  // namespace rekey::agent
