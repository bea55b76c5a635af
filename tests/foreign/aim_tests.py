#!/usr/bin/env python3
"""AIM's client against the real rekeyd: self-service rotation and reports with an API key, and no JWT anywhere.

Time passes by the expiry that each key is made with: nothing sleeps.

usage: aim_tests.py REKEYD
"""
import datetime
import os
import stat
import sys
import tempfile

from aim_client import AimClient, CredentialFile, LostReply, parse_time
from rest import Rest
from server import Server

UNKNOWN = "00000000-0000-7000-8000-000000000000"
CAPABILITIES = ["network_access", "make_api_calls", "read_files", "write_files", "execute_code"]


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class Stage:
    """An agent with one API key of a given life, its client, and the network between them."""

    count = 0

    def __init__(self, server, days):
        Stage.count += 1
        self.server = server
        self.agent_id = server.call("agents.create", {"name": f"aim-{Stage.count}"})["agent_id"]
        expires_at = (now() + datetime.timedelta(days=days)).isoformat().replace("+00:00", "Z")
        self.made = server.call("keys.create", {"agent_id": self.agent_id, "name": "sdk", "expires_at": expires_at})
        self.file = CredentialFile(os.path.join(server.folder, f"credentials-{Stage.count}.json"))
        self.file.save({"agent_id": self.agent_id, "api_key": self.made["key"], "key_id": self.made["key_id"],
                        "expires_at": expires_at})
        self.requests = []
        self.lose_replies_to = None
        self.lost = []
        self.client = AimClient(self.transport, self.file)

    def transport(self, verb, path, body, key):
        answer = Rest.api_key(self.server, key).ask(verb, path, body)
        self.requests.append(path.rsplit("/", 1)[1])
        if self.lose_replies_to == self.requests[-1]:
            self.lost.append(answer.json)
            raise LostReply()
        return answer.status, answer.json

    def restart(self):
        """The program is killed and starts again: it knows what is in the file."""
        self.client = AimClient(self.transport, self.file)

    def works(self, key):
        status, _ = self.transport("GET", f"/api/v1/agents/{self.agent_id}/key-status", None, key)
        assert status in (200, 401), status
        return status == 200

    def status(self, key):
        status, answer = self.transport("GET", f"/api/v1/agents/{self.agent_id}/key-status", None, key)
        assert status == 200, answer
        return answer


def case_it_asks_only_near_the_end(server):
    stage = Stage(server, days=30)
    assert stage.client.hourly_check(now()) == "not asked"
    assert stage.requests == []
    near = Stage(server, days=6.5)
    assert near.client.hourly_check(now()) == "fresh"
    assert near.requests == ["key-status"]
    assert near.client.credentials["api_key"] == near.made["key"]


def case_within_five_days_it_rotates_and_saves(server):
    stage = Stage(server, days=4)
    before = stage.status(stage.made["key"])
    assert before["should_rotate"] and not before["in_grace_period"] and before["rotation_count"] == 0, before
    assert before["key_id"] == stage.made["key_id"] and before["days_until_expiration"] == 3, before
    assert before["created_at"] == before["issued_at"] == stage.made["created_at"], before
    assert stage.client.hourly_check(now()) == "rotated"
    saved = stage.file.load()
    assert saved["api_key"] != stage.made["key"] and saved["key_id"] != stage.made["key_id"]
    assert stat.S_IMODE(os.stat(stage.file.path).st_mode) == 0o600
    # As long a life again, from now on.
    life = parse_time(saved["expires_at"]) - now()
    assert datetime.timedelta(days=3, hours=23) < life <= datetime.timedelta(days=4), life
    after = stage.status(saved["api_key"])
    assert after["in_grace_period"] and after["rotation_count"] == 1, after
    # Both work until the old one's grace is over.
    old = stage.status(stage.made["key"])
    assert old["in_grace_period"] and old["previous_valid_until"] == after["previous_valid_until"], (old, after)
    assert old["expires_at"] == old["previous_valid_until"], old
    assert parse_time(after["previous_valid_until"]) > now() + datetime.timedelta(hours=23)


def case_a_lost_reply_costs_nothing(server):
    stage = Stage(server, days=4)
    stage.lose_replies_to = "rotate-key"
    for _ in range(3):
        try:
            stage.client.hourly_check(now())
            raise AssertionError("the reply was not lost")
        except LostReply:
            pass
    assert stage.file.load()["api_key"] == stage.made["key"]
    stage.lose_replies_to = None
    assert stage.client.hourly_check(now()) == "rotated"
    assert stage.works(stage.file.load()["api_key"])
    # What nobody received opens nothing.
    assert len(stage.lost) == 3
    for answer in stage.lost:
        assert not stage.works(answer["key"])


def case_a_crash_between_rotate_and_save_is_made_good(server):
    stage = Stage(server, days=4)
    never_saved = []

    def crash(credentials):
        never_saved.append(credentials["api_key"])
        raise OSError("killed here")

    save, stage.file.save = stage.file.save, crash
    try:
        stage.client.hourly_check(now())
        raise AssertionError("it was not killed")
    except OSError:
        pass
    stage.file.save = save
    stage.restart()
    assert stage.client.credentials["api_key"] == stage.made["key"]
    # The file says what the key's end was: an hour later it asks, and hears that the key was rotated.
    assert stage.client.hourly_check(now()) == "rotated"
    assert stage.works(stage.file.load()["api_key"])
    assert not stage.works(never_saved[0])


def case_it_rotates_again_and_again(server):
    stage = Stage(server, days=4)
    keys = [stage.made["key"]]
    for turn in range(1, 4):
        assert stage.client.hourly_check(now()) == "rotated"
        keys.append(stage.file.load()["api_key"])
        assert stage.status(keys[-1])["rotation_count"] == turn
    assert len(set(keys)) == 4


def case_an_old_key_whose_successor_is_used_rotates_no_more(server):
    stage = Stage(server, days=4)
    assert stage.client.hourly_check(now()) == "rotated"
    assert stage.works(stage.file.load()["api_key"])
    old = stage.status(stage.made["key"])
    assert old["in_grace_period"] and not old["should_rotate"], old
    rest = Rest.api_key(server, stage.made["key"])
    refused = rest.expect(409, "POST", f"/api/v1/agents/{stage.agent_id}/rotate-key", {}).json
    assert refused["name"] == "wrong_state", refused
    # Within its grace it works on for everything else.
    assert stage.transport("POST", f"/api/v1/sdk-api/agents/{stage.agent_id}/capabilities",
                           {"capabilityType": "x"}, stage.made["key"])[0] == 200


def case_the_same_idempotency_key_gets_the_same_answer(server):
    stage = Stage(server, days=4)
    rest = Rest.api_key(server, stage.made["key"])
    path = f"/api/v1/agents/{stage.agent_id}/rotate-key"
    first = rest.expect(200, "POST", path, {}, Idempotency_Key="one").json
    again = rest.expect(200, "POST", path, {}, Idempotency_Key="one").json
    assert first == again and set(first) == {"key_id", "key", "expires_at", "previous_valid_until"}, first
    other = rest.expect(200, "POST", path, {}, Idempotency_Key="two").json
    assert other["key"] != first["key"]
    assert stage.works(other["key"]) and not stage.works(first["key"])


def case_a_key_without_an_end_rotates_only_when_asked(server):
    agent_id = server.call("agents.create", {"name": "aim-for-ever"})["agent_id"]
    key = server.call("keys.create", {"agent_id": agent_id, "name": "sdk"})["key"]
    rest = Rest.api_key(server, key)
    status = rest.expect(200, "GET", f"/api/v1/agents/{agent_id}/key-status").json
    assert "expires_at" not in status and not status["should_rotate"], status
    rotated = rest.expect(200, "POST", f"/api/v1/agents/{agent_id}/rotate-key", {}).json
    assert "expires_at" not in rotated, rotated


def case_reports_come_twice_and_are_counted_once(server):
    stage = Stage(server, days=30)
    for turn in range(2):
        assert stage.client.report_capabilities(CAPABILITIES) == {"granted": 5, "total": 5}
        assert stage.client.report_sdk_integration("aim-sdk-python@1.0.0", "python", ["auto_detect_mcps"]) == (
            200, {"detections_processed": 1})
        assert stage.client.register_mcp("filesystem-mcp-server", "auto_sdk", 95.0) == (
            200, {"added": 1 - turn, "already_registered": turn})
    reports = server.call("agents.get", {"agent_id": stage.agent_id})["reports"]
    assert sorted(one["name"] for one in reports["capabilities"]) == sorted(CAPABILITIES), reports
    assert all(one["times"] == 2 for kind in reports.values() for one in kind), reports
    assert reports["integrations"][0]["sdk_version"] == "aim-sdk-python@1.0.0", reports
    assert reports["mcp_servers"][0]["confidence"] == 95.0, reports


def case_a_claim_gives_no_right(server):
    stage = Stage(server, days=30)
    stage.client.report_capabilities(["admin:*", "agents:read", "keys:manage"])
    rest = Rest.api_key(server, stage.made["key"])
    rest.expect(403, "GET", "/agents")
    rest.expect(403, "GET", f"/agents/{stage.agent_id}")
    rest.expect(403, "POST", "/agents", {"name": "x"})


def case_others_are_refused_without_a_hint(server):
    stage, other = Stage(server, days=4), Stage(server, days=4)
    rest = Rest.api_key(server, stage.made["key"])
    for verb, path in [("GET", "/api/v1/agents/{}/key-status"), ("POST", "/api/v1/agents/{}/rotate-key"),
                       ("POST", "/api/v1/sdk-api/agents/{}/capabilities"),
                       ("POST", "/api/v1/sdk-api/agents/{}/detection/report"),
                       ("POST", "/api/v1/sdk-api/agents/{}/mcp-servers")]:
        body = {} if verb == "POST" else None
        there = rest.expect(403, verb, path.format(other.agent_id), body)
        not_there = rest.expect(403, verb, path.format(UNKNOWN), body)
        assert there.text == not_there.text
        # An admin's key is no exception: it is the key that rotates, not the agent.
        Rest.api_key(server, server.key).expect(403, verb, path.format(stage.agent_id), body)
        Rest(server, {}).expect(401, verb, path.format(stage.agent_id), body)


def case_bad_reports_name_their_field(server):
    stage = Stage(server, days=30)
    rest = Rest.api_key(server, stage.made["key"])
    base = f"/api/v1/sdk-api/agents/{stage.agent_id}"
    for path, body, field in [
            ("/capabilities", {}, "capabilities"), ("/capabilities", {"capabilityType": ""}, "capabilityType"),
            ("/capabilities", {"capabilityType": "x" * 200}, "capabilityType"),
            ("/capabilities", {"capabilities": ["a", 1]}, "capabilities[1]"),
            ("/detection/report", {"detections": [{}]}, "detections[0].mcpServer"),
            ("/mcp-servers", {"mcp_server_ids": ["a"], "confidence": 101}, "confidence")]:
        refused = rest.expect(422, "POST", base + path, body).json
        assert refused["details"]["path"] == field, refused


def case_a_suspended_agent_is_told_so_and_comes_back(server):
    stage = Stage(server, days=4)
    server.call("agents.suspend", {"agent_id": stage.agent_id})
    assert stage.client.hourly_check(now()) == "refused: agent_suspended"
    server.call("agents.reactivate", {"agent_id": stage.agent_id})
    assert stage.client.hourly_check(now()) == "rotated"


def main():
    cases = [case for name, case in globals().items() if name.startswith("case_")]
    with tempfile.TemporaryDirectory() as folder:
        server = Server(sys.argv[1], folder)
        try:
            server.call("settings.set", {"settings": {"rate_limit_api_per_minute": 0,
                                                      "rate_limit_auth_per_minute": 0}})
            for case in cases:
                case(server)
                print("ok", case.__name__)
        finally:
            ended = server.stop()
        assert ended == 0, f"rekeyd ended with {ended}"


if __name__ == "__main__":
    main()
