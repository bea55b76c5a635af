#include "base/limits.hpp"
#include "protocol/json_text.hpp"
#include "server/http/doors.hpp"
#include "server/http/refusal.hpp"

#include <chrono>
#include <string>
#include <utility>

// /healthz, /readyz, /_health, the key set and the page at /: for people and probes, without
// credentials, so they tell nothing that is worth one.
namespace rekey::server::http {
namespace {

constexpr std::string_view kPage = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Rekey</title></head>
<body><h1>Rekey</h1>
<p>The control plane that rotates the tokens of agents without locking one out.</p>
<ul>
<li><a href="/healthz">/healthz</a>: this process lives</li>
<li><a href="/readyz">/readyz</a>: it can do its work</li>
<li><a href="/_health">/_health</a>: both, with version and uptime</li>
<li><a href="/docs">/docs</a>: every route, to try; <a href="/openapi.json">/openapi.json</a>,
<a href="/openrpc.json">/openrpc.json</a></li>
<li><a href="/.well-known/jwks.json">/.well-known/jwks.json</a>: the keys that verify access
tokens</li>
<li><code>POST /rpc</code>, or <code>GET /rpc</code> as WebSocket (rekey.admin.v1): JSON-RPC for
admins; <code>rekeyctl</code> speaks it</li>
<li><code>GET /agent</code> as WebSocket (rekey.agent.v1): for agents</li>
<li><code>POST /enroll</code>: where an agent gets its first token</li>
</ul></body></html>
)";

constexpr std::chrono::seconds kJwksSeconds = limits::kJwksMaxAge;

}  // namespace

void Doors::healthz(net::HttpExchange exchange) {
    exchange.respond(json_answer(200, R"({"status":"ok"})"));
}

void Doors::readyz(net::HttpExchange exchange) {
    rpc::spawn(shard_.context().get_executor(), answer_readiness(std::move(exchange)));
}

rpc::Task<void> Doors::answer_readiness(net::HttpExchange exchange) {
    auto look = [](storage::Transaction& transaction) -> Result<bool> {
        REKEY_TRY(transaction.meta().get("master_key_check"));
        return true;
    };
    const auto readable = co_await rpc::read_from<bool>(parts_.store, std::move(look));
    if (parts_.draining) {
        exchange.respond(refusal(Error(Code::unavailable, "this server is stopping")));
    } else if (readable.has_error()) {
        exchange.respond(refusal(Error(Code::unavailable, "the database does not answer")));
    } else {
        exchange.respond(json_answer(200, R"({"status":"ready"})"));
    }
}

void Doors::health(net::HttpExchange exchange) {
    const auto uptime =
        std::chrono::duration_cast<std::chrono::seconds>(parts_.clock.now() - parts_.started_at);
    std::string body = R"({"status":")";
    body.append(parts_.draining ? "stopping" : "ok");
    body.append(R"(","version":")" REKEY_VERSION R"(","uptime_seconds":)");
    protocol::append_json_number(body, static_cast<std::int64_t>(uptime.count()));
    body.append(R"(,"agents_connected":)");
    protocol::append_json_number(body, static_cast<std::uint64_t>(parts_.sessions.count()));
    body.push_back('}');
    exchange.respond(json_answer(200, std::move(body)));
}

// Public by its nature: what every verifier of our tokens reads, and may keep for a while
// (docs/authentication.md).
void Doors::jwks(net::HttpExchange exchange) {
    net::HttpResponse response;
    response.headers.add("Content-Type", "application/jwk-set+json");
    response.headers.add("Cache-Control",
                         "public, max-age=" + std::to_string(kJwksSeconds.count()));
    response.headers.add("X-Content-Type-Options", "nosniff");
    response.body = parts_.tokens.verifying_keys()->jwks_text();
    exchange.respond(response);
}

void Doors::page(net::HttpExchange exchange) {
    net::HttpResponse response;
    response.headers.add("Content-Type", "text/html; charset=utf-8");
    response.body = kPage;
    exchange.respond(response);
}

}  // namespace rekey::server::http
