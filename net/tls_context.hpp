#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// OpenSSL's own names, so that only net/ includes its headers.
struct ssl_st;
struct ssl_ctx_st;

namespace rekey::net {

struct TlsFree {
    void operator()(ssl_st* session) const noexcept;
};
using TlsSession = std::unique_ptr<ssl_st, TlsFree>;

// The server's side of TLS: TLS 1.2 or later, 1.3 preferred, X25519 first, early data off, one
// session ticket a handshake under keys that live in memory only and change daily. One object for
// the whole process, shared by all shards. Safe from any thread.
class ServerTls {
  public:
    ~ServerTls();
    ServerTls(const ServerTls&) = delete;
    ServerTls& operator=(const ServerTls&) = delete;

    // `chain_pem`: the leaf, then what is above it; with our own CA this includes the CA itself.
    // `invalid_params` for PEM that cannot be read or a key that is another's. `clock` and `random`
    // must outlive the object.
    [[nodiscard]] static Result<std::shared_ptr<ServerTls>> make(std::string_view chain_pem,
                                                                 const Secret& key_pem,
                                                                 const Clock& clock,
                                                                 Random& random);

    // From now on new handshakes get this certificate; open connections and tickets stay as they
    // are. On an error nothing changes.
    [[nodiscard]] Result<> replace(std::string_view chain_pem, const Secret& key_pem);

    // The pin that clients use: that of the last certificate of the served chain.
    [[nodiscard]] std::string pin() const;

    // A session for one connection; used by net/ only.
    [[nodiscard]] TlsSession new_session() const;

  private:
    struct State;
    explicit ServerTls(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Whom a client believes.
struct Trust {
    enum class Root : std::uint8_t { pin, system, ca_pem };
    Root root = Root::system;
    std::string value;  // the pin, or the PEM of one or more CAs

    [[nodiscard]] static Trust pinned(std::string pin) { return {Root::pin, std::move(pin)}; }
    [[nodiscard]] static Trust system() { return {Root::system, {}}; }
    [[nodiscard]] static Trust ca(std::string pem) { return {Root::ca_pem, std::move(pem)}; }
};

// Below a pin the agent does not look at validity times, because its clock may be wrong
// (protocol.md); --strict-times does. The other roots always check them.
enum class CertificateTimes : std::uint8_t { checked_unless_pinned, always_checked };

// The client's side. Keeps the last session of each server, so that a reconnect resumes it. One
// object may be shared by many connections. Safe from any thread.
class ClientTls {
  public:
    ~ClientTls();
    ClientTls(const ClientTls&) = delete;
    ClientTls& operator=(const ClientTls&) = delete;

    // With a pin, a certificate of the served chain must have it and be a CA or the chain's last,
    // the leaf must chain to that one, and its names must hold the host. `invalid_params` for a
    // text that is no pin or no PEM.
    [[nodiscard]] static Result<std::shared_ptr<ClientTls>> make(
        Trust trust, CertificateTimes times = CertificateTimes::checked_unless_pinned);

    // A session for one connection to `host`; used by net/ only.
    [[nodiscard]] TlsSession new_session(std::string_view host, std::uint16_t port) const;
    // What made the check of the server's certificate fail: `permission_denied` with
    // details.reason = "pin", "name", "expired", "not_yet_valid" or "chain". Empty if it did not.
    [[nodiscard]] static std::optional<Error> failure(ssl_st* session, std::string_view host);

  private:
    struct State;
    explicit ClientTls(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Whether this connection resumed an earlier session.
[[nodiscard]] bool is_resumed(ssl_st* session);

}  // namespace rekey::net
