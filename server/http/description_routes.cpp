#include "protocol/json_text.hpp"
#include "protocol/openapi.hpp"
#include "protocol/openrpc.hpp"
#include "server/http/docs_page.hpp"
#include "server/http/doors.hpp"
#include "server/http/refusal.hpp"

// What this server says of itself. Without credentials: it is the same for every server of this
// version.
namespace rekey::server::http {
namespace {

std::string text_of(const boost::json::object& document) {
    std::string text;
    protocol::append_json_object(text, document);
    return text;
}

}  // namespace

void Doors::openapi(net::HttpExchange exchange) {
    static const std::string text = text_of(protocol::openapi_document(REKEY_VERSION));
    exchange.respond(json_answer(200, text));
}

void Doors::openrpc(net::HttpExchange exchange) {
    static const std::string text = text_of(protocol::openrpc_document(REKEY_VERSION));
    exchange.respond(json_answer(200, text));
}

void Doors::docs(net::HttpExchange exchange) { exchange.respond(docs_page()); }

}  // namespace rekey::server::http
