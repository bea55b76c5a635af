#include "base/contract.hpp"
#include "net/certificates.hpp"
#include "net/openssl.hpp"
#include "net/tls_context.hpp"

#include <openssl/err.h>

#include <arpa/inet.h>
#include <array>
#include <map>
#include <mutex>

namespace rekey::net {
namespace {

// Sessions kept for resumption, one a server.
constexpr std::size_t kKeptSessions = 64;

using StackPtr =
    std::unique_ptr<STACK_OF(X509),
                    OpensslFree<[](STACK_OF(X509) * stack) noexcept { sk_X509_free(stack); }>>;

void free_text(void*, void* text, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<std::string*>(text);
}

// Which server a session belongs to ("host:port"), kept beside it for the new-session callback.
int server_slot() {
    static const int slot =
        CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, nullptr, nullptr, nullptr, &free_text);
    return slot;
}

int state_slot() {
    static const int slot =
        CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, nullptr, nullptr, nullptr, nullptr);
    return slot;
}

bool is_address(const std::string& host) {
    std::array<unsigned char, 16> raw{};
    return inet_pton(AF_INET, host.c_str(), raw.data()) == 1 ||
           inet_pton(AF_INET6, host.c_str(), raw.data()) == 1;
}

// The certificate of the served chain that has the pin, if it may be an anchor: a CA, or what the
// chain ends with. Any certificate can be appended to a chain by anybody, so having the pin in it
// proves nothing yet: the leaf must chain to it.
X509* pinned_anchor(STACK_OF(X509) * served, std::string_view pin) {
    const int count = sk_X509_num(served);
    for (int i = 0; i < count; ++i) {
        X509* certificate = sk_X509_value(served, i);
        if (pin_of(certificate) != pin) continue;
        if (i == count - 1 || X509_check_ca(certificate) > 0) return certificate;
    }
    return nullptr;
}

}  // namespace

struct ClientTls::State {
    Trust trust;
    CertificateTimes times = CertificateTimes::checked_unless_pinned;
    SslContextPtr context;
    std::mutex mutex;
    std::map<std::string, SessionPtr, std::less<>> sessions;

    static int verify_pin(X509_STORE_CTX* check, void* state);
    static int keep_session(SSL* ssl, SSL_SESSION* session);
    Result<> load_roots();
};

int ClientTls::State::verify_pin(X509_STORE_CTX* check, void* state) {
    const auto* self = static_cast<const State*>(state);
    X509* anchor = pinned_anchor(X509_STORE_CTX_get0_untrusted(check), self->trust.value);
    if (anchor == nullptr) {
        X509_STORE_CTX_set_error(check, X509_V_ERR_APPLICATION_VERIFICATION);
        return 0;
    }
    const StackPtr anchors(sk_X509_new_null());
    REKEY_ASSERT(anchors != nullptr && sk_X509_push(anchors.get(), anchor) > 0);
    X509_STORE_CTX_set0_trusted_stack(check, anchors.get());
    unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
    if (self->times == CertificateTimes::checked_unless_pinned) flags |= X509_V_FLAG_NO_CHECK_TIME;
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(check), flags);
    return X509_verify_cert(check);
}

int ClientTls::State::keep_session(SSL* ssl, SSL_SESSION* session) {
    auto* self = static_cast<State*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), state_slot()));
    const auto* server = static_cast<const std::string*>(SSL_get_ex_data(ssl, server_slot()));
    const std::scoped_lock lock(self->mutex);
    if (self->sessions.size() >= kKeptSessions && !self->sessions.contains(*server))
        self->sessions.clear();
    self->sessions[*server] = SessionPtr(session);
    return 1;  // the reference is ours now
}

Result<> ClientTls::State::load_roots() {
    switch (trust.root) {
        case Trust::Root::pin:
            if (!is_pin(trust.value))
                return Error(Code::invalid_params,
                             "a certificate pin is sha256: and 64 lower-case hex digits");
            SSL_CTX_set_cert_verify_callback(context.get(), &State::verify_pin, this);
            return {};
        case Trust::Root::system:
            if (SSL_CTX_set_default_verify_paths(context.get()) != 1)
                return Error(Code::unavailable,
                             "the system's CA certificates cannot be read (package "
                             "ca-certificates): " +
                                 take_openssl_error());
            return {};
        case Trust::Root::ca_pem:
            break;
    }
    const std::vector<X509Ptr> roots = parse_certificates(trust.value);
    if (roots.empty())
        return Error(Code::invalid_params, "no readable PEM certificate (BEGIN CERTIFICATE)");
    for (const X509Ptr& root : roots) {
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), root.get()) != 1)
            return Error(Code::invalid_params,
                         "the CA certificate cannot be used: " + take_openssl_error());
    }
    return {};
}

ClientTls::ClientTls(std::unique_ptr<State> state) : state_(std::move(state)) {}
ClientTls::~ClientTls() = default;

Result<std::shared_ptr<ClientTls>> ClientTls::make(Trust trust, CertificateTimes times) {
    auto state = std::make_unique<State>();
    state->trust = std::move(trust);
    state->times = times;
    state->context.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX* context = state->context.get();
    REKEY_ASSERT(context != nullptr);
    REKEY_ASSERT(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
    REKEY_ASSERT(SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    REKEY_ASSERT(SSL_CTX_set_ex_data(context, state_slot(), state.get()) == 1);
    SSL_CTX_sess_set_new_cb(context, &State::keep_session);
    REKEY_TRY(state->load_roots());
    return std::shared_ptr<ClientTls>(new ClientTls(std::move(state)));
}

TlsSession ClientTls::new_session(std::string_view host, std::uint16_t port) const {
    TlsSession session(SSL_new(state_->context.get()));
    REKEY_ASSERT(session != nullptr);
    const std::string name(host);
    if (is_address(name)) {
        REKEY_ASSERT(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), name.c_str()) ==
                     1);
    } else {
        // A name too long for TLS cannot be that of a certificate either: the check then fails.
        SSL_set_tlsext_host_name(session.get(), name.c_str());
        SSL_set_hostflags(session.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        REKEY_ASSERT(SSL_set1_host(session.get(), name.c_str()) == 1);
    }
    auto server = std::make_unique<std::string>(name + ":" + std::to_string(port));
    {
        const std::scoped_lock lock(state_->mutex);
        const auto kept = state_->sessions.find(*server);
        if (kept != state_->sessions.end() && SSL_SESSION_is_resumable(kept->second.get()) == 1)
            SSL_set_session(session.get(), kept->second.get());
    }
    REKEY_ASSERT(SSL_set_ex_data(session.get(), server_slot(), server.release()) == 1);
    SSL_set_connect_state(session.get());
    return session;
}

std::optional<Error> ClientTls::failure(ssl_st* session, std::string_view host) {
    const auto refuse = [](std::string message, const char* reason) {
        return Error(Code::permission_denied, std::move(message)).with("reason", reason);
    };
    const std::string name(host);
    const long result = SSL_get_verify_result(session);
    switch (result) {
        case X509_V_OK:
            return std::nullopt;
        case X509_V_ERR_APPLICATION_VERIFICATION:
            return refuse("the pin differs: no CA that " + name +
                              " serves has the pinned SHA-256; it is another server, or its CA "
                              "was replaced",
                          "pin");
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return refuse("the name differs: the server's certificate is not for " + name, "name");
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return refuse("the certificate of " + name + " has expired (or the clock is wrong)",
                          "expired");
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return refuse(
                "the certificate of " + name + " is not valid yet (or the clock is wrong)",
                "not_yet_valid");
        default:
            return refuse("the certificate of " + name +
                              " is not trusted: " + X509_verify_cert_error_string(result),
                          "chain");
    }
}

}  // namespace rekey::net
