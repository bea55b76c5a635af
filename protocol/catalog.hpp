#pragma once

#include "protocol/method.hpp"

#include <span>

namespace rekey::protocol {

// A declared method without its types.
struct MethodInfo {
    std::string_view name;
    std::string_view summary;
    Access access;
    Rest rest;
    bool notification;
    boost::json::object (*params_schema)();
    boost::json::object (*result_schema)();
};

template <Method M>
[[nodiscard]] constexpr MethodInfo method_info() {
    return {M::name,
            M::summary,
            M::access,
            rest_of<M>(),
            kIsNotification<M>,
            [] { return schema_of<typename M::Params>(M::access.unknown_params); },
            [] { return schema_of<typename M::Result>(UnknownFields::ignore); }};
}

// Every method that Rekey declares, by caller and then by name. What is not in it is
// method_not_found.
[[nodiscard]] std::span<const MethodInfo> catalog();
// Null if there is none; names are looked up among those that `caller` may send.
[[nodiscard]] const MethodInfo* find_method(std::string_view name, Caller caller);

// Names that an admin can never send to an agent with agents.call.
[[nodiscard]] bool is_reserved_name(std::string_view method);

}  // namespace rekey::protocol
