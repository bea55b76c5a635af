#!/usr/bin/env python3
"""Attempts to get more than one was given, against the real rekeyd over HTTP. Each ends in the refusal that
docs/authorization.md names, and afterwards nobody holds anything new.

usage: escalation_tests.py REKEYD
"""
import os
import sys
import tempfile

from plain_client import PlainAgent
from rest import Rest
from server import Server

UNKNOWN = "0198f0c2-7b1a-7c3e-9d58-2f6a1c0b7e44"


class World:
    """A server, its first admin, and identities with what they hold."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.admin = Rest.bearer(server, server.key)
        self.made = 0

    def agent(self, *capabilities, type="service"):
        self.made += 1
        body = {"name": f"agent-{self.made}", "type": type}
        agent_id = self.admin.expect(201, "POST", "/agents", body).json["agent_id"]
        for capability in capabilities:
            self.admin.expect(201, "POST", f"/agents/{agent_id}/capabilities", {"capability": capability})
        return agent_id

    def key(self, agent_id, *narrowed):
        body = {"name": "a key", **({"capabilities": list(narrowed)} if narrowed else {})}
        key = self.admin.expect(201, "POST", f"/agents/{agent_id}/keys", body).json["key"]
        return Rest.bearer(self.server, key)

    def who(self, *capabilities):
        """An identity that holds these, with a key: (agent_id, client)."""
        agent_id = self.agent(*capabilities)
        return agent_id, self.key(agent_id)

    def held(self, agent_id):
        shown = self.admin.expect(200, "GET", "/agents/" + agent_id).json["capabilities"]
        return [one["capability"] for one in shown]

    def enroll(self, join_string):
        self.made += 1
        home = os.path.join(self.folder, f"home-{self.made}")
        os.mkdir(home)
        return PlainAgent(home).enroll(join_string)


def rpc(client, method, params):
    """The name of the refusal at POST /rpc, or "ok"."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = client.ask("POST", "/rpc", body)
    if answer.status != 200:
        return answer.json["name"]
    return answer.json["error"]["data"]["name"] if "error" in answer.json else "ok"


def case_nobody_raises_themselves(world):
    agent_id, boss = world.who("admin:*")
    path = f"/agents/{agent_id}"
    boss.expect(403, "POST", path + "/capabilities", {"capability": "audit:read"})
    boss.expect(403, "DELETE", path + "/capabilities/admin:*")
    for change in ["suspend", "reactivate", "revoke"]:
        boss.expect(403, "POST", f"{path}/{change}")
    boss.expect(403, "DELETE", path)
    weak_id, weak = world.who("agents:write")
    for capability in ["agents:write", "agents:*", "admin:*"]:
        weak.expect(403, "POST", f"/agents/{weak_id}/capabilities", {"capability": capability})
    assert world.held(agent_id) == ["admin:*"] and world.held(weak_id) == ["agents:write"]


def case_no_grant_is_wider_than_its_giver(world):
    boss_id = world.agent("admin:*")
    target = world.agent()
    everything_else = world.who("agents:*", "keys:*", "rotations:*", "audit:*")[1]
    for client in [world.key(boss_id, "agents:write"), world.key(boss_id, "agents:*", "keys:manage"), everything_else]:
        for capability in ["agents:read", "agents:*", "admin:*"]:
            client.expect(403, "POST", f"/agents/{target}/capabilities", {"capability": capability})
        client.expect(403, "POST", "/capabilities", {"name": "new:thing"})
    assert world.held(target) == []


def case_nothing_that_looks_like_admin_is_admin(world):
    target = world.agent()
    path = f"/agents/{target}/capabilities"
    for trick in ["admin:x", "admin:", "admin", "*", ":*", "*:*", "agents", "agents:", "agents:**", "agents:r*",
                  "ADMIN:*", "admin:*:x", " admin:*", "admin:*\x00", "аdmin:*"]:
        world.admin.expect(422, "POST", path, {"capability": trick})
        world.admin.expect(422, "POST", "/capabilities", {"name": trick})
    # A wildcard over a prefix that begins alike covers nothing of the other.
    world.admin.expect(201, "POST", "/capabilities", {"name": "agent:read"})
    near_id, near = world.who("agent:*")
    near.expect(403, "GET", "/agents")
    assert world.held(near_id) == ["agent:*"] and world.held(target) == []


def case_keys_carry_no_more_than_their_maker(world):
    boss_id = world.agent("admin:*")
    manager_id, manager = world.who("keys:manage", "agents:read")
    weak = world.key(boss_id, "keys:manage")
    other = world.agent("audit:read")
    for client in [manager, weak]:
        # A key for somebody more powerful, whole or narrowed to what its maker has not.
        client.expect(403, "POST", f"/agents/{boss_id}/keys", {"name": "mine"})
        client.expect(403, "POST", f"/agents/{other}/keys", {"name": "mine", "capabilities": ["audit:read"]})
    # Nor one for itself that holds more than its own agent.
    manager.expect(422, "POST", f"/agents/{manager_id}/keys", {"name": "mine", "capabilities": ["admin:*"]})
    weak.expect(403, "POST", f"/agents/{manager_id}/keys", {"name": "mine", "capabilities": ["admin:*"]})


def case_codes_open_nothing_that_their_maker_could_not(world):
    writer = world.who("agents:write")[1]
    boss_id = world.agent("admin:*")
    for powerful in [boss_id, world.agent("audit:read")]:
        writer.expect(403, "POST", f"/agents/{powerful}/enrollment-code")
    narrow = world.key(boss_id, "agents:write")
    narrow.expect(403, "POST", f"/agents/{world.agent('audit:read')}/enrollment-code")
    # The code first, the grant afterwards.
    for maker in [writer, narrow]:
        agent_id = maker.expect(201, "POST", "/agents", {"name": f"later-{world.made}"}).json["agent_id"]
        world.made += 1
        code = maker.expect(201, "POST", f"/agents/{agent_id}/enrollment-code").json["join_string"]
        world.admin.expect(201, "POST", f"/agents/{agent_id}/capabilities", {"capability": "audit:read"})
        status, reply = world.enroll(code)
        assert (status, reply["name"]) == (401, "unknown_credential"), reply
        good = world.admin.expect(201, "POST", f"/agents/{agent_id}/enrollment-code").json["join_string"]
        assert world.enroll(good)[0] == 200
        # To enroll it again is to take it over.
        maker.expect(403, "POST", f"/agents/{agent_id}/enrollment-code")


def case_no_agent_becomes_an_admin_by_its_type_or_name(world):
    writer = world.who("agents:write")[1]
    writer.expect(403, "POST", "/agents", {"name": "boss", "type": "admin"})
    own = writer.expect(201, "POST", "/agents", {"name": "humble"}).json["agent_id"]
    writer.expect(403, "PATCH", "/agents/" + own, {"type": "admin"})
    for name in ["capabilities", "status", "epoch", "agent_type"]:
        writer.expect(422, "PATCH", "/agents/" + own, {name: "admin:*"})
        writer.expect(422, "POST", "/agents", {"name": "trick", name: ["admin:*"]})
    boss_id = world.agent("admin:*", type="admin")
    writer.expect(403, "PATCH", "/agents/" + boss_id, {"name": "nobody"})
    writer.expect(403, "PATCH", "/agents/" + boss_id, {"type": "service"})


def case_the_protocols_own_methods_are_not_called(world):
    agent_id = world.agent()
    for client in [world.admin, world.who("agents:call")[1]]:
        for method in ["agent.rotate", "agent.commit", "agent.configure", "agent.", "rpc.discover", "rpc."]:
            assert rpc(client, "agents.call", {"agent_id": agent_id, "method": method}) == "invalid_params", method
        assert rpc(client, "agents.call", {"agent_id": agent_id, "method": "cache.drop"}) == "agent_offline"
    # Nor does an admin call what only agents, or the server, may say.
    for method in ["agent.verify", "agent.rotate", "agent.hello", "agents.unknown"]:
        assert rpc(world.admin, method, {}) == "method_not_found", method


def case_who_may_nothing_learns_nothing(world):
    there = world.agent()
    nobody = world.who()[1]
    for verb, path, body in [
            ("GET", "/agents/{}", None), ("PATCH", "/agents/{}", {"owner": "me"}), ("DELETE", "/agents/{}", None),
            ("POST", "/agents/{}/suspend", None), ("POST", "/agents/{}/reactivate", None),
            ("POST", "/agents/{}/revoke", None), ("POST", "/agents/{}/enrollment-code", None),
            ("POST", "/agents/{}/capabilities", {"capability": "agents:read"}),
            ("DELETE", "/agents/{}/capabilities/agents:read", None), ("POST", "/agents/{}/keys", {"name": "k"}),
            ("GET", "/agents/{}/keys", None), ("POST", "/agents/{}/rotate", None)]:
        answers = []
        for agent_id in [there, UNKNOWN]:
            answer = nobody.expect(403, verb, path.format(agent_id), body)
            answers.append(answer.text)
        assert answers[0] == answers[1], answers
    for method in ["agents.call", "agents.ping", "agents.configure", "agents.why", "agents.recover"]:
        for agent_id in [there, UNKNOWN]:
            assert rpc(nobody, method, {"agent_id": agent_id}) == "permission_denied", method


def case_the_last_admin_stays(world):
    """Also against one whose JWT outlives its key."""
    first = world.admin.expect(200, "GET", "/agents?name=admin").json["agents"][0]["agent_id"]
    boss_id = world.agent("admin:*")
    made = world.admin.expect(201, "POST", f"/agents/{boss_id}/keys", {"name": "short"}).json
    token = Rest.api_key(world.server, made["key"]).expect(200, "POST", "/auth/token").json["access_token"]
    boss = Rest.bearer(world.server, token)
    boss.expect(200, "GET", "/agents")
    others = [one for one in boss.expect(200, "GET", "/agents?capability=admin:*&limit=500").json["agents"]
              if one["agent_id"] not in (first, boss_id)]
    for one in others:
        boss.expect(204, "DELETE", "/agents/" + one["agent_id"])
    # Now there are two. One's key goes.
    world.admin.expect(204, "DELETE", f"/agents/{boss_id}/keys/{made['key_id']}")
    for verb, path in [("POST", f"/agents/{first}/suspend"), ("POST", f"/agents/{first}/revoke"),
                       ("DELETE", f"/agents/{first}"), ("DELETE", f"/agents/{first}/capabilities/admin:*")]:
        answer = boss.ask(verb, path)
        assert answer.status in (401, 409), (verb, path, answer.status, answer.text)
    world.admin.expect(200, "GET", "/agents")


def case_every_attempt_is_on_record(world):
    refused = world.server.call("audit.query", {"limit": 500, "order": "newest_first"})["entries"]
    methods = {row["action"] for row in refused if row["outcome"] == "permission_denied"}
    for method in ["capabilities.grant", "capabilities.revoke", "capabilities.create", "agents.suspend", "agents.revoke",
                   "agents.delete", "agents.update", "agents.create", "agents.enrollment_code", "keys.create"]:
        assert method in methods, (method, methods)


def main():
    cases = [case for name, case in globals().items() if name.startswith("case_")]
    with tempfile.TemporaryDirectory() as folder:
        server = Server(sys.argv[1], folder)
        try:
            server.call("settings.set", {"settings": {"rate_limit_api_per_minute": 0}})
            world = World(server, folder)
            for case in cases:
                case(world)
                print("ok", case.__name__)
        finally:
            ended = server.stop()
        assert ended == 0, f"rekeyd ended with {ended}"


if __name__ == "__main__":
    main()
