// rekeyd as a process, and an admin's call to it.
import { spawn } from "node:child_process";
import fs from "node:fs";
import https from "node:https";
import readline from "node:readline";

// Resolves once it listens: {host, port, ca, key, stop()}.
export async function startServer(rekeyd, data, ...flags) {
  const server = spawn(rekeyd, ["--data-dir", data, "--listen", "127.0.0.1:0", ...flags], { stdio: ["ignore", "ignore", "pipe"] });
  const lines = readline.createInterface({ input: server.stderr });
  await new Promise((resolve, reject) => {
    lines.on("line", (line) => line.includes("event=server.listening") && resolve());
    server.on("exit", () => reject(new Error("rekeyd ended before it listened")));
  });
  const [host, port] = fs.readFileSync(`${data}/listen`, "utf8").trim().split(":");
  const key = fs.readFileSync(`${data}/admin.key`, "utf8").trim();
  const ca = fs.readFileSync(`${data}/ca.pem`, "utf8");
  const stop = async () => {
    server.kill("SIGTERM");
    await new Promise((resolve) => server.on("exit", resolve));
  };
  return { host, port, ca, key, stop };
}

// One HTTPS request: {status, headers, text}.
export function request(server, method, path, headers = {}, body = undefined) {
  return new Promise((resolve, reject) => {
    const sent = https.request({ host: server.host, port: server.port, ca: server.ca, path, method, headers }, (response) => {
      let text = "";
      response.on("data", (part) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

// The result of an admin's JSON-RPC call.
export async function call(server, method, params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const { text } = await request(server, "POST", "/rpc", { Authorization: `Bearer ${server.key}` }, body);
  const answer = JSON.parse(text);
  if (!answer.result) throw new Error(text);
  return answer.result;
}
