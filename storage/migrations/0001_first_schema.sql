-- The first schema. Times are integer milliseconds since 1970 in UTC, hashes and keys raw bytes,
-- ids UUIDv7 text. Tables have no rowid: each is one B-tree by its primary key, which halves a
-- look-up. The words in the CHECKs are those of storage/names.cpp.

CREATE TABLE agents (
  agent_id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL CHECK (name <> ''),
  type TEXT NOT NULL,
  owner TEXT NOT NULL,
  labels TEXT NOT NULL,                    -- JSON object of strings
  metadata TEXT NOT NULL,                  -- JSON object
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  last_seen_at INTEGER,
  enrolled_at INTEGER,
  identity_public_key BLOB CHECK (length(identity_public_key) = 32),
  hostname TEXT NOT NULL,
  version TEXT NOT NULL,
  rotation_count INTEGER NOT NULL,
  row_version INTEGER NOT NULL,            -- compare-and-swap

  status TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'revoked')),
  epoch INTEGER NOT NULL,
  next_generation INTEGER NOT NULL CHECK (next_generation >= 1),
  activated_generation INTEGER NOT NULL CHECK (activated_generation < next_generation),
  rotate_at INTEGER,

  token_generation INTEGER CHECK (token_generation < next_generation),
  token_rotation_id TEXT,
  token_hash BLOB CHECK (length(token_hash) = 32),
  token_issued_at INTEGER,
  token_expires_at INTEGER,                -- absent in rows of an older schema: due now, never refused

  pending_generation INTEGER CHECK (pending_generation < next_generation),
  pending_rotation_id TEXT,
  pending_token_hash BLOB CHECK (length(pending_token_hash) = 32),
  sealed_pending_token BLOB,
  pending_offered_at INTEGER,
  pending_attempts INTEGER,
  pending_last_reason TEXT,

  previous_generation INTEGER CHECK (previous_generation < next_generation),
  previous_rotation_id TEXT,
  previous_token_hash BLOB CHECK (length(previous_token_hash) = 32),
  previous_expires_at INTEGER,
  previous_retire_after INTEGER,

  requested_cause TEXT CHECK (requested_cause IN
    ('schedule', 'admin', 'emergency', 'agent', 'enrollment', 'recovery')),
  requested_by TEXT,
  requested_at INTEGER,

  last_rotation_id TEXT,                   -- kept by the engine: where the list of rotations begins

  -- A token is there whole or not at all.
  CHECK ((token_generation IS NULL) = (token_hash IS NULL)
     AND (token_generation IS NULL) = (token_issued_at IS NULL)),
  CHECK ((pending_generation IS NULL) = (pending_token_hash IS NULL)
     AND (pending_generation IS NULL) = (sealed_pending_token IS NULL)
     AND (pending_generation IS NULL) = (pending_rotation_id IS NULL)),
  CHECK ((previous_generation IS NULL) = (previous_token_hash IS NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX agents_by_name ON agents (name);
-- For the sweep that retires predecessors: only rows that wait for it are in it.
CREATE INDEX agents_by_retire_after ON agents (previous_retire_after)
  WHERE previous_retire_after IS NOT NULL;

CREATE TABLE tombstones (
  agent_id TEXT NOT NULL REFERENCES agents (agent_id) ON DELETE CASCADE,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  kind TEXT NOT NULL CHECK (kind IN ('token', 'identity_key')),
  generation INTEGER NOT NULL,
  retired_at INTEGER NOT NULL,
  PRIMARY KEY (agent_id, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstones_by_retired_at ON tombstones (retired_at);

CREATE TABLE enrollment_codes (
  code_id TEXT NOT NULL PRIMARY KEY,
  agent_id TEXT NOT NULL REFERENCES agents (agent_id) ON DELETE CASCADE,
  code_hash BLOB NOT NULL CHECK (length(code_hash) = 32),
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  bound_public_key BLOB CHECK (length(bound_public_key) = 32),
  used_at INTEGER,
  rotation_id TEXT NOT NULL,               -- empty until it is used
  CHECK ((bound_public_key IS NULL) = (used_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX enrollment_codes_by_agent ON enrollment_codes (agent_id);

CREATE TABLE api_keys (
  key_id TEXT NOT NULL PRIMARY KEY,
  agent_id TEXT NOT NULL REFERENCES agents (agent_id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  key_hash BLOB NOT NULL CHECK (length(key_hash) = 32),
  capabilities TEXT,                       -- JSON array; absent: all of the agent's
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_by_agent ON api_keys (agent_id);

CREATE TABLE capabilities (
  agent_id TEXT NOT NULL REFERENCES agents (agent_id) ON DELETE CASCADE,
  capability TEXT NOT NULL CHECK (capability <> ''),
  granted_by TEXT NOT NULL,
  granted_at INTEGER NOT NULL,
  PRIMARY KEY (agent_id, capability)
) STRICT, WITHOUT ROWID;

-- An agent's rotations are a list, newest first: agents.last_rotation_id, then
-- previous_rotation_id. An index by agent would be a random page more in every commit, and cost a
-- third of all rotations a second; ids grow with time, so this table only grows at its end.
CREATE TABLE rotations (
  rotation_id TEXT NOT NULL PRIMARY KEY,
  agent_id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  cause TEXT NOT NULL CHECK (cause IN
    ('schedule', 'admin', 'emergency', 'agent', 'enrollment', 'recovery')),
  actor TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  committed_at INTEGER,
  activated_at INTEGER,
  ended_at INTEGER,
  previous_rotation_id TEXT                -- of the same agent
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL                      -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (
  name TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One hash chain a stream, and one stream a writer (docs/audit.md).
CREATE TABLE audit (
  stream_id TEXT NOT NULL,
  seq INTEGER NOT NULL CHECK (seq >= 1),
  time INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  outcome TEXT NOT NULL,
  details TEXT NOT NULL,                   -- JSON object; hashed as the text it is
  previous_hash BLOB NOT NULL CHECK (length(previous_hash) = 32),
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (stream_id, seq)
) STRICT, WITHOUT ROWID;
