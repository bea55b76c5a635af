#include "protocol/close_codes.hpp"

namespace rekey::protocol {

std::string_view close_name(std::uint16_t code) {
    switch (static_cast<CloseCode>(code)) {
        case CloseCode::normal:
            return "normal";
        case CloseCode::going_away:
            return "going_away";
        case CloseCode::bad_utf8:
            return "bad_utf8";
        case CloseCode::too_big:
            return "too_big";
        case CloseCode::internal_error:
            return "internal_error";
        case CloseCode::draining:
            return "draining";
        case CloseCode::slow_consumer:
            return "slow_consumer";
        case CloseCode::superseded:
            return "superseded";
        case CloseCode::silent:
            return "silent";
        case CloseCode::re_authenticate:
            return "re_authenticate";
        case CloseCode::suspended:
            return "suspended";
        case CloseCode::contested:
            return "contested";
        case CloseCode::revoked:
            return "revoked";
        case CloseCode::protocol_violation:
            return "protocol_violation";
    }
    return "unknown";
}

ReconnectAdvice reconnect_advice(std::uint16_t code) {
    switch (static_cast<CloseCode>(code)) {
        case CloseCode::superseded:
            return ReconnectAdvice::wait_a_while;
        case CloseCode::suspended:
        case CloseCode::contested:
            return ReconnectAdvice::slowly;
        case CloseCode::bad_utf8:
        case CloseCode::too_big:
            return ReconnectAdvice::not_as_you_are;
        default:
            return code >= 4500 && code <= 4999 ? ReconnectAdvice::not_as_you_are
                                                : ReconnectAdvice::back_off;
    }
}

}  // namespace rekey::protocol
