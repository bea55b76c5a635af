// What rekeyd says of itself, judged by validators of other people: /openapi.json as OpenAPI 3.1, /openrpc.json and
// rpc.discover as OpenRPC. usage: descriptions_story.mjs REKEYD DATA_DIRECTORY
import assert from "node:assert";
import { Validator } from "@seriousme/openapi-schema-validator";
import { validateOpenRPCDocument } from "@open-rpc/schema-utils-js";
import { call, request, startServer } from "./server.mjs";

async function document(server, path) {
  const answer = await request(server, "GET", path);
  assert.equal(answer.status, 200, path);
  return JSON.parse(answer.text);
}

async function isOpenApi(found) {
  const validator = new Validator();
  const verdict = await validator.validate(structuredClone(found));
  assert.ok(verdict.valid, JSON.stringify(verdict.errors, null, 2));
  assert.equal(validator.version, "3.1");
  // Resolves every $ref, and throws for one that leads nowhere.
  validator.resolveRefs();
}

function isOpenRpc(found) {
  const verdict = validateOpenRPCDocument(found);
  assert.equal(verdict, true, String(verdict));
}

// The validators themselves find what is wrong.
async function isBroken(openapi, openrpc) {
  openapi.paths["/agents"].get.responses = {};
  openapi.paths["/agents"].post.parameters = [{ name: "x", in: "nowhere" }];
  assert.equal((await new Validator().validate(openapi)).valid, false);
  delete openrpc.methods[0].params;
  assert.notEqual(validateOpenRPCDocument(openrpc), true);
}

// Each route that is described answers as one: never "there is nothing at this path", never with a verb refused.
async function routesAreThere(server, openapi) {
  let count = 0;
  for (const [path, verbs] of Object.entries(openapi.paths)) {
    for (const [verb, operation] of Object.entries(verbs)) {
      const target = path.replace(/\{[a-z_]+\}/g, "00000000-0000-7000-8000-000000000000");
      const answer = await request(server, verb.toUpperCase(), target);
      const open = operation.security?.length === 0;
      const expected = open ? [200, 400, 422] : [401];
      assert.ok(expected.includes(answer.status), `${verb} ${path}: ${answer.status} ${answer.text}`);
      count += 1;
    }
  }
  return count;
}

const [rekeyd, data] = process.argv.slice(2);
const server = await startServer(rekeyd, data);
try {
  const openapi = await document(server, "/openapi.json");
  await isOpenApi(openapi);
  const openrpc = await document(server, "/openrpc.json");
  isOpenRpc(openrpc);
  assert.deepEqual(await call(server, "rpc.discover", {}), openrpc);
  const routes = await routesAreThere(server, openapi);
  await isBroken(openapi, openrpc);
  console.log(`interop: OpenAPI with ${routes} routes and OpenRPC with ${openrpc.methods.length} methods are valid`);
} finally {
  await server.stop();
}
