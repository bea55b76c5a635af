#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "server/revocation/journal.hpp"
#include "storage/store.hpp"

namespace rekey::server::revocation {

// At a start, before anybody is let in. Agents that stand in the journal and are not revoked in the
// database are revoked now: the database was restored from before. Agents that are revoked in the
// database and missing in the journal are appended: a crash came between the two, or the file is
// younger than the database. Blocks. Throws StartupError when the database cannot be read or
// written; a journal that cannot be written is logged, since nothing is acknowledged by that.
void merge_revocations(storage::Store& store, RevocationJournal& journal, const Clock& clock,
                       const Log& log);

}  // namespace rekey::server::revocation
