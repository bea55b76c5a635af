#include "base/contract.hpp"
#include "net/openssl.hpp"
#include "net/tls_context.hpp"
#include "net/tls_tickets.hpp"

#include <openssl/err.h>

#include <mutex>

namespace rekey::net {
namespace {

// How long a ticket may be used; its key lives at most twice as long.
constexpr long kTicketSeconds = 24L * 60 * 60;
constexpr std::string_view kSessionContext = "rekeyd";

Error context_error(std::string_view what) {
    return Error(Code::invalid_params, std::string(what) + ": " + take_openssl_error());
}

Result<> load(SSL_CTX* context, const std::vector<X509Ptr>& chain, EVP_PKEY* key) {
    if (SSL_CTX_use_certificate(context, chain.front().get()) != 1)
        return context_error("the server certificate cannot be used");
    for (std::size_t i = 1; i < chain.size(); ++i) {
        if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1)
            return context_error("the certificate chain cannot be used");
    }
    if (SSL_CTX_use_PrivateKey(context, key) != 1 || SSL_CTX_check_private_key(context) != 1)
        return context_error("the private key is not that of the first certificate");
    return {};
}

// Tickets carry all of a session, so the server caches none.
void set_policy(SSL_CTX* context) {
    REKEY_ASSERT(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
    REKEY_ASSERT(SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1);
    REKEY_ASSERT(SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1);
    SSL_CTX_set_options(
        context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(context, kTicketSeconds);
    REKEY_ASSERT(SSL_CTX_set_num_tickets(context, 1) == 1);
    REKEY_ASSERT(SSL_CTX_set_max_early_data(context, 0) == 1);
    REKEY_ASSERT(SSL_CTX_set_session_id_context(
                     context, reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                     static_cast<unsigned>(kSessionContext.size())) == 1);
}

}  // namespace

void TlsFree::operator()(ssl_st* session) const noexcept {
    // A connection that just broke must not make its session unfit for resumption.
    SSL_set_shutdown(session, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(session);
}

bool is_resumed(ssl_st* session) { return SSL_session_reused(session) == 1; }

struct ServerTls::State {
    State(const Clock& clock, Random& random) : tickets(clock, random) {}

    TicketKeys tickets;  // before `context`, which points at it
    mutable std::mutex mutex;
    SslContextPtr context;
    std::string pin;
};

ServerTls::ServerTls(std::unique_ptr<State> state) : state_(std::move(state)) {}
ServerTls::~ServerTls() = default;

Result<std::shared_ptr<ServerTls>> ServerTls::make(std::string_view chain_pem,
                                                   const Secret& key_pem, const Clock& clock,
                                                   Random& random) {
    std::shared_ptr<ServerTls> tls(new ServerTls(std::make_unique<State>(clock, random)));
    REKEY_TRY(tls->replace(chain_pem, key_pem));
    return tls;
}

Result<> ServerTls::replace(std::string_view chain_pem, const Secret& key_pem) {
    const std::vector<X509Ptr> chain = parse_certificates(chain_pem);
    if (chain.empty())
        return Error(Code::invalid_params, "no readable PEM certificate (BEGIN CERTIFICATE)");
    const KeyPtr key = parse_key(key_pem);
    if (!key)
        return Error(Code::invalid_params, "no readable private key in PEM without pass phrase");

    ERR_clear_error();
    SslContextPtr context(SSL_CTX_new(TLS_server_method()));
    REKEY_ASSERT(context != nullptr);
    set_policy(context.get());
    state_->tickets.install(context.get());
    REKEY_TRY(load(context.get(), chain, key.get()));

    // Open connections hold their own reference to the context they began with.
    const std::scoped_lock lock(state_->mutex);
    state_->context = std::move(context);
    state_->pin = pin_of(chain.back().get());
    return {};
}

std::string ServerTls::pin() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->pin;
}

TlsSession ServerTls::new_session() const {
    const std::scoped_lock lock(state_->mutex);
    TlsSession session(SSL_new(state_->context.get()));
    REKEY_ASSERT(session != nullptr);
    SSL_set_accept_state(session.get());
    return session;
}

}  // namespace rekey::net
