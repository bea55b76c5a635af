// A Rekey agent: enrolls with a join string, keeps its tokens in memory, lets itself be rotated.
// Written from docs/protocol.md; shares no code with the product.
import crypto from "node:crypto";
import https from "node:https";
import tls from "node:tls";
import WebSocket from "ws";

const base64url = (buffer) => Buffer.from(buffer).toString("base64url");

export function parseJoin(text) {
  const url = new URL(text.replace(/^rekey:/, "https:"));
  return { host: url.hostname, port: Number(url.port), code: url.searchParams.get("code"), pin: url.searchParams.get("ca") };
}

// The CA comes in the served chain; it is believed because its fingerprint stands in the join string.
export function fetchPinnedCa({ host, port, pin }) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host, port, rejectUnauthorized: false }, () => {
      let certificate = socket.getPeerCertificate(true);
      for (let depth = 0; certificate && depth < 8; depth++) {
        const digest = crypto.createHash("sha256").update(certificate.raw).digest("hex");
        if (`sha256:${digest}` === pin) {
          const body = certificate.raw.toString("base64").match(/.{1,64}/g).join("\n");
          socket.end();
          return resolve(`-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`);
        }
        const issuer = certificate.issuerCertificate;
        certificate = issuer === certificate ? null : issuer;
      }
      socket.destroy();
      reject(new Error("no certificate of the served chain has the pin of the join string"));
    });
    socket.on("error", reject);
  });
}

export class Agent {
  constructor(join, ca) {
    Object.assign(this, { join, ca, tokens: [], waiting: new Map(), seen: [], watchers: [], requests: 0 });
    this.key = crypto.generateKeyPairSync("ed25519");
  }

  enroll() {
    const publicKey = this.key.publicKey.export({ format: "jwk" }).x;
    const codeId = this.join.code.split("_")[1];
    const message = Buffer.from(`rekey-enroll-v1\n${codeId}\n${publicKey}`);
    const body = JSON.stringify({ code: this.join.code, public_key: publicKey,
      signature: base64url(crypto.sign(null, message, this.key.privateKey)), hostname: "node", version: "1" });
    return new Promise((resolve, reject) => {
      const request = https.request({ host: this.join.host, port: this.join.port, path: "/enroll", method: "POST",
        ca: this.ca, headers: { "Content-Type": "application/json" } }, (response) => {
        let text = "";
        response.on("data", (part) => (text += part));
        response.on("end", () => {
          const reply = JSON.parse(text);
          if (response.statusCode !== 200) return reject(new Error(text));
          this.agentId = reply.agent_id;
          this.tokens = [{ ...reply, confirmed: true }];
          resolve(reply);
        });
      });
      request.on("error", reject);
      request.end(body);
    });
  }

  async connect() {
    const token = this.tokens.at(-1).token;
    this.socket = new WebSocket(`wss://${this.join.host}:${this.join.port}/agent`, ["rekey.agent.v1"],
      { ca: this.ca, headers: { Authorization: `Bearer ${token}` } });
    this.socket.on("message", (data) => this.receive(JSON.parse(data.toString())));
    await new Promise((resolve, reject) => { this.socket.on("open", resolve); this.socket.on("error", reject); });
    await this.until("agent.welcome");
    const held = this.tokens.map((t) => ({ generation: t.generation, rotation_id: t.rotation_id,
      state: t.confirmed ? "confirmed" : "candidate" }));
    return this.call("agent.hello", { version: "1", hostname: "node", os: "any", boot_id: "b", tokens_held: held, methods: [] });
  }

  call(method, params) {
    const id = ++this.requests;
    this.socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  // Resolves once a request of this name was served, also if it was before.
  until(method, times = 1) {
    if (this.seen.filter((name) => name === method).length >= times) return Promise.resolve();
    return new Promise((resolve) => this.watchers.push({ method, times, resolve }));
  }

  receive(message) {
    if (!message.method) {
      this.waiting.get(message.id)?.(message);
      this.waiting.delete(message.id);
      return;
    }
    const { method, params } = message;
    const result = { "agent.rotate": () => this.rotate(params), "agent.commit": () => this.commit(params),
      "agent.ping": () => ({ status: "ok", uptime_seconds: 1, ...params }),
      "agent.welcome": () => ({}) }[method]();
    if (message.id !== undefined) this.socket.send(JSON.stringify({ jsonrpc: "2.0", id: message.id, result }));
    this.seen.push(method);
    this.watchers = this.watchers.filter((watcher) => {
      const done = this.seen.filter((name) => name === watcher.method).length >= watcher.times;
      if (done) watcher.resolve();
      return !done;
    });
  }

  rotate(offer) {
    if (!this.tokens.some((t) => t.rotation_id === offer.rotation_id))
      this.tokens = [...this.tokens.filter((t) => t.confirmed).slice(-1), { ...offer, confirmed: false }];
    const proof = crypto.createHmac("sha256", offer.token)
      .update(`rekey-rotation-proof-v1\n${this.agentId}\n${offer.rotation_id}\n${offer.generation}`).digest("hex");
    return { status: "rotation_complete", rotation_id: offer.rotation_id, generation: offer.generation, proof };
  }

  commit({ rotation_id, generation }) {
    this.tokens.find((t) => t.rotation_id === rotation_id).confirmed = true;
    return { status: "activated", rotation_id, generation };
  }
}
