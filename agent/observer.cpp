#include "agent/observer.hpp"

#include "base/durable_file.hpp"

#include <sys/utsname.h>

namespace rekey::agent {

AboutAgent about_this_agent() {
    AboutAgent about;
    about.version = REKEY_VERSION;
    utsname names{};
    if (::uname(&names) == 0) {
        about.hostname = names.nodename;
        about.os = std::string(names.sysname) + " " + names.release + " " + names.machine;
    }
    auto boot = read_file("/proc/sys/kernel/random/boot_id", 256);
    if (boot.has_value()) about.boot_id = boot->substr(0, boot->find('\n'));
    return about;
}

Result<boost::json::value> AgentObserver::on_call(std::string_view /*method*/,
                                                  const boost::json::value* /*params*/) {
    return Error(Code::method_not_found);
}

}  // namespace rekey::agent
