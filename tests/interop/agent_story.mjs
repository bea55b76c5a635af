// Starts rekeyd, enrolls the JavaScript agent, rotates it twice, reconnects. usage: agent_story.mjs REKEYD DATA_DIRECTORY
import assert from "node:assert";
import { spawn } from "node:child_process";
import fs from "node:fs";
import https from "node:https";
import readline from "node:readline";
import { Agent, fetchPinnedCa, parseJoin } from "./agent.mjs";

const [rekeyd, data] = process.argv.slice(2);
const deadline = setTimeout(() => { console.error("the story took too long"); process.exit(1); }, 60000);

const server = spawn(rekeyd, ["--data-dir", data, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "ignore", "pipe"] });
const lines = readline.createInterface({ input: server.stderr });
await new Promise((resolve, reject) => {
  lines.on("line", (line) => line.includes("event=server.listening") && resolve());
  server.on("exit", () => reject(new Error("rekeyd ended before it listened")));
});
const [host, port] = fs.readFileSync(`${data}/listen`, "utf8").trim().split(":");
const key = fs.readFileSync(`${data}/admin.key`, "utf8").trim();
const ca = fs.readFileSync(`${data}/ca.pem`, "utf8");

function admin(method, params) {
  return new Promise((resolve, reject) => {
    const request = https.request({ host, port, ca, path: "/rpc", method: "POST", headers: { Authorization: `Bearer ${key}` } },
      (response) => {
        let text = "";
        response.on("data", (part) => (text += part));
        response.on("end", () => { const answer = JSON.parse(text); answer.result ? resolve(answer.result) : reject(new Error(text)); });
      });
    request.on("error", reject);
    request.end(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
  });
}

const { agent_id } = await admin("agents.create", { name: "javascript" });
const { join_string } = await admin("agents.enrollment_code", { agent_id });
const join = parseJoin(join_string);
const agent = new Agent(join, await fetchPinnedCa(join));
assert.equal((await agent.enroll()).generation, 1);
assert.equal((await agent.connect()).result.status, "ok");
await agent.until("agent.commit");
for (const generation of [2, 3]) {
  const started = await admin("rotations.start", { agent_id, force: true });
  assert.equal(started.generation, generation);
  await agent.until("agent.commit", generation);
  const status = await agent.call("agent.key_status", {});
  assert.equal(status.result.generation, generation);
}
agent.socket.close();
agent.seen = [];
const again = await agent.connect();
assert.equal(again.result.generation, 3);
agent.socket.close();
console.log("enrolled, connected, rotated twice, reconnected");
server.kill("SIGTERM");
await new Promise((resolve) => server.on("exit", resolve));
clearTimeout(deadline);
