-- What recoveries cost: one row a minting that was paid out of the budget, kept for the longest
-- window there is; and the units that admins granted beyond it.
CREATE TABLE recovery_charges (
  agent_id TEXT NOT NULL REFERENCES agents (agent_id) ON DELETE CASCADE,
  charged_at INTEGER NOT NULL,
  rotation_id TEXT NOT NULL,               -- of the token that was minted
  PRIMARY KEY (agent_id, charged_at, rotation_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_grants (
  agent_id TEXT NOT NULL PRIMARY KEY REFERENCES agents (agent_id) ON DELETE CASCADE,
  units INTEGER NOT NULL CHECK (units >= 0)
) STRICT, WITHOUT ROWID;
