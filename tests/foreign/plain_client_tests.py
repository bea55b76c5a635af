#!/usr/bin/env python3
"""Enrolls, connects and rotates the plain client against the real rekeyd, over TLS.

usage: plain_client_tests.py REKEYD
"""
import asyncio
import os
import sys
import tempfile
import time

from plain_client import PlainAgent, within
from server import DEADLINE_SECONDS, Server


async def rotate_once(server, agent, agent_id, generation, force):
    started = server.call("rotations.start", {"agent_id": agent_id, "force": force})
    assert started["status"] == "offered" and started["generation"] == generation, started
    await within(DEADLINE_SECONDS, agent.serve_until("agent.rotate"))
    await within(DEADLINE_SECONDS, agent.serve_until("agent.commit"))
    status = await within(DEADLINE_SECONDS, agent.call("agent.key_status", {}))
    assert status["result"]["generation"] == generation, status
    # The confirmation was answered on the socket; its transaction may still be under way.
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (seen := server.call("agents.get", {"agent_id": agent_id}))["activated_generation"] != generation:
        assert time.monotonic() < deadline, seen
    assert seen["generation"] == generation and "pending" not in seen, seen


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
        # It asks how far a rotation is as often as it can.
        server.call("settings.set", {"settings": {"rate_limit_api_per_minute": 0}})
        try:
            asyncio.run(story(server, home))
        finally:
            code = server.stop()
        assert code == 0, f"rekeyd ended with {code}"
    print("enrolled, connected, rotated twice, refused a spent code, reconnected")


if __name__ == "__main__":
    main()
