#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

// Every bound of the product, in one place, with its unit in its name. "Never trust the other side"
// means that each size, count, rate, depth and time that a peer can influence is compared with one
// of these.
namespace rekey::limits {

using namespace std::chrono_literals;

// Messages (docs/protocol.md).
inline constexpr std::size_t kMessageBytes = std::size_t{64} * 1024;
inline constexpr std::size_t kMessageFragments = 64;
inline constexpr std::size_t kJsonDepth = 32;
inline constexpr std::size_t kBatchEntries = 32;
inline constexpr std::size_t kErrorBytes = 1024;
inline constexpr std::size_t kParseErrorsAMinute = 10;
inline constexpr std::size_t kRequestIdBytes = 256;  // as JSON text
inline constexpr std::size_t kMethodNameBytes = 128;
inline constexpr std::size_t kCredentialBytes = 512;  // a token, API key or code as text
inline constexpr std::size_t kJoinStringBytes = 1024;
inline constexpr std::size_t kCertificateBytes = std::size_t{16} * 1024;  // in PEM
inline constexpr std::size_t kDetailBytes = 1024;  // what an agent says about its failure
// Answers to an admin over HTTP hold pages of rows and are larger than messages.
inline constexpr std::size_t kAnswerBytes = std::size_t{4} * 1024 * 1024;

// HTTP.
inline constexpr std::size_t kHttpHeaderBytes = std::size_t{8} * 1024;
inline constexpr std::size_t kHttpHeaderFields = 64;
inline constexpr std::size_t kHttpBodyBytes = kMessageBytes;
inline constexpr auto kTlsHandshakeTimeout = 10s;
inline constexpr auto kHttpHeaderTimeout = 10s;
inline constexpr auto kHttpIdleTimeout = 60s;
// After it a connection that has shown no good credential ends with its next answer.
inline constexpr auto kHttpStrangerLife = 2min;
inline constexpr std::size_t kClientRequestIdBytes = 128;  // X-Request-Id
inline constexpr std::size_t kOrigins = 32;                // that may be configured, and hosts
inline constexpr std::size_t kUnauthenticatedConnectionsAnAddress = 256;
inline constexpr std::size_t kTrustedProxies = 256;  // addresses and networks that may be named
inline constexpr std::size_t kForwardedHops = 32;    // proxies between a client and the server

// Sessions.
inline constexpr auto kHelloTimeout = 10s;
inline constexpr auto kSupersedePingTimeout = 3s;
inline constexpr auto kShardTick = 250ms;
inline constexpr auto kLastSeenFlush = 30s;
inline constexpr std::size_t kLateCallsASession = 16;
inline constexpr auto kCloseHandshakeTimeout = 2s;
inline constexpr std::size_t kOutboxBytes = std::size_t{256} * 1024;
inline constexpr std::size_t kPendingCallsASession = 64;
inline constexpr std::size_t kReportedMethods = 256;
inline constexpr std::size_t kAgentRequestsInFlight = 16;  // beyond the session's own
inline constexpr double kSilenceHeartbeats = 2.5;

// Rotation (docs/rotation.md).
inline constexpr std::uint64_t kGenerationCeiling = std::uint64_t{1} << 53U;
inline constexpr std::uint64_t kGenerationRaise = 1000;
inline constexpr std::size_t kTombstonesAnAgent = 16;
inline constexpr auto kTombstoneLife = std::chrono::days{90};
inline constexpr auto kRotationBackoffCap = 1h;
inline constexpr unsigned kAlarmAfterAttempts = 5;
// A retired token that comes again from one address is written once in this time ...
inline constexpr auto kSightingWindow = 1h;
inline constexpr std::size_t kSightingsAnAgent = 16;  // ... and this many rows of one agent
inline constexpr std::size_t kSightingAgents = 4096;  // remembered; the row says what is open
// Between accept and judgement; more is a jump of the wall clock.
inline constexpr auto kClockJump = 1s;
inline constexpr std::size_t kTokensHeld = 2;
inline constexpr std::size_t kTokensReported = 16;  // other people's agents may hold more

// Recovery (docs/rotation.md).
inline constexpr auto kChallengeLife = 60s;
inline constexpr auto kRecoveryWindow = std::chrono::days{365};  // the longest that can be set
inline constexpr std::size_t kRecoveryBudget = 100;              // the largest that can be set
inline constexpr std::uint64_t kRecoveryGrants = 100;            // that wait at once, an agent
inline constexpr auto kRecoveryAuditPause = 10min;  // alike rows of one agent are counted so long
inline constexpr std::size_t kRecoveryAuditAgents = 65536;

// Revocation journal (docs/adr/0006).
inline constexpr std::size_t kRevocationJournalBytes = std::size_t{256} * 1024 * 1024;
inline constexpr std::size_t kRevocationQueue = 65536;

// Audit (docs/audit.md).
inline constexpr std::size_t kAuditScanRows = 100'000;  // looked at for one page
inline constexpr std::size_t kCheckpointRows = 10'000;  // at most between two, ...
inline constexpr auto kCheckpointAge = 15min;           // ... and so old at most the newest row
inline constexpr auto kCheckpointLook = 10s;
inline constexpr std::size_t kCheckpointBytes = 2048;      // one, as a compact JWS
inline constexpr std::size_t kCheckpointsAnAnswer = 1000;  // and keys
// By more the wall clock may not have gone astray since the start when rows are removed by age.
inline constexpr auto kRetentionClockJump = 1h;
// So far the wall clock may go another way than time does between two looks at the keys; after
// more, nothing is rotated, withdrawn or destroyed by it until it has kept its way for so long.
inline constexpr auto kKeyClockJump = 1h;
inline constexpr auto kKeyClockSettles = 1h;
inline constexpr std::size_t kKeyChangesWaiting = 64;
inline constexpr std::size_t kVerifyRows = 1'000'000;  // in one call of audit.verify
inline constexpr std::size_t kVerifyPage = 2'000;      // rows that one read transaction sees
inline constexpr std::size_t kAuditLineBytes = std::size_t{256} * 1024;  // of an export
inline constexpr auto kRefusalsFlush = 60s;
inline constexpr std::size_t kRefusalsRemembered = 256;  // rows a flush; beyond: one for all others

// Agent.
inline constexpr auto kReconnectBackoffFirst = 500ms;
inline constexpr auto kReconnectBackoffCap = 60s;
inline constexpr auto kSlowRetry = 5min;
inline constexpr auto kSupersededWait = 60s;
inline constexpr auto kHookTimeout = 30s;
inline constexpr std::size_t kStateFileBytes = std::size_t{64} * 1024;
inline constexpr double kAgentAsksAtFraction = 0.95;
inline constexpr auto kWelcomeTimeout = 15s;    // from the upgrade to the answer to agent.hello
inline constexpr auto kAgentCallTimeout = 30s;  // of the agent's own requests
inline constexpr auto kFarewellTimeout = 1s;    // for the answer to agent.shutdown
inline constexpr auto kRetryAfterCap = 1h;      // what a server may make an agent wait
// The daemon's control socket.
inline constexpr std::size_t kControlConnections = 16;
inline constexpr std::size_t kControlLineBytes = kMessageBytes;
inline constexpr auto kControlIdle = 30s;      // between two requests of one peer
inline constexpr auto kControlPatience = 35s;  // of who asks: longer than the daemon waits itself

// Keys and signed tokens (docs/authentication.md).
inline constexpr std::size_t kRsaBitsMin = 2048;
inline constexpr std::size_t kRsaBitsMax = 4096;
inline constexpr std::size_t kKeyPemBytes = std::size_t{8} * 1024;  // an RSA-4096 key has 3.3 KiB
inline constexpr std::size_t kKidBytes = 128;
inline constexpr std::size_t kJwkBytes = std::size_t{8} * 1024;
inline constexpr std::size_t kJwksBytes = std::size_t{256} * 1024;
inline constexpr std::size_t kJwksKeys = 64;
inline constexpr std::size_t kJwsBytes = std::size_t{8} * 1024;  // as much as HTTP headers may have
inline constexpr std::size_t kJwsHeaderBytes = 1024;
inline constexpr std::size_t kJwsTypBytes = 64;
inline constexpr std::size_t kJwtClaimBytes = 512;  // of one of the registered claims
inline constexpr std::size_t kJwtAudiences = 16;
inline constexpr auto kJwtLeeway = 60s;  // by which clocks may differ
// What verifiers may keep the JWK set for, and how long a key stands in it before it signs: as much
// again, for caches that are late.
inline constexpr auto kJwksMaxAge = 5min;
inline constexpr auto kPublicationLead = 2 * kJwksMaxAge;
// A version that signs no more is shown for longer than any token that it signed can live
// (jwt_minutes is a day at most).
inline constexpr auto kRetiringKeyLife = 48h;
inline constexpr auto kSigningKeyCheck = 60s;
inline constexpr std::size_t kKeyTags = 32;
inline constexpr std::size_t kKeyVersions = 1000;  // of one key, destroyed ones too
inline constexpr std::size_t kProviderKeys = 1000;
inline constexpr auto kDestructionDelayMin = std::chrono::days{7};
inline constexpr auto kDestructionDelayMax = std::chrono::days{30};
inline constexpr std::size_t kKeyPlaintextBytes = std::size_t{64} * 1024;
inline constexpr std::size_t kHkdfBytes = std::size_t{255} * 32;  // RFC 5869, section 2.3
inline constexpr std::size_t kRandomBytesACall = 1024;

// Reports of agents (docs/protocol.md): claims, which cost space and nothing else.
inline constexpr std::size_t kReportsAKind = 128;     // of one agent and one kind
inline constexpr std::size_t kReportNameBytes = 128;  // of a capability, a server, an SDK
inline constexpr std::size_t kReportsACall = 64;

// rekey-agent detect.
// Clients keep more in these files than their servers, and some of it grows.
inline constexpr std::size_t kClientConfigBytes = std::size_t{16} * 1024 * 1024;
inline constexpr std::size_t kDetectedServers = 1024;
inline constexpr std::size_t kDetectedProjects = 1024;  // whose own files are looked for

// Storage.
inline constexpr std::size_t kWriteQueueUnits = 65536;
inline constexpr std::size_t kReadQueueUnits = 65536;
inline constexpr std::size_t kUnitsACommit = 512;
inline constexpr auto kReadTransaction = 5s;
inline constexpr std::size_t kPageRows = 500;
inline constexpr std::size_t kSweepRows = 10'000;

// Admin door.
inline constexpr std::size_t kAgentsARequest = 1000;
inline constexpr std::size_t kFindings = 16;          // of one agent (agents.why) ...
inline constexpr std::size_t kFindingBytes = 1024;    // ... each of so much text
inline constexpr std::size_t kWhyAuditRows = 10'000;  // the newest, in which it looks for a cause
inline constexpr std::size_t kLabels = 64;
inline constexpr std::size_t kCapabilityBytes = 129;  // two names of 64 and a colon
inline constexpr std::size_t kCapabilitiesAnAgent = 256;
inline constexpr std::size_t kVerifyContextBytes = 1024;  // of agent.verify, as JSON, in the audit
inline constexpr std::int64_t kAgentCallSeconds = 600;    // that agents.call waits at most
inline constexpr std::size_t kTextBytes = 256;
inline constexpr std::size_t kMetadataBytes = std::size_t{8} * 1024;
inline constexpr std::size_t kSettings = 128;
inline constexpr std::size_t kSettingsBytes = std::size_t{16} * 1024;
inline constexpr std::size_t kRotationsAnAnswer = 10000;
inline constexpr std::size_t kRotationStartsInFlight = 256;  // of one call for many agents
inline constexpr std::size_t kCallsAnAdminSocket = 32;       // being worked on
inline constexpr auto kAdminPing = 30s;
inline constexpr std::size_t kFailureAddresses = 65536;  // remembered by the failure limiter
inline constexpr auto kEnrollmentRepeat = 24h;  // how long a lost enrollment reply is given again

// API keys (docs/authentication.md).
inline constexpr std::size_t kApiKeysAnAgent = 100;      // that work
inline constexpr std::size_t kDeadApiKeysAnAgent = 100;  // the newest are kept to be shown
inline constexpr std::size_t kKeyCapabilities = 64;      // that its maker may list
// That one has: who may less than admin:* makes keys bounded by all that the agent holds.
inline constexpr std::size_t kKeyCapabilitiesKept = kCapabilitiesAnAgent;
inline constexpr std::int64_t kKeyGraceHours = 720;
inline constexpr std::size_t kIdempotencyKeyBytes = 128;
inline constexpr auto kIdempotencyLife = 10min;  // how long a lost answer is given again
inline constexpr std::size_t kIdempotentAnswersACaller = 1000;
inline constexpr std::int64_t kDaysOfTime = 3'700'000;  // from any RFC 3339 time to any other
inline constexpr auto kKeyUseFlush = 30s;               // last_used_at, in batches ...
inline constexpr std::size_t kKeyUses = 65536;          // ... of so many keys at most
inline constexpr std::size_t kTokenVerdicts = 16384;    // signatures that are remembered as good
inline constexpr std::size_t kAccessTokenBytes = 4096;  // one of ours; longer is none
inline constexpr std::size_t kTokenScopeBytes = 1024;   // a longer scope is left out
inline constexpr std::size_t kAudienceBytes = 256;

// Process.
inline constexpr std::size_t kShards = 64;
inline constexpr std::size_t kConfigFileBytes = std::size_t{256} * 1024;
// Often, because the wall clock may jump (a suspended machine); a look costs microseconds.
inline constexpr auto kCertificateCheck = 10s;

// Admin's program.
inline constexpr std::size_t kClientAnswerBytes = std::size_t{64} * 1024 * 1024;
// A page that the rate limit refuses is waited for: so often in a row, and never so long at once. A
// spent bucket says at most a minute.
inline constexpr std::size_t kRateLimitWaits = 10;
inline constexpr auto kRateLimitWait = 60s;
inline constexpr std::size_t kKeyFileBytes = std::size_t{4} * 1024;
inline constexpr std::size_t kCaFileBytes = std::size_t{1024} * 1024;

static_assert(kErrorBytes < kMessageBytes);
static_assert(kControlPatience > kAgentCallTimeout);
static_assert(kOutboxBytes >= 2 * kMessageBytes,
              "one message in flight must never close a peer as slow");
static_assert(kGenerationRaise < kGenerationCeiling);

}  // namespace rekey::limits
