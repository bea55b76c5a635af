#!/usr/bin/env python3
"""Enrolls, connects and rotates the plain client against the real rekeyd, over TLS.

usage: plain_client_tests.py REKEYD
"""
import asyncio
import http.client
import json
import os
import ssl
import subprocess
import sys
import tempfile

from plain_client import PlainAgent, within

DEADLINE_SECONDS = 30


class Server:
    """The real daemon on a port of its own choosing; its log says when it listens."""

    def __init__(self, program, folder):
        self.folder = os.path.join(folder, "server")
        self.process = subprocess.Popen([program, "--data-dir", self.folder, "--listen", "127.0.0.1:0"],
                                        stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "server.listening" in line:
                break
        else:
            raise RuntimeError("rekeyd ended before it listened")
        with open(os.path.join(self.folder, "listen"), encoding="utf-8") as file:
            self.host, port = file.read().strip().rsplit(":", 1)
        self.port = int(port)
        with open(os.path.join(self.folder, "admin.key"), encoding="utf-8") as file:
            self.key = file.read().strip()
        self.context = ssl.create_default_context(cafile=os.path.join(self.folder, "ca.pem"))

    def call(self, method, params):
        connection = http.client.HTTPSConnection(self.host, self.port, context=self.context, timeout=DEADLINE_SECONDS)
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        connection.request("POST", "/rpc", body, {"Authorization": "Bearer " + self.key,
                                                  "Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
        assert "result" in answer, answer
        return answer["result"]

    def stop(self):
        self.process.terminate()
        self.process.stderr.close()
        return self.process.wait(DEADLINE_SECONDS)


async def rotate_once(server, agent, agent_id, generation, force):
    started = server.call("rotations.start", {"agent_id": agent_id, "force": force})
    assert started["status"] == "offered" and started["generation"] == generation, started
    await within(DEADLINE_SECONDS, agent.serve_until("agent.rotate"))
    await within(DEADLINE_SECONDS, agent.serve_until("agent.commit"))
    status = await within(DEADLINE_SECONDS, agent.call("agent.key_status", {}))
    assert status["result"]["generation"] == generation, status
    seen = server.call("agents.get", {"agent_id": agent_id})
    assert seen["generation"] == seen["activated_generation"] == generation and "pending" not in seen, seen


async def story(server, folder):
    created = server.call("agents.create", {"name": "python-agent"})
    code = server.call("agents.enrollment_code", {"agent_id": created["agent_id"]})
    agent = PlainAgent(folder)
    status, reply = agent.enroll(code["join_string"])
    assert status == 200 and reply["generation"] == 1, reply
    again = agent.enroll(code["join_string"])
    assert again == (status, reply), "the same code with the same key gets the same answer before the first connect"

    welcome = await within(DEADLINE_SECONDS, agent.connect())
    assert welcome["agent_id"] == created["agent_id"] and welcome["generation"] == 1, welcome
    await within(DEADLINE_SECONDS, agent.serve_until("agent.commit"))
    await rotate_once(server, agent, created["agent_id"], 2, False)
    await rotate_once(server, agent, created["agent_id"], 3, True)
    await agent.socket.close()

    spent, refusal = PlainAgent(folder + "/../").enroll(code["join_string"])
    assert spent == 409 and refusal["name"] == "conflict", (spent, refusal)
    welcome = await within(DEADLINE_SECONDS, agent.connect())
    assert welcome["generation"] == 3, welcome
    beat = await within(DEADLINE_SECONDS, agent.call("agent.heartbeat",
                                                     {"status": "ok", "uptime_seconds": 5, "generation": 3}))
    assert "server_time" in beat["result"], beat
    await agent.socket.close()


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = Server(sys.argv[1], folder)
        home = os.path.join(folder, "agent")
        os.mkdir(home)
        try:
            asyncio.run(story(server, home))
        finally:
            code = server.stop()
        assert code == 0, f"rekeyd ended with {code}"
    print("enrolled, connected, rotated twice, refused a spent code, reconnected")


if __name__ == "__main__":
    main()
