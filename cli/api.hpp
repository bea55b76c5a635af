#pragma once

#include "base/result.hpp"
#include "cli/exit_code.hpp"
#include "protocol/method.hpp"

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace rekey::cli {

// The server's admin methods, however they are reached. One thread; calls block.
class Api {
  public:
    virtual ~Api() = default;
    // `params_json`: the text of an object; empty: none. The result as it was sent; errors are the
    // server's own, or `unavailable` and `permission_denied` with the way out if it was not
    // reached.
    [[nodiscard]] virtual Result<boost::json::value> call(std::string_view method,
                                                          std::string_view params_json) = 0;
};

// A result as it was sent, for `-o json`, and as the method declares it, for people.
template <class T>
struct Answer {
    boost::json::value json;
    T value;
};

// Calls the method M. `internal` for an answer that is none of M's.
template <protocol::Method M>
[[nodiscard]] Result<Answer<typename M::Result>> call(Api& api, const typename M::Params& params) {
    REKEY_TRY_ASSIGN(json, api.call(M::name, protocol::encode(params)));
    auto value = protocol::decode_result<M>(json);
    if (value.has_error())
        return with_way_out(
            Error(Code::internal, fmt::format("the answer to {} is not understood: {}", M::name,
                                              value.error().message())),
            "Is rekeyctl older or newer than the server? Compare rekeyctl "
            "--version with: rekeyctl info -o json");
    return Answer<typename M::Result>{std::move(json), std::move(*value)};
}

}  // namespace rekey::cli
