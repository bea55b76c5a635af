#include "server/app/systemd.hpp"

#include <systemd/sd-daemon.h>

namespace rekey::server::app {

void notify_ready() { ::sd_notify(0, "READY=1"); }
void notify_stopping() { ::sd_notify(0, "STOPPING=1"); }

}  // namespace rekey::server::app
