#include "agent/state.hpp"

#include "base/contract.hpp"
#include "base/limits.hpp"
#include "protocol/fields.hpp"

#include <boost/json/monotonic_resource.hpp>

#include <algorithm>
#include <array>

namespace rekey::agent {
namespace {

using protocol::field;
using protocol::Rule;

constexpr std::int64_t kFormat = 1;
constexpr std::string_view kSystemTrust = "system";
constexpr std::string_view kPlainTrust = "plain";
// Room for two tokens and the rest, so that the text is built without leaving copies of its
// secrets behind.
constexpr std::size_t kTypicalBytes = 4096;

struct ServerPart {
    std::string host;
    std::int64_t port = 0;
    std::string trust;
    static constexpr auto fields() {
        return std::tuple{
            field("host", &ServerPart::host, "Name or address."),
            field("port", &ServerPart::port, "TCP port.", Rule{.min = 1, .max = 65535}),
            field("trust", &ServerPart::trust, "The CA's pin, \"system\" or \"plain\".")};
    }
};

struct TokenPart {
    std::uint64_t generation = 0;
    std::string rotation_id;
    Secret token;
    protocol::TokenState state = protocol::TokenState::candidate;
    static constexpr auto fields() {
        return std::tuple{
            field("generation", &TokenPart::generation, "Its number.", protocol::kGeneration),
            field("rotation_id", &TokenPart::rotation_id, "Its minting.", protocol::kUuid),
            field("token", &TokenPart::token, "The secret.",
                  Rule{.max_bytes = limits::kCredentialBytes}),
            field("state", &TokenPart::state, "Whether the server is known to have promoted it.")};
    }
};

struct Document {
    std::int64_t format = kFormat;
    std::string agent_id;
    ServerPart server;
    std::optional<std::string> identity_public_key;
    std::optional<std::string> enrolled_code_sha256;
    std::vector<TokenPart> tokens;
    static constexpr auto fields() {
        return std::tuple{
            field("format", &Document::format, "Of this file.",
                  Rule{.min = kFormat, .max = kFormat}),
            field("agent_id", &Document::agent_id, "Who this is.", protocol::kUuid),
            field("server", &Document::server, "Where it connects."),
            field("identity_public_key", &Document::identity_public_key, "Of FILE.key.",
                  Rule{.form = protocol::Form::base64url_32_bytes}),
            field("enrolled_code_sha256", &Document::enrolled_code_sha256,
                  "Which code enrolled it.", Rule{.form = protocol::Form::hex_32_bytes}),
            field("tokens", &Document::tokens, "One or two, ascending.",
                  Rule{.max_items = limits::kTokensHeld})};
    }
};

Error corrupt(std::string what) {
    return Error(Code::corrupt, "the state file is damaged: " + std::move(what));
}

std::string trust_text(const protocol::ServerTrust& trust) {
    if (const auto* pin = std::get_if<protocol::PinnedCa>(&trust))
        return protocol::format_pin(pin->sha256);
    return std::string(std::holds_alternative<protocol::SystemCa>(trust) ? kSystemTrust
                                                                         : kPlainTrust);
}

Result<protocol::ServerTrust> read_trust(std::string_view text) {
    if (text == kSystemTrust) return protocol::ServerTrust(protocol::SystemCa{});
    if (text == kPlainTrust) return protocol::ServerTrust(protocol::PlainLoopback{});
    auto pin = protocol::parse_pin(text);
    if (pin.has_error()) return corrupt("server.trust is no pin, \"system\" or \"plain\"");
    return protocol::ServerTrust(protocol::PinnedCa{*pin});
}

// What the agent keeps true about the tokens it holds (docs/rotation.md).
Result<> check_tokens(const rotation::HeldTokens& held) {
    if (held.empty()) return corrupt("it holds no token");
    const auto confirmed =
        std::ranges::count(held, rotation::TokenState::confirmed, &rotation::HeldToken::state);
    if (confirmed == 0) return corrupt("it holds no confirmed token");
    for (std::size_t i = 0; i < held.size(); ++i) {
        if (held[i].token.empty()) return corrupt("tokens[" + std::to_string(i) + "] is empty");
        if (i > 0 && held[i].generation <= held[i - 1].generation)
            return corrupt("the tokens' generations do not ascend");
        if (i > 0 && held[i].rotation_id == held[i - 1].rotation_id)
            return corrupt("two tokens have one rotation_id");
    }
    return {};
}

// The format number is looked at first: a newer program's file gets its own message, whatever else
// it holds.
Result<> check_format(const boost::json::value& value) {
    const auto* object = value.if_object();
    if (object == nullptr) return corrupt("it is not a JSON object");
    const auto* format = object->if_contains("format");
    if (format == nullptr || !format->is_int64())
        return corrupt("it has no format number; it was not written by this program");
    if (format->get_int64() != kFormat)
        return Error(Code::corrupt,
                     "the state file has format " + std::to_string(format->get_int64()) +
                         ", and this program reads format " + std::to_string(kFormat) +
                         ": a newer rekey-agent wrote it; use that one");
    return {};
}

Result<AgentState> to_state(Document&& document) {
    REKEY_TRY_ASSIGN(trust, read_trust(document.server.trust));
    if (document.server.host.empty()) return corrupt("server.host is empty");
    AgentState state;
    state.agent_id = std::move(document.agent_id);
    state.server = {std::move(document.server.host),
                    static_cast<std::uint16_t>(document.server.port), trust};
    state.identity_public_key = document.identity_public_key.value_or("");
    state.enrolled_code_sha256 = document.enrolled_code_sha256.value_or("");
    for (TokenPart& part : document.tokens)
        state.tokens.push_back({part.generation, std::move(part.rotation_id), std::move(part.token),
                                part.state == protocol::TokenState::candidate
                                    ? rotation::TokenState::candidate
                                    : rotation::TokenState::confirmed});
    REKEY_TRY(check_tokens(state.tokens));
    return state;
}

}  // namespace

std::string to_string(const ServerAddress& server) {
    const bool v6 = server.host.find(':') != std::string::npos;
    return (v6 ? "[" + server.host + "]" : server.host) + ":" + std::to_string(server.port);
}

Secret encode_state(const AgentState& state) {
    REKEY_ASSERT(check_tokens(state.tokens).has_value());
    Document document;
    document.agent_id = state.agent_id;
    document.server = {state.server.host, state.server.port, trust_text(state.server.trust)};
    if (!state.identity_public_key.empty())
        document.identity_public_key = state.identity_public_key;
    if (!state.enrolled_code_sha256.empty())
        document.enrolled_code_sha256 = state.enrolled_code_sha256;
    for (const rotation::HeldToken& held : state.tokens)
        document.tokens.push_back({held.generation, held.rotation_id, held.token,
                                   held.state == rotation::TokenState::candidate
                                       ? protocol::TokenState::candidate
                                       : protocol::TokenState::confirmed});
    std::string text;
    text.reserve(kTypicalBytes);
    protocol::append_json(text, document);
    text.push_back('\n');
    Secret secret(text);
    wipe_string(text);
    return secret;
}

Result<AgentState> decode_state(const Secret& text) {
    std::array<unsigned char, 4 * kTypicalBytes> arena{};
    Result<AgentState> result = [&]() -> Result<AgentState> {
        boost::json::monotonic_resource memory(arena.data(), arena.size());
        auto value = protocol::parse_json(text.expose(), &memory, limits::kStateFileBytes);
        if (value.has_error()) return corrupt("it is not JSON");
        REKEY_TRY(check_format(*value));
        auto document = protocol::decode<Document>(&*value, protocol::UnknownFields::refuse);
        if (document.has_error()) return corrupt(document.error().message());
        return to_state(std::move(*document));
    }();
    wipe_memory(arena.data(), arena.size());
    return result;
}

}  // namespace rekey::agent
