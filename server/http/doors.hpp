#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "net/http_server.hpp"
#include "server/enrollment/enrollment.hpp"
#include "server/http/admin_sockets.hpp"
#include "server/http/client_address.hpp"
#include "server/http/host_gate.hpp"
#include "server/http/places.hpp"
#include "server/http/rest_table.hpp"
#include "server/recovery/recovery.hpp"
#include "server/rpc/authenticator.hpp"
#include "server/rpc/dispatcher.hpp"
#include "server/rpc/failure_limiter.hpp"
#include "server/rpc/refused_authentications.hpp"
#include "server/rpc/task.hpp"
#include "server/sessions/agent_door.hpp"
#include "server/sessions/registry.hpp"
#include "server/settings.hpp"
#include "server/shard.hpp"
#include "server/signing/token_signer.hpp"
#include "storage/store.hpp"

#include <atomic>
#include <string>

namespace rekey::server::http {

// Shared by all shards; outlives them.
struct Parts {
    storage::Store& store;
    const rpc::Authenticator& authenticator;
    const rpc::Dispatcher& dispatcher;
    sessions::AgentDoor& agent_door;
    sessions::SessionRegistry& sessions;
    const enrollment::Parts& enrollment;
    const recovery::Parts& recovery;
    rpc::FailureLimiter& failures;
    rpc::RefusedAuthentications& refusals;
    rpc::CallLimiter& calls;
    const signing::TokenSigner& tokens;
    const LiveSettings& settings;
    const Clock& clock;
    const Log& log;
    const TrustedProxies& trusted_proxies;
    Time started_at{};
    const std::atomic<bool>& draining;
    Random& random;  // safe from any thread
    const HostGate& gate;
    const Places& admin_socket_places;
};

// All HTTP of one shard: what each method and path of the one port means. A thin layer: it reads
// credentials and bodies, asks, and puts answers into HTTP. On the shard's thread.
class Doors {
  public:
    Doors(Shard& shard, const Parts& parts);
    Doors(const Doors&) = delete;
    Doors& operator=(const Doors&) = delete;

    void handle(net::HttpExchange exchange);
    // What net/ refuses itself.
    [[nodiscard]] net::HttpResponse refuse(unsigned status, std::string_view message) const;

    [[nodiscard]] AdminSockets& admin_sockets() { return admin_sockets_; }

  private:
    // What its path means, once it has a name and was let in.
    void route(net::HttpExchange exchange);

    struct Route {
        std::string_view path;
        std::string_view method;
        void (Doors::*serve)(net::HttpExchange);
    };
    static const Route kRoutes[];

    void agent(net::HttpExchange exchange);
    void rpc_post(net::HttpExchange exchange);
    void rpc_socket(net::HttpExchange exchange);
    void enroll(net::HttpExchange exchange);
    void recover_challenge(net::HttpExchange exchange);
    void recover(net::HttpExchange exchange);
    void healthz(net::HttpExchange exchange);
    void readyz(net::HttpExchange exchange);
    void health(net::HttpExchange exchange);
    void jwks(net::HttpExchange exchange);
    void page(net::HttpExchange exchange);
    void openapi(net::HttpExchange exchange);
    void openrpc(net::HttpExchange exchange);
    void docs(net::HttpExchange exchange);
    // What is none of kRoutes; `allowed`: the verbs under which they have this path.
    void rest(net::HttpExchange exchange, std::string allowed);

    [[nodiscard]] rpc::Task<void> answer_rpc(net::HttpExchange exchange);
    [[nodiscard]] rpc::Task<void> open_rpc_socket(net::HttpExchange exchange);
    [[nodiscard]] rpc::Task<void> answer_enroll(net::HttpExchange exchange);
    [[nodiscard]] rpc::Task<void> answer_recover_challenge(net::HttpExchange exchange);
    [[nodiscard]] rpc::Task<void> answer_recover(net::HttpExchange exchange);
    [[nodiscard]] rpc::Task<void> answer_rest(net::HttpExchange exchange, RestMatch match);
    [[nodiscard]] net::HttpResponse count_call(const rpc::Caller& caller,
                                               net::HttpResponse refused);
    [[nodiscard]] rpc::Task<void> answer_readiness(net::HttpExchange exchange);
    [[nodiscard]] rpc::Task<Result<rpc::Caller>> authenticate(net::HttpExchange& exchange);
    // Notes a refusal for the audit. A wrong credential counts against its address; everything else
    // is answered as it is.
    [[nodiscard]] Error count_failure(const rpc::RefusedAuthentications::Attempt& attempt,
                                      Error error);

    Shard& shard_;
    const Parts& parts_;
    AdminSockets admin_sockets_;
};

}  // namespace rekey::server::http
