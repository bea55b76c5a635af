#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "storage/store.hpp"

#include <string>
#include <string_view>

namespace rekey::server::bootstrap {

struct AdminParts {
    storage::Store& store;
    const Clock& clock;
    Random& random;
    const Log& log;
    std::string key_file;  // DIR/admin.key
};

// At a first start, makes the admin: an agent row of type "admin" with the capability admin:* and
// one API key, whose text and a newline go to `key_file` (0600), durable before its hash is
// committed, and nowhere else. One that was deleted since is not made again. Later: refuses a
// `key_file` that others can read. Throws StartupError. Blocks.
void ensure_admin_identity(const AdminParts& parts);

// A new API key in `key_file`; all older keys of the admin end. An admin that was suspended is
// active again; in place of one that was revoked or deleted a new one is made, with another name.
// Throws StartupError. Blocks.
void reset_admin_key(const AdminParts& parts);

}  // namespace rekey::server::bootstrap
