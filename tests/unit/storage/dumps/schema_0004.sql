-- A database of schema 4 with agents in it, as the sqlite3 shell's .dump wrote it. Never edited: a
-- later schema must migrate exactly this.
PRAGMA application_id=1380664665;
PRAGMA user_version=4;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE schema_migrations (  version INTEGER NOT NULL PRIMARY KEY,  name TEXT NOT NULL,  checksum TEXT NOT NULL,  applied_at INTEGER NOT NULL) STRICT;
INSERT INTO schema_migrations VALUES(1,'first_schema','68ddd21ed7939c8efba51254d9a08ed0a6054cfa674be63bff4a8479e809de21',1800000000000);
INSERT INTO schema_migrations VALUES(2,'offers_of_a_rotation','b19397dd65e6c568f30596f50f49cc64d00c600e44d4be832ba87457efaba82c',1800000000000);
INSERT INTO schema_migrations VALUES(3,'recovery','e68d2492bc192311871f6e8a8cede3ab9ecb0fb5d32af3d84717f69bbec0f43c',1800000000000);
INSERT INTO schema_migrations VALUES(4,'sightings','bd3e87e373db9a650b51e0bd1c985eb4e2ad403da1ac9544ad6cf5f602a8bb8f',1800000000000);
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

  last_rotation_id TEXT, last_address TEXT NOT NULL DEFAULT '', reuse_floor INTEGER NOT NULL DEFAULT 0, reuse TEXT CHECK (reuse IS NULL OR json_valid(reuse)), contested TEXT CHECK (contested IS NULL OR json_valid(contested)),                   -- kept by the engine: where the list of rotations begins

  -- A token is there whole or not at all.
  CHECK ((token_generation IS NULL) = (token_hash IS NULL)
     AND (token_generation IS NULL) = (token_issued_at IS NULL)),
  CHECK ((pending_generation IS NULL) = (pending_token_hash IS NULL)
     AND (pending_generation IS NULL) = (sealed_pending_token IS NULL)
     AND (pending_generation IS NULL) = (pending_rotation_id IS NULL)),
  CHECK ((previous_generation IS NULL) = (previous_token_hash IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO agents VALUES('01980000-0000-7000-8000-000000000001','agent-1','daemon','ops','{"site":"paris","tier":"1"}','{"note":"café","count":3,"nested":{"deep":true}}',1800000000001,1800000000002,1800000000003,1800000000004,X'689f6a627384c7dcb2dcc1487e540223e77bdf9dcd0d8be8a326eda65b0ce9a4','host-1','0.1.0',2,1,'suspended',4,4,2,1800000000005,2,'01980000-0000-7000-8000-000000000902',X'97b0560280ed60a5a1eaa1bc45492543c8a986ad5a25b468c427eb83c3e88191',1800000000001,1800000000006,3,'01980000-0000-7000-8000-000000000903',X'62a2fed3d6e08c44835fce71f02210b1ddabfb066e39edf1e6c261988f824dd3',X'0100ff',1800000000007,7,'disk_full',1,'01980000-0000-7000-8000-000000000901',X'6da0633528deaa0144e7b058315f0b753ec0b945163a72bf96a0d18180f9de0d',1800000000009,1800000000010,'emergency','admin-1',1800000000011,'01980000-0000-7000-8000-000000000902','',1,'{"seen_at":1800000000012,"generation":1,"address":"192.0.2.9","holder_address":"192.0.2.7:5"}','{"seen_at":1800000000013,"generation":2,"address":"2001:db8::1","holder_address":"192.0.2.7:5","rotation_id":"01980000-0000-7000-8000-000000000904","cause":"emergency"}');
INSERT INTO agents VALUES('01980000-0000-7000-8000-000000000002','agent-2','daemon','','{}','{}',0,0,NULL,NULL,NULL,'','',0,0,'active',0,1,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',1,NULL,NULL);
INSERT INTO agents VALUES('01980000-0000-7000-8000-000000000003','agent-3','daemon','ops','{"site":"paris","tier":"1"}','{"note":"café","count":3,"nested":{"deep":true}}',1800000000001,1800000000002,1800000000003,1800000000004,X'689f6a627384c7dcb2dcc1487e540223e77bdf9dcd0d8be8a326eda65b0ce9a4','host-1','0.1.0',2,0,'active',4,4,2,1800000000005,2,'01980000-0000-7000-8000-000000000902',X'97b0560280ed60a5a1eaa1bc45492543c8a986ad5a25b468c427eb83c3e88191',1800000000001,NULL,3,'01980000-0000-7000-8000-000000000903',X'62a2fed3d6e08c44835fce71f02210b1ddabfb066e39edf1e6c261988f824dd3',X'0100ff',1800000000007,7,'disk_full',1,'01980000-0000-7000-8000-000000000901',X'6da0633528deaa0144e7b058315f0b753ec0b945163a72bf96a0d18180f9de0d',1800000000009,1800000000010,'emergency','admin-1',1800000000011,NULL,'',4,NULL,NULL);
CREATE TABLE tombstones (
  agent_id TEXT NOT NULL REFERENCES agents (agent_id) ON DELETE CASCADE,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  kind TEXT NOT NULL CHECK (kind IN ('token', 'identity_key')),
  generation INTEGER NOT NULL,
  retired_at INTEGER NOT NULL,
  PRIMARY KEY (agent_id, hash)
) STRICT, WITHOUT ROWID;
INSERT INTO tombstones VALUES('01980000-0000-7000-8000-000000000001',X'48a7dbf8ff4ab714cf278ff0ef0c2637b77b711bc04787ee543964caec536f16','token',1,1800000000000);
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
INSERT INTO enrollment_codes VALUES('01980000-0000-7000-8000-000000000050','01980000-0000-7000-8000-000000000002',X'5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b','admin',1800000000000,1800000600000,NULL,NULL,'');
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
INSERT INTO api_keys VALUES('01980000-0000-7000-8000-000000000060','01980000-0000-7000-8000-000000000001','ci',X'2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683','["agents:read"]',1800000000000,NULL,NULL);
CREATE TABLE capabilities (
  agent_id TEXT NOT NULL REFERENCES agents (agent_id) ON DELETE CASCADE,
  capability TEXT NOT NULL CHECK (capability <> ''),
  granted_by TEXT NOT NULL,
  granted_at INTEGER NOT NULL,
  PRIMARY KEY (agent_id, capability)
) STRICT, WITHOUT ROWID;
INSERT INTO capabilities VALUES('01980000-0000-7000-8000-000000000001','admin:*','system',1800000000000);
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
, attempts INTEGER NOT NULL DEFAULT 0, offered_at INTEGER, last_reason TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;
INSERT INTO rotations VALUES('01980000-0000-7000-8000-000000000902','01980000-0000-7000-8000-000000000001',2,'schedule','system',1800000000000,1800000000000,NULL,NULL,NULL,3,1799999999000,'disk_full');
CREATE TABLE settings (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL                      -- JSON
) STRICT, WITHOUT ROWID;
INSERT INTO settings VALUES('heartbeat_seconds','45');
CREATE TABLE meta (
  name TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES('check',X'010203');
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
INSERT INTO audit VALUES('main',1,1800000000000,'system','agent.created','01980000-0000-7000-8000-000000000001','ok','{"generation":1,"ratio":1E-1}',X'0000000000000000000000000000000000000000000000000000000000000000',X'6dc9c69bb8eb617920d5eb4f4a2f889c35804f028aefb4957b48cfa0c6995c8b');
INSERT INTO audit VALUES('main',2,1800000000000,'system','agent.created','01980000-0000-7000-8000-000000000002','ok','{"generation":1,"ratio":1E-1}',X'6dc9c69bb8eb617920d5eb4f4a2f889c35804f028aefb4957b48cfa0c6995c8b',X'1f7dc5e74d826d77a6f1c76647c73f6ff4d363870d9863926eb30a6f177646f8');
INSERT INTO audit VALUES('main',3,1800000000000,'system','rotation.promoted','01980000-0000-7000-8000-000000000001','ok','{"generation":1,"ratio":1E-1}',X'1f7dc5e74d826d77a6f1c76647c73f6ff4d363870d9863926eb30a6f177646f8',X'f6ce92495e6f5c921b77bbf3330dd5606da533ea3d9945e9bdce09477a7334ca');
INSERT INTO audit VALUES('main',4,1800000000000,'system','token.reuse_detected','01980000-0000-7000-8000-000000000001','ok','{"generation":1,"ratio":1E-1}',X'f6ce92495e6f5c921b77bbf3330dd5606da533ea3d9945e9bdce09477a7334ca',X'4f741aff680dff4574f56152375146a770c828434832ab76efd5d413da418df3');
CREATE TABLE recovery_charges (
  agent_id TEXT NOT NULL REFERENCES agents (agent_id) ON DELETE CASCADE,
  charged_at INTEGER NOT NULL,
  rotation_id TEXT NOT NULL,               -- of the token that was minted
  PRIMARY KEY (agent_id, charged_at, rotation_id)
) STRICT, WITHOUT ROWID;
INSERT INTO recovery_charges VALUES('01980000-0000-7000-8000-000000000001',1800000000000,'01980000-0000-7000-8000-000000000060');
CREATE TABLE recovery_grants (
  agent_id TEXT NOT NULL PRIMARY KEY REFERENCES agents (agent_id) ON DELETE CASCADE,
  units INTEGER NOT NULL CHECK (units >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO recovery_grants VALUES('01980000-0000-7000-8000-000000000003',1);
CREATE UNIQUE INDEX agents_by_name ON agents (name);
CREATE INDEX agents_by_retire_after ON agents (previous_retire_after)
  WHERE previous_retire_after IS NOT NULL;
CREATE INDEX tombstones_by_retired_at ON tombstones (retired_at);
CREATE INDEX enrollment_codes_by_agent ON enrollment_codes (agent_id);
CREATE INDEX api_keys_by_agent ON api_keys (agent_id);
COMMIT;
