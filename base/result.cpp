#include "base/result.hpp"

namespace rekey {

Error Error::with(std::string_view name, boost::json::value value) && {
    auto details = details_ ? std::make_shared<boost::json::object>(*details_)
                            : std::make_shared<boost::json::object>();
    details->insert_or_assign(name, std::move(value));
    details_ = std::move(details);
    return std::move(*this);
}

Error Error::with_retry_after(std::chrono::seconds after) && {
    retry_after_ = after;
    return std::move(*this);
}

Error Error::with_verbatim(boost::json::object error) && {
    verbatim_ = std::make_shared<const boost::json::object>(std::move(error));
    return std::move(*this);
}

void throw_exception_from_error(const Error& error, const boost::source_location& /*where*/) {
    throw ErrorException(error);
}

}  // namespace rekey
