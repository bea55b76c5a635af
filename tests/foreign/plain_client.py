"""A Rekey agent in another language, written from docs/protocol.md alone; it shares no code with the product.

It enrolls with a join string, connects, keeps its tokens in a file of its own and lets itself be rotated. What it needs:
a WebSocket library, an HTTP client, Ed25519 and HMAC.
"""
import asyncio
import base64
import hashlib
import hmac
import http.client
import json
import os
import ssl
import urllib.parse

import websockets
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class JoinString:
    """rekey://HOST:PORT/?code=...&ca=sha256:..."""

    def __init__(self, text):
        url = urllib.parse.urlsplit(text)
        query = urllib.parse.parse_qs(url.query)
        assert url.scheme == "rekey", url.scheme
        self.host, self.port = url.hostname, url.port
        self.code, self.pin = query["code"][0], query["ca"][0]

    def code_id(self):
        return self.code.split("_")[1]


def pinned_context(host, port, pin):
    """Fetches the CA that the server sends in its chain, checks it against the pin, and trusts that CA only.

    Python's ssl gives the peer's chain only from 3.13 on, so a first connection reads it with the openssl program.
    """
    import subprocess
    shown = subprocess.run(["openssl", "s_client", "-showcerts", "-connect", f"{host}:{port}"], input=b"",
                           capture_output=True, timeout=20, check=False).stdout.decode()
    for block in shown.split("-----BEGIN CERTIFICATE-----")[1:]:
        pem = "-----BEGIN CERTIFICATE-----" + block.split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
        if "sha256:" + hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest() == pin:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=pem)
            return context
    raise ConnectionError("no certificate of the served chain has the pin of the join string")


class PlainAgent:
    def __init__(self, folder):
        self.path = os.path.join(folder, "plain-agent.json")
        self.key = Ed25519PrivateKey.generate()
        self.state = {"agent_id": None, "tokens": []}
        self.requests = 0

    # --- its state file: tokens oldest first, each {generation, rotation_id, token, confirmed}
    def save(self):
        with open(self.path + ".new", "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            json.dump(self.state, file)
            file.flush()
            os.fsync(file.fileno())
        os.rename(self.path + ".new", self.path)

    def load(self):
        with open(self.path, encoding="utf-8") as file:
            self.state = json.load(file)

    def held(self, rotation_id):
        return next((t for t in self.state["tokens"] if t["rotation_id"] == rotation_id), None)

    # --- enrollment
    def enroll(self, join_text):
        join = JoinString(join_text)
        self.join, self.context = join, pinned_context(join.host, join.port, join.pin)
        public = base64url(self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
        message = f"rekey-enroll-v1\n{join.code_id()}\n{public}".encode()
        body = json.dumps({"code": join.code, "public_key": public, "signature": base64url(self.key.sign(message)),
                           "hostname": "python", "version": "1"})
        connection = http.client.HTTPSConnection(join.host, join.port, context=self.context, timeout=20)
        connection.request("POST", "/enroll", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        reply = json.loads(answer.read())
        if answer.status != 200:
            return answer.status, reply
        self.state = {"agent_id": reply["agent_id"],
                      "tokens": [{"generation": reply["generation"], "rotation_id": reply["rotation_id"],
                                  "token": reply["token"], "confirmed": True}]}
        self.save()
        return answer.status, reply

    # --- one session
    async def connect(self):
        newest = self.state["tokens"][-1]
        self.socket = await websockets.connect(
            f"wss://{self.join.host}:{self.join.port}/agent", ssl=self.context, subprotocols=["rekey.agent.v1"],
            extra_headers={"Authorization": "Bearer " + newest["token"]}, ping_interval=None)
        welcome = json.loads(await self.socket.recv())
        assert welcome["method"] == "agent.welcome" and "id" not in welcome, welcome
        token = self.held(welcome["params"]["rotation_id"])
        if token and not token["confirmed"]:
            token["confirmed"] = True
            self.save()
        tokens_held = [{"generation": t["generation"], "rotation_id": t["rotation_id"],
                        "state": "confirmed" if t["confirmed"] else "candidate"} for t in self.state["tokens"]]
        hello = await self.call("agent.hello", {"version": "1", "hostname": "python", "os": "any", "boot_id": "b",
                                                "tokens_held": tokens_held, "methods": []})
        assert hello["result"]["status"] == "ok", hello
        return welcome["params"]

    async def call(self, method, params):
        self.requests += 1
        number = self.requests
        await self.socket.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))
        while True:
            message = json.loads(await self.socket.recv())
            if "method" in message:
                await self.serve(message)
            elif message.get("id") == number:
                return message

    async def serve(self, message):
        """Answers one request of the server; returns its method."""
        method, params = message["method"], message.get("params", {})
        result = {"agent.rotate": self.rotate, "agent.commit": self.commit,
                  "agent.ping": lambda p: {"status": "ok", "uptime_seconds": 1, **p}}[method](params)
        await self.socket.send(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}))
        return method

    async def serve_until(self, method):
        while await self.serve(json.loads(await self.socket.recv())) != method:
            pass

    def rotate(self, offer):
        if self.held(offer["rotation_id"]) is None:
            confirmed = [t for t in self.state["tokens"] if t["confirmed"]][-1:]
            self.state["tokens"] = confirmed + [{"generation": offer["generation"], "token": offer["token"],
                                                 "rotation_id": offer["rotation_id"], "confirmed": False}]
            self.save()
        self.load()
        token = self.held(offer["rotation_id"])
        message = f"rekey-rotation-proof-v1\n{self.state['agent_id']}\n{token['rotation_id']}\n{token['generation']}"
        proof = hmac.new(token["token"].encode(), message.encode(), hashlib.sha256).hexdigest()
        return {"status": "rotation_complete", "rotation_id": token["rotation_id"], "generation": token["generation"],
                "proof": proof}

    def commit(self, params):
        token = self.held(params["rotation_id"])
        assert token is not None, params
        token["confirmed"] = True
        self.save()
        return {"status": "activated", "rotation_id": token["rotation_id"], "generation": token["generation"]}


async def within(seconds, awaitable):
    return await asyncio.wait_for(awaitable, seconds)
