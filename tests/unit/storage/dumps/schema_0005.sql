-- A database of schema 5 with agents, keys, capabilities, signing keys, checkpoints, an idempotent
-- answer and reports in it, as the sqlite3 shell's .dump wrote it. Never edited: a later schema must
-- migrate exactly this. What is in it: dump_rows.hpp.
PRAGMA application_id=1380664665;
PRAGMA user_version=5;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE schema_migrations (  version INTEGER NOT NULL PRIMARY KEY,  name TEXT NOT NULL,  checksum TEXT NOT NULL,  applied_at INTEGER NOT NULL) STRICT;
INSERT INTO schema_migrations VALUES(1,'first_schema','68ddd21ed7939c8efba51254d9a08ed0a6054cfa674be63bff4a8479e809de21',1800000000000);
INSERT INTO schema_migrations VALUES(2,'offers_of_a_rotation','b19397dd65e6c568f30596f50f49cc64d00c600e44d4be832ba87457efaba82c',1800000000000);
INSERT INTO schema_migrations VALUES(3,'recovery','e68d2492bc192311871f6e8a8cede3ab9ecb0fb5d32af3d84717f69bbec0f43c',1800000000000);
INSERT INTO schema_migrations VALUES(4,'sightings','bd3e87e373db9a650b51e0bd1c985eb4e2ad403da1ac9544ad6cf5f602a8bb8f',1800000000000);
INSERT INTO schema_migrations VALUES(5,'identity','6a1fea580a04f21c05bdbddedeeb4f15fe251328adc40a9e286a36e9893ca15f',1800000000000);
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
, created_by TEXT NOT NULL DEFAULT '', first_used_at INTEGER, last_used_at INTEGER, valid_until INTEGER, successor_key_id TEXT NOT NULL DEFAULT '', predecessor_key_id TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;
INSERT INTO api_keys VALUES('01980000-0000-7000-8000-000000000060','01980000-0000-7000-8000-000000000001','ci',X'2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683','["agents:read"]',1800000000000,NULL,NULL,'',NULL,NULL,NULL,'','');
INSERT INTO api_keys VALUES('01980000-0000-7000-8000-000000000061','01980000-0000-7000-8000-000000000001','deploys',X'6c566fb06b8800cae058409687830dae2041128d874891445e1e7718d36de18f','["agents:read","files:read"]',1800000000061,1800086400000,NULL,'01980000-0000-7000-8000-000000000002',1800000000100,1800000000200,1800003600000,'01980000-0000-7000-8000-000000000062','');
INSERT INTO api_keys VALUES('01980000-0000-7000-8000-000000000062','01980000-0000-7000-8000-000000000001','deploys',X'0a7f4528d49162631cc46a7fed4399f02a391038d7b243b20640efac8dc9e35c','["agents:read","files:read"]',1800000000062,1800086400000,NULL,'01980000-0000-7000-8000-000000000002',NULL,NULL,NULL,'','01980000-0000-7000-8000-000000000061');
INSERT INTO api_keys VALUES('01980000-0000-7000-8000-000000000063','01980000-0000-7000-8000-000000000001','deploys',X'f2b4e90d2f33386647fe073a2477d767de42a685500f79630b4c9cefdf27614b',NULL,1800000000063,NULL,1800000000300,'01980000-0000-7000-8000-000000000002',NULL,NULL,NULL,'','');
CREATE TABLE capabilities (
  agent_id TEXT NOT NULL REFERENCES agents (agent_id) ON DELETE CASCADE,
  capability TEXT NOT NULL CHECK (capability <> ''),
  granted_by TEXT NOT NULL,
  granted_at INTEGER NOT NULL,
  PRIMARY KEY (agent_id, capability)
) STRICT, WITHOUT ROWID;
INSERT INTO capabilities VALUES('01980000-0000-7000-8000-000000000001','admin:*','system',1800000000000);
INSERT INTO capabilities VALUES('01980000-0000-7000-8000-000000000003','files:read','01980000-0000-7000-8000-000000000001',1800000000002);
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
INSERT INTO audit VALUES('main',5,1800000000000,'system','api_key.rotated','01980000-0000-7000-8000-000000000061','ok','{"generation":1,"ratio":1E-1}',X'4f741aff680dff4574f56152375146a770c828434832ab76efd5d413da418df3',X'107ec019dc4961d9451b11f779b5caf1789906c0391f0a4befffcb05cf0fc05b');
INSERT INTO audit VALUES('main',6,1800000000000,'system','capability.granted','01980000-0000-7000-8000-000000000003','ok','{"generation":1,"ratio":1E-1}',X'107ec019dc4961d9451b11f779b5caf1789906c0391f0a4befffcb05cf0fc05b',X'7898cdce909317388d5b17a6cfbb407c523fb990713d12ae15e58e0edee96b96');
INSERT INTO audit VALUES('main',7,1800000000000,'system','signing_key.created','01980000-0000-7000-8000-000000000080','ok','{"generation":1,"ratio":1E-1}',X'7898cdce909317388d5b17a6cfbb407c523fb990713d12ae15e58e0edee96b96',X'1af23e6b1b25c35627808fdfd657b186eb4431aed32d5b2cabd70dacfde3ce77');
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
INSERT INTO idempotent_answers VALUES('01980000-0000-7000-8000-000000000001',X'8a3f6aee00f005cde2975c8573011f0a1f9702dc213a8077771572e6118bcaad','keys.rotate',X'a20b52fae57cc7a99c9651f1b573950fd211823e3ace3bb9c273c06430f24cd3',X'0100ff','01980000-0000-7000-8000-000000000062',1800000600000);
CREATE TABLE capability_registry (
  capability_id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL CHECK (name <> ''),
  description TEXT NOT NULL,
  created_by TEXT NOT NULL,                -- empty: Rekey's own, which nobody removes
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO capability_registry VALUES('00000000-0000-7000-8000-000000000001','admin:*','Everything.','',0);
INSERT INTO capability_registry VALUES('00000000-0000-7000-8000-000000000002','agents:read','See agents and what they report.','',0);
INSERT INTO capability_registry VALUES('00000000-0000-7000-8000-000000000003','agents:write','Create and change agents, and enroll new ones.','',0);
INSERT INTO capability_registry VALUES('00000000-0000-7000-8000-000000000004','agents:call','Call and configure connected agents.','',0);
INSERT INTO capability_registry VALUES('00000000-0000-7000-8000-000000000005','keys:manage','Make, rotate and revoke API keys.','',0);
INSERT INTO capability_registry VALUES('00000000-0000-7000-8000-000000000006','rotations:write','Start and steer rotations.','',0);
INSERT INTO capability_registry VALUES('00000000-0000-7000-8000-000000000007','audit:read','Read and verify the audit.','',0);
INSERT INTO capability_registry VALUES('01980000-0000-7000-8000-000000000070','files:read','Read the archive: café.','01980000-0000-7000-8000-000000000001',1800000000001);
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
INSERT INTO agent_reports VALUES('01980000-0000-7000-8000-000000000001','capability','files:read','{"source":"sdk"}',1800000000010,1800000000010,1);
INSERT INTO agent_reports VALUES('01980000-0000-7000-8000-000000000001','integration','sdk','{"version":"1.2.3","platform":"linux"}',1800000000010,1800000000010,1);
INSERT INTO agent_reports VALUES('01980000-0000-7000-8000-000000000001','mcp_server','the "web"','{"confidence":9.05E1}',1800000000010,1800000000020,2);
CREATE TABLE provider_keys (
  kid TEXT NOT NULL PRIMARY KEY,
  spec TEXT NOT NULL,                      -- JSON object: class, algorithm, size, uses, export policy, label, tags
  next_version INTEGER NOT NULL CHECK (next_version >= 1),
  row_version INTEGER NOT NULL,            -- compare-and-swap
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO provider_keys VALUES('01980000-0000-7000-8000-000000000080','{"class":"asymmetric","algorithm":"ed25519","size_bits":256,"uses":["sign","verify"],"export_policy":"never","label":"access tokens","tags":{"rekey.use":"access_tokens"}}',5,2,1800000000000);
INSERT INTO provider_keys VALUES('01980000-0000-7000-8000-000000000081','{"class":"symmetric","algorithm":"aes-256-gcm","label":"boxes"}',2,1,1800000000000);
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
INSERT INTO provider_key_versions VALUES('01980000-0000-7000-8000-000000000080',1,'destroyed',X'302a300506032b65700321008e58e6b4e4e27a337ef2f784866b31503f7df050387bf318970ccafc4f0e44a5',NULL,1800000000001,1800000000010,1800000000020,1800000000030,1800000000031);
INSERT INTO provider_key_versions VALUES('01980000-0000-7000-8000-000000000080',2,'retiring',X'302a300506032b65700321004bd79641d2778af49ee6028b50d6ab561e3c157d6d576d1a5866cf99c7fb3374',X'00ff02',1800000000002,1800000000010,1800000000020,1800604800000,NULL);
INSERT INTO provider_key_versions VALUES('01980000-0000-7000-8000-000000000080',3,'active',X'302a300506032b6570032100dac7c561b2b10e4586cd0d30cb305ab9d092e7bb941c7139bfaa58849a0abce2',X'00ff03',1800000000003,1800000000010,NULL,NULL,NULL);
INSERT INTO provider_key_versions VALUES('01980000-0000-7000-8000-000000000080',4,'pre_published',X'302a300506032b6570032100e8f74b3017511313bcde3cd2a453b87c16155c7d580a9ae3cd5015a3be504580',X'00ff04',1800000000004,NULL,NULL,NULL,NULL);
INSERT INTO provider_key_versions VALUES('01980000-0000-7000-8000-000000000081',1,'active',X'',X'00ff01',1800000000001,1800000000010,NULL,NULL,NULL);
CREATE TABLE audit_checkpoints (
  stream_id TEXT NOT NULL,
  seq INTEGER NOT NULL CHECK (seq >= 1),
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  time INTEGER NOT NULL,
  signature TEXT NOT NULL,                 -- a compact JWS
  PRIMARY KEY (stream_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO audit_checkpoints VALUES('main',4,X'4f741aff680dff4574f56152375146a770c828434832ab76efd5d413da418df3',1800000000004,'header.payload-4.signature_');
INSERT INTO audit_checkpoints VALUES('main',6,X'7898cdce909317388d5b17a6cfbb407c523fb990713d12ae15e58e0edee96b96',1800000000006,'header.payload-6.signature_');
CREATE UNIQUE INDEX agents_by_name ON agents (name);
CREATE INDEX agents_by_retire_after ON agents (previous_retire_after)
  WHERE previous_retire_after IS NOT NULL;
CREATE INDEX tombstones_by_retired_at ON tombstones (retired_at);
CREATE INDEX enrollment_codes_by_agent ON enrollment_codes (agent_id);
CREATE INDEX api_keys_by_agent ON api_keys (agent_id);
CREATE INDEX idempotent_answers_by_key ON idempotent_answers (key_id);
CREATE INDEX idempotent_answers_by_expiry ON idempotent_answers (expires_at);
CREATE UNIQUE INDEX capability_registry_by_name ON capability_registry (name);
CREATE INDEX provider_key_versions_by_destroy_at ON provider_key_versions (destroy_at)
  WHERE destroy_at IS NOT NULL;
COMMIT;
