#pragma once

#include "protocol/method.hpp"

// Access tokens: short-lived JWTs (docs/authentication.md).
namespace rekey::protocol {

// RFC 6750, section 4: the answer of a token endpoint.
enum class TokenType : std::uint8_t { bearer };
constexpr auto names_of(TokenType) { return std::to_array<std::string_view>({"Bearer"}); }

struct AccessToken {
    Secret access_token;
    TokenType token_type = TokenType::bearer;
    std::int64_t expires_in = 0;
    static constexpr auto fields() {
        return std::tuple{
            field("access_token", &AccessToken::access_token, "A JWT of type at+jwt (RFC 9068).",
                  Rule{.max_bytes = limits::kAccessTokenBytes}),
            field("token_type", &AccessToken::token_type, "How it is shown (RFC 6750)."),
            field("expires_in", &AccessToken::expires_in, "Seconds that it lives.",
                  Rule{.min = 0})};
    }
};

struct AuthToken {
    static constexpr std::string_view name = "auth.token";
    static constexpr std::string_view summary = "Makes an access token with an API key.";
    static constexpr Access access{};
    static constexpr Rest rest{"POST", "/auth/token"};
    using Params = Nothing;
    using Result = AccessToken;
};

struct AgentJwt {
    static constexpr std::string_view name = "agent.jwt";
    static constexpr std::string_view summary =
        "Makes an access token over the agent's session, for programs beside the agent.";
    static constexpr Access access{.caller = Caller::agent};
    struct Params {
        std::optional<std::string> audience;
        static constexpr auto fields() {
            return std::tuple{field("audience", &Params::audience,
                                    "Who is to believe it; left out: this server.",
                                    Rule{.max_bytes = limits::kAudienceBytes})};
        }
        [[nodiscard]] std::optional<BadField> check() const {
            if (!audience || !audience->empty()) return std::nullopt;
            return BadField{"audience", "a text that is not empty"};
        }
    };
    using Result = AccessToken;
};

}  // namespace rekey::protocol
