-- API keys that rotate, the registry of capabilities, what agents report, keys of the key provider
-- and checkpoints of the audit chain.

-- A rotated key is a row of its own beside its predecessor, which works on until valid_until.
ALTER TABLE api_keys ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN first_used_at INTEGER;
ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;
ALTER TABLE api_keys ADD COLUMN valid_until INTEGER;          -- set when it is rotated
ALTER TABLE api_keys ADD COLUMN successor_key_id TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN predecessor_key_id TEXT NOT NULL DEFAULT '';

-- Answers that hold a secret, sealed, for a caller whose answer was lost. One row a caller and
-- idempotency key, until the key that it holds is used for the first time, or until expires_at.
CREATE TABLE idempotent_answers (
  caller_id TEXT NOT NULL REFERENCES agents (agent_id) ON DELETE CASCADE,
  idempotency_key_hash BLOB NOT NULL CHECK (length(idempotency_key_hash) = 32),
  method TEXT NOT NULL,
  params_hash BLOB NOT NULL CHECK (length(params_hash) = 32),
  sealed_answer BLOB NOT NULL,
  key_id TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (caller_id, idempotency_key_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotent_answers_by_key ON idempotent_answers (key_id);
CREATE INDEX idempotent_answers_by_expiry ON idempotent_answers (expires_at);

-- What can be granted. Grants name a capability by its text: table capabilities.
CREATE TABLE capability_registry (
  capability_id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL CHECK (name <> ''),
  description TEXT NOT NULL,
  created_by TEXT NOT NULL,                -- empty: Rekey's own, which nobody removes
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX capability_registry_by_name ON capability_registry (name);

-- Rekey's own, under the same ids in every database.
INSERT INTO capability_registry VALUES
  ('00000000-0000-7000-8000-000000000001', 'admin:*', 'Everything.', '', 0),
  ('00000000-0000-7000-8000-000000000002', 'agents:read', 'See agents and what they report.', '', 0),
  ('00000000-0000-7000-8000-000000000003', 'agents:write', 'Create and change agents, and enroll new ones.', '', 0),
  ('00000000-0000-7000-8000-000000000004', 'agents:call', 'Call and configure connected agents.', '', 0),
  ('00000000-0000-7000-8000-000000000005', 'keys:manage', 'Make, rotate and revoke API keys.', '', 0),
  ('00000000-0000-7000-8000-000000000006', 'rotations:write', 'Start and steer rotations.', '', 0),
  ('00000000-0000-7000-8000-000000000007', 'audit:read', 'Read and verify the audit.', '', 0);

-- What agents say of themselves: claims, which no decision reads.
CREATE TABLE agent_reports (
  agent_id TEXT NOT NULL REFERENCES agents (agent_id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('capability', 'integration', 'mcp_server')),
  name TEXT NOT NULL CHECK (name <> ''),
  details TEXT NOT NULL,                   -- JSON object
  first_seen_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  times INTEGER NOT NULL CHECK (times >= 1),
  PRIMARY KEY (agent_id, kind, name)
) STRICT, WITHOUT ROWID;

-- Keys of the local key provider. Version numbers are never given twice.
CREATE TABLE provider_keys (
  kid TEXT NOT NULL PRIMARY KEY,
  spec TEXT NOT NULL,                      -- JSON object: class, algorithm, size, uses, export policy, label, tags
  next_version INTEGER NOT NULL CHECK (next_version >= 1),
  row_version INTEGER NOT NULL,            -- compare-and-swap
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE provider_key_versions (
  kid TEXT NOT NULL REFERENCES provider_keys (kid) ON DELETE CASCADE,
  version INTEGER NOT NULL CHECK (version >= 1),
  state TEXT NOT NULL CHECK (state IN ('pre_published', 'active', 'retiring', 'destroyed')),
  public_key BLOB NOT NULL,                -- SubjectPublicKeyInfo in DER; empty for symmetric keys
  sealed_secret BLOB,                      -- absent when it was destroyed
  created_at INTEGER NOT NULL,
  activated_at INTEGER,
  retired_at INTEGER,
  destroy_at INTEGER,                      -- scheduled
  destroyed_at INTEGER,
  PRIMARY KEY (kid, version),
  CHECK ((state = 'destroyed') = (sealed_secret IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX provider_key_versions_by_destroy_at ON provider_key_versions (destroy_at)
  WHERE destroy_at IS NOT NULL;

-- Signed places of the audit chain: the newest one that is older than the rows that were kept is
-- where a chain of which the oldest rows were dropped begins.
CREATE TABLE audit_checkpoints (
  stream_id TEXT NOT NULL,
  seq INTEGER NOT NULL CHECK (seq >= 1),
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  time INTEGER NOT NULL,
  signature TEXT NOT NULL,                 -- a compact JWS
  PRIMARY KEY (stream_id, seq)
) STRICT, WITHOUT ROWID;
