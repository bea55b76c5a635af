// Access tokens of the real rekeyd, judged by a library that shares no code with it ("jose"): by the published key set
// they verify, and what was tampered with does not. usage: token_story.mjs REKEYD DATA_DIRECTORY
import assert from "node:assert";
import * as jose from "jose";
import { request, startServer } from "./server.mjs";

const [rekeyd, data] = process.argv.slice(2);
const deadline = setTimeout(() => { console.error("the story took too long"); process.exit(1); }, 60000);

const server = await startServer(rekeyd, data);
const minted = await request(server, "POST", "/auth/token", { "X-API-Key": server.key });
assert.equal(minted.status, 200, minted.text);
const { access_token, token_type, expires_in } = JSON.parse(minted.text);
assert.equal(token_type, "Bearer");

const published = await request(server, "GET", "/.well-known/jwks.json");
assert.equal(published.status, 200);
const jwks = JSON.parse(published.text);
const keys = jose.createLocalJWKSet(jwks);
const claims = jose.decodeJwt(access_token);
const expect = { algorithms: ["EdDSA"], issuer: claims.iss, audience: claims.aud, typ: "at+jwt", requiredClaims: ["sub", "jti", "nbf", "iat", "exp"] };
const { payload, protectedHeader } = await jose.jwtVerify(access_token, keys, expect);
assert.equal(protectedHeader.alg, "EdDSA");
assert.equal(payload.exp - payload.iat, expires_in);

// Every key that is published can be imported, and is named by its own thumbprint or by a name of its own, once.
for (const key of jwks.keys) await jose.importJWK(key, key.alg);
assert.equal(new Set(jwks.keys.map((key) => key.kid)).size, jwks.keys.length);
for (const key of jwks.keys) assert.ok(!("d" in key || "k" in key || "p" in key), "a private part is published");

// What jose refuses, Rekey refuses as well.
const [head, body, signature] = access_token.split(".");
const other = await jose.generateKeyPair("EdDSA", { crv: "Ed25519" });
const forged = await new jose.SignJWT(claims).setProtectedHeader(protectedHeader).sign(other.privateKey);
const grown = Buffer.from(JSON.stringify({ ...claims, sub: "018f0000-0000-7000-8000-000000000001" })).toString("base64url");
const unsigned = new jose.UnsecuredJWT(claims).encode();
const withPublicKey = await new jose.SignJWT(claims).setProtectedHeader({ ...protectedHeader, alg: "HS256" })
  .sign(Buffer.from(jwks.keys[0].x, "base64url"));
for (const bad of [forged, `${head}.${grown}.${signature}`, unsigned, withPublicKey, `${access_token}A`]) {
  await assert.rejects(jose.jwtVerify(bad, keys, expect));
  const refused = await request(server, "GET", "/agents", { Authorization: `Bearer ${bad}` });
  assert.equal(refused.status, 401, refused.text);
}
const allowed = await request(server, "GET", "/agents", { Authorization: `Bearer ${access_token}` });
assert.equal(allowed.status, 200, allowed.text);

console.log(`a token of ${expires_in} s verified by jose with ${jwks.keys.length} published keys; five forgeries refused by both`);
await server.stop();
clearTimeout(deadline);
