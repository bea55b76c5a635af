#pragma once

namespace rekey::server::app {

// Tells the service manager how far we are (sd_notify(3)); does nothing without one.
void notify_ready();
void notify_stopping();

}  // namespace rekey::server::app
