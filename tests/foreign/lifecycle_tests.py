#!/usr/bin/env python3
"""The life of an agent against the real rekeyd: changed, called, verified, deleted, and restored from a backup of
before that.

usage: lifecycle_tests.py REKEYD
"""
import asyncio
import http.client
import json
import os
import shutil
import sys
import tempfile

import websockets

from plain_client import PlainAgent, within
from rest import Rest
from server import DEADLINE_SECONDS, Server

OWN = ["admin:*", "agents:call", "agents:read", "agents:write", "audit:read", "keys:manage", "rotations:write"]


def case_an_agent_is_changed(server, admin):
    agent = admin.expect(201, "POST", "/agents", {"name": "one", "owner": "ops", "labels": {"a": "1"}}).json
    path = "/agents/" + agent["agent_id"]
    changed = admin.expect(200, "PATCH", path, {"name": "two", "owner": "", "labels": {"b": "2"}}).json
    assert changed["name"] == "two" and "owner" not in changed and changed["labels"] == {"b": "2"}, changed
    assert changed["row_version"] == agent["row_version"] + 1
    admin.expect(409, "PATCH", path, {"name": "three", "row_version": agent["row_version"]})
    for body, field in [({"name": "No"}, "name"), ({"owner": None}, "owner"), ({"status": "revoked"}, "status"),
                        ({"labels": {"a": 1}}, "labels.a"), ({"capabilities": []}, "capabilities")]:
        assert admin.expect(422, "PATCH", path, body).json["details"]["path"] == field
    listed = admin.expect(200, "GET", "/agents?labels.b=2").json["agents"]
    assert [one["name"] for one in listed] == ["two"]
    assert admin.expect(422, "GET", "/agents?cursor=elsewhere").json["details"]["path"] == "cursor"
    assert admin.expect(422, "GET", "/agents?capability=nonsense").json["details"]["path"] == "capability"


def case_capabilities_are_registered_and_granted(server, admin):
    names = [one["name"] for one in admin.expect(200, "GET", "/capabilities").json["capabilities"]]
    assert names == OWN, names
    made = admin.expect(201, "POST", "/capabilities", {"name": "files:read", "description": "Read files."}).json
    admin.expect(409, "POST", "/capabilities", {"name": "files:read"})
    for name in ["files", "files:*", "admin:x", "*", ":*", "Files:read"]:
        assert admin.expect(422, "POST", "/capabilities", {"name": name}).json["details"]["path"] == "name"
    agent_id = admin.expect(201, "POST", "/agents", {"name": "granted"}).json["agent_id"]
    path = f"/agents/{agent_id}/capabilities"
    granted = admin.expect(201, "POST", path, {"capability": "files:read"}).json
    assert granted["capability_id"] == made["capability_id"] and not granted["already_granted"], granted
    assert admin.expect(201, "POST", path, {"capability_id": made["capability_id"]}).json["already_granted"]
    assert admin.expect(404, "POST", path, {"capability": "files:write"}).json["details"]["path"] == "capability"
    assert admin.expect(422, "POST", path, {"capability": "files"}).json["details"]["path"] == "capability"
    admin.expect(201, "POST", path, {"capability": "files:*"})
    held = admin.expect(200, "GET", "/agents/" + agent_id).json["capabilities"]
    assert [one["capability"] for one in held] == ["files:*", "files:read"], held
    found = admin.expect(200, "GET", "/agents?capability=files:write").json["agents"]
    assert [one["name"] for one in found if one["type"] != "admin"] == ["granted"], found
    assert admin.expect(204, "DELETE", path + "/" + made["capability_id"]).text == b""
    admin.expect(204, "DELETE", path + "/files%3A%2A")
    admin.expect(404, "DELETE", path + "/files:read")
    assert admin.expect(200, "GET", "/agents/" + agent_id).json["capabilities"] == []


def new_agent(server, folder, name):
    agent_id = server.call("agents.create", {"name": name})["agent_id"]
    home = os.path.join(folder, name)
    os.mkdir(home)
    agent = PlainAgent(home)
    status, reply = agent.enroll(server.call("agents.enrollment_code", {"agent_id": agent_id})["join_string"])
    assert status == 200, reply
    return agent_id, agent


async def in_thread(function, *arguments):
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)


async def talk(server, admin, agent_id, agent):
    """An admin's calls reach the agent; what the agent asks is answered by what it was granted."""
    await within(DEADLINE_SECONDS, agent.connect())
    await within(DEADLINE_SECONDS, agent.serve_until("agent.commit"))

    def call(params):
        body = {"jsonrpc": "2.0", "id": 1, "method": "agents.call", "params": {"agent_id": agent_id, **params}}
        return admin.expect(200, "POST", "/rpc", body).json

    async def answered(params, answer):
        waiting = asyncio.ensure_future(in_thread(call, params))
        message = await within(DEADLINE_SECONDS, agent.socket.recv())
        request = json.loads(message)
        assert request["method"] == params["method"] and request.get("params") == params.get("params"), request
        await agent.socket.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], **answer}))
        return await within(DEADLINE_SECONDS, waiting)

    done = await answered({"method": "cache.drop", "params": {"days": 3}}, {"result": {"dropped": 7}})
    assert done["result"] == {"result": {"dropped": 7}}, done
    own = {"code": 4711, "message": "the cache is locked", "data": {"by": "backup"}}
    failed = await answered({"method": "cache.drop", "params": [1]}, {"error": own})
    assert failed["error"] == own, failed
    for reserved in ["agent.rotate", "agent.configure", "rpc.discover"]:
        refused = await in_thread(call, {"method": reserved})
        assert refused["error"]["data"]["details"]["path"] == "method", refused
    slow = await in_thread(call, {"method": "never.answered", "timeout_seconds": 1})
    assert slow["error"]["data"]["name"] == "agent_timeout", slow

    async def verify(capability):
        answer = await within(DEADLINE_SECONDS, agent.call("agent.verify", {"capability": capability, "resource": "x"}))
        return answer["result"]["allowed"], answer["result"]["reason"]

    await agent.socket.recv()  # the request that was never answered
    server.call("capabilities.create", {"name": "mail:send"})
    assert await verify("mail:send") == (False, "not_granted")
    assert await verify("mail:sned") == (False, "unknown_capability")
    server.call("capabilities.grant", {"agent_id": agent_id, "capability": "mail:send"})
    assert await verify("mail:send") == (True, "granted")
    server.call("capabilities.revoke", {"agent_id": agent_id, "capability": "mail:send"})
    assert await verify("mail:send") == (False, "not_granted")
    trail = server.call("audit.query", {"actor": agent_id, "action": "capability.verified"})["entries"]
    assert [row["details"]["allowed"] for row in trail] == [False, False, True, False], trail


async def deleted(server, agent_id, agent):
    """Its socket closes at once, its token opens nothing, and its name is free."""
    await in_thread(server.call, "agents.delete", {"agent_id": agent_id, "reason": "a test"})
    try:
        while True:
            await within(DEADLINE_SECONDS, agent.socket.recv())
    except websockets.ConnectionClosed as closed:
        assert closed.rcvd.code == 4500, closed
    try:
        await agent.connect()
        raise AssertionError("a deleted agent was let in")
    except websockets.InvalidStatusCode as refused:
        assert refused.status_code == 401, refused
    actions = [row["action"] for row in server.call("audit.query", {"agent_id": agent_id, "limit": 500})["entries"]]
    assert actions[-2:] == ["agent.revoked", "agent.deleted"], actions


def case_an_agent_is_called_verified_and_deleted(server, admin):
    with tempfile.TemporaryDirectory() as folder:
        agent_id, agent = new_agent(server, folder, "talker")

        async def story():
            await talk(server, admin, agent_id, agent)
            await deleted(server, agent_id, agent)
        asyncio.run(story())
    admin.expect(404, "GET", "/agents/" + agent_id)
    admin.expect(404, "DELETE", "/agents/" + agent_id)
    admin.expect(201, "POST", "/agents", {"name": "talker"})


def stopped(server):
    ended = server.stop()
    assert ended == 0, f"rekeyd ended with {ended}"


def a_restored_backup_brings_nobody_back(program, folder):
    """The database alone is put back, as an administrator would from a backup; `revocations` stays."""
    server = Server(program, folder)
    agent_id, agent = new_agent(server, folder, "buried")
    stopped(server)
    database = [name for name in os.listdir(server.folder) if name.startswith("rekey.db")]
    backup = os.path.join(folder, "backup")
    os.mkdir(backup)
    for name in database:
        shutil.copy(os.path.join(server.folder, name), backup)
    server = Server(program, folder)
    server.call("agents.delete", {"agent_id": agent_id})
    stopped(server)
    for name in database:
        shutil.copy(os.path.join(backup, name), server.folder)
    server = Server(program, folder)
    admin = Rest.bearer(server, server.key)
    admin.expect(404, "GET", "/agents/" + agent_id)
    row = server.call("audit.query", {"agent_id": agent_id, "action": "agent.deleted"})["entries"][-1]
    assert row["actor"] == "system", row
    connection = http.client.HTTPSConnection(server.host, server.port, context=server.context, timeout=20)
    connection.request("GET", "/agent", headers={
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "rekey.agent.v1",
        "Authorization": "Bearer " + agent.state["tokens"][-1]["token"]})
    assert connection.getresponse().status == 401
    stopped(server)


def main():
    program = sys.argv[1]
    cases = [case for name, case in globals().items() if name.startswith("case_")]
    with tempfile.TemporaryDirectory() as folder:
        server = Server(program, folder)
        try:
            server.call("settings.set", {"settings": {"rate_limit_api_per_minute": 0}})
            admin = Rest.bearer(server, server.key)
            for case in cases:
                case(server, admin)
                print("ok", case.__name__)
        finally:
            ended = server.stop()
        assert ended == 0, f"rekeyd ended with {ended}"
    with tempfile.TemporaryDirectory() as folder:
        a_restored_backup_brings_nobody_back(program, folder)
        print("ok a_restored_backup_brings_nobody_back")


if __name__ == "__main__":
    main()
