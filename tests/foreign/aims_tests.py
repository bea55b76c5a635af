#!/usr/bin/env python3
"""AIMS's routes, against the real rekeyd, as its README has them: each with its success and its refusals.

usage: aims_tests.py REKEYD
"""
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

from rest import Rest
from server import Server

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNKNOWN = "00000000-0000-7000-8000-000000000000"


def needs(*routes):
    """A case is run by a server that has these routes, and named as left out by any other."""
    def mark(case):
        case.needs = set(routes)
        return case
    return mark


def case_no_credential_is_a_401_on_every_route(server, admin):
    stranger = Rest(server, {})
    for verb, path in [("POST", "/agents"), ("GET", "/agents"), ("GET", "/agents/" + UNKNOWN),
                       ("POST", "/agents/" + UNKNOWN + "/suspend"), ("GET", "/audit")]:
        answer = stranger.expect(401, verb, path)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        wrong = Rest.bearer(server, server.key[:-1] + ("a" if server.key[-1] != "a" else "b"))
        wrong.expect(401, verb, path)


def case_an_agent_is_registered_found_and_listed(server, admin):
    created = admin.expect(201, "POST", "/agents", {"name": "one", "owner": "somebody", "labels": {"site": "north"}})
    assert created.headers["Cache-Control"] == "no-store"
    agent_id = created.json["agent_id"]
    admin.expect(409, "POST", "/agents", {"name": "one"})
    assert admin.expect(200, "GET", "/agents/" + agent_id).json["labels"] == {"site": "north"}
    by_key = Rest.api_key(server, server.key).expect(200, "GET", "/agents?name=one&limit=5")
    assert [agent["agent_id"] for agent in by_key.json["agents"]] == [agent_id]
    assert admin.expect(200, "GET", "/agents?connected=true").json["agents"] == []


def case_pages_follow_each_other(server, admin):
    for number in range(5):
        admin.expect(201, "POST", "/agents", {"name": f"page-{number}", "type": "paged"})
    seen, target = [], "/agents?type=paged&limit=2"
    cursor = ""
    while True:
        page = admin.expect(200, "GET", target + cursor).json
        seen += [agent["name"] for agent in page["agents"]]
        if "next_cursor" not in page:
            break
        cursor = "&cursor=" + page["next_cursor"]
    assert sorted(seen) == [f"page-{number}" for number in range(5)], seen


def case_a_lifecycle(server, admin):
    agent = "/agents/" + admin.expect(201, "POST", "/agents", {"name": "mortal"}).json["agent_id"]
    assert admin.expect(200, "POST", agent + "/suspend", {"reason": "a test"}).json["status"] == "suspended"
    assert admin.expect(200, "POST", agent + "/reactivate").json["status"] == "active"
    admin.expect(409, "POST", agent + "/reactivate")
    assert "rekey://" in admin.expect(201, "POST", agent + "/enrollment-code").json["join_string"]
    assert admin.expect(200, "POST", agent + "/revoke").json["status"] == "revoked"
    admin.expect(409, "POST", agent + "/reactivate")


def case_what_does_not_exist_is_not_found(server, admin):
    admin.expect(404, "GET", "/agents/" + UNKNOWN)
    admin.expect(404, "POST", "/agents/" + UNKNOWN + "/suspend")
    for path in ["/nowhere", "/agents/", "//agents", "/agents/a/b/c/d", "/Agents", "/agents%2f" + UNKNOWN]:
        assert admin.expect(404, "GET", path).json["name"] == "not_found"


def case_bad_input_names_the_field(server, admin):
    for verb, path, body, field in [
            ("POST", "/agents", {}, "name"),
            ("POST", "/agents", {"name": "Not A Name"}, "name"),
            ("POST", "/agents", {"name": "ok", "nmae": 1}, "nmae"),
            ("POST", "/agents", {"name": "ok", "labels": {"a": 1}}, "labels.a"),
            ("POST", "/agents", [], ""),
            ("POST", "/agents?name=ok", None, "name"),
            ("GET", "/agents?limit=many", None, "limit"),
            ("GET", "/agents?limit=0", None, "limit"),
            ("GET", "/agents?lmiit=1", None, "lmiit"),
            ("GET", "/agents?connected=yes", None, "connected"),
            ("GET", "/agents?limit=1&limit=2", None, "limit"),
            ("GET", "/agents/not-an-id", None, "agent_id"),
            ("POST", "/agents/" + UNKNOWN + "/suspend", {"agent_id": UNKNOWN.replace("8", "9")}, "agent_id")]:
        refused = admin.expect(422, verb, path, body).json
        assert refused["name"] == "invalid_params", refused
        assert refused["details"]["path"] == field, refused
        assert refused["details"]["expected"], refused


def case_bodies_that_are_none_are_refused(server, admin):
    admin.expect(400, "POST", "/agents", b"{")
    admin.expect(400, "POST", "/agents", b"\xff")
    admin.expect(415, "POST", "/agents", b"name=x", Content_Type="application/x-www-form-urlencoded")
    admin.expect(415, "POST", "/agents", b"{}", Content_Type="text/json")
    admin.expect(422, "POST", "/agents", b"{}", Content_Type="Application/JSON ; charset=utf-8")
    admin.expect(400, "GET", "/agents", b"{}")
    admin.expect(413, "POST", "/agents", b"[" + b" " * 70000 + b"]")


def case_paths_are_read_strictly(server, admin):
    for path in ["/agents/%", "/agents/%zz", "/agents/%00", "/agents/%ff", "/agents?limit=%"]:
        admin.expect(400, "GET", path)
    admin.expect(422, "GET", "/agents/..%2fagents")
    admin.expect(404, "GET", "/agents/../agents")


def case_other_verbs_hear_which_ones_there_are(server, admin):
    assert set(admin.expect(405, "PUT", "/agents").headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}
    assert "POST" in admin.expect(405, "DELETE", "/rpc").headers["Allow"]
    assert "HEAD" in admin.expect(405, "POST", "/healthz").headers["Allow"]
    admin.expect(405, "TRACE", "/agents")


def case_head_is_get_without_the_body(server, admin):
    whole = admin.expect(200, "GET", "/agents?limit=1")
    head = admin.expect(200, "HEAD", "/agents?limit=1")
    assert head.text == b"" and head.headers["Content-Length"] == whole.headers["Content-Length"]
    admin.expect(404, "HEAD", "/agents/" + UNKNOWN)
    for path in ["/healthz", "/_health", "/readyz", "/"]:
        assert admin.expect(200, "HEAD", path).text == b""


def case_an_api_key_makes_a_token_that_opens_the_same_doors(server, admin):
    made = Rest.api_key(server, server.key).expect(200, "POST", "/auth/token").json
    assert made["token_type"] == "Bearer" and made["expires_in"] == 1800, made
    token = made["access_token"]
    for caller in [Rest.bearer(server, token), Rest.api_key(server, token)]:
        caller.expect(200, "GET", "/agents")
        caller.expect(200, "POST", "/rpc", {"jsonrpc": "2.0", "id": 1, "method": "system.info"})
        caller.expect(426, "GET", "/rpc")
        assert caller.expect(403, "POST", "/auth/token").json["name"] == "permission_denied"
    header, payload, signature = token.split(".")
    for bad in [header + "." + payload + ".", "eyJhbGciOiJub25lIn0." + payload + ".", token[:-2], token + "A",
                header + "." + payload[:-4] + "AAAA." + signature, "." * 5000, "a.b.c", ".."]:
        assert Rest.bearer(server, bad).expect(401, "GET", "/agents").json["name"] == "unknown_credential"
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13",
               "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec_WebSocket_Protocol": "rekey.agent.v1"}
    assert Rest.bearer(server, token).expect(401, "GET", "/agent", **upgrade).json["name"] == "unknown_credential"


def case_the_life_of_an_api_key(server, admin):
    agent = "/agents/" + admin.expect(201, "POST", "/agents", {"name": "keyholder"}).json["agent_id"]
    first = admin.expect(201, "POST", agent + "/keys", {"name": "ci"}).json
    token = Rest.api_key(server, first["key"]).expect(200, "POST", "/auth/token").json["access_token"]
    Rest.bearer(server, token).expect(403, "GET", "/agents")
    listed = admin.expect(200, "GET", agent + "/keys")
    assert b"rkk_" not in listed.text and [key["works"] for key in listed.json["keys"]] == [True]
    rotate = agent + "/keys/" + first["key_id"] + "/rotate"
    second = admin.expect(200, "POST", rotate, Idempotency_Key="42").json
    assert admin.expect(200, "POST", rotate, Idempotency_Key="42").json == second
    for key in [first["key"], second["key"]]:
        Rest.api_key(server, key).expect(200, "POST", "/auth/token")
    admin.expect(409, "POST", rotate, Idempotency_Key="42")  # the new key was used
    admin.expect(204, "DELETE", agent + "/keys/" + first["key_id"])
    Rest.api_key(server, first["key"]).expect(401, "POST", "/auth/token")
    Rest.bearer(server, token).expect(401, "GET", "/agents")
    Rest.api_key(server, second["key"]).expect(200, "POST", "/auth/token")
    admin.expect(422, "DELETE", agent + "/keys/nonsense")


def case_a_suspension_voids_the_tokens_that_are_out(server, admin):
    agent = "/agents/" + admin.expect(201, "POST", "/agents", {"name": "suspect"}).json["agent_id"]
    key = Rest.api_key(server, admin.expect(201, "POST", agent + "/keys", {"name": "ci"}).json["key"])
    caller = Rest.bearer(server, key.expect(200, "POST", "/auth/token").json["access_token"])
    caller.expect(403, "GET", "/agents")
    admin.expect(200, "POST", agent + "/suspend")
    assert caller.expect(403, "GET", "/agents").json["name"] == "agent_suspended"
    key.expect(403, "POST", "/auth/token")
    admin.expect(200, "POST", agent + "/reactivate")
    assert caller.expect(401, "GET", "/agents").json["name"] == "token_expired"
    key.expect(200, "POST", "/auth/token")


def case_the_audit_is_queried(server, admin):
    entries = admin.expect(200, "GET", "/audit?action=agent.created&limit=2&order=newest_first").json["entries"]
    assert len(entries) == 2 and entries[0]["seq"] > entries[1]["seq"], entries
    assert all(entry["action"] == "agent.created" for entry in entries)


def case_health_needs_nothing(server, admin):
    assert Rest(server, {}).expect(200, "GET", "/_health").json["status"] == "ok"


def new_agent(admin, name, *capabilities):
    """Its id, and an API key of its own."""
    agent_id = admin.expect(201, "POST", "/agents", {"name": name, "type": "service"}).json["agent_id"]
    for capability in capabilities:
        admin.expect(201, "POST", f"/agents/{agent_id}/capabilities", {"capability": capability})
    made = admin.expect(201, "POST", f"/agents/{agent_id}/keys", {"name": "first"}).json
    return agent_id, made["key_id"], made["key"]


def token_of(server, key):
    made = Rest.api_key(server, key).expect(200, "POST", "/auth/token").json
    assert made["token_type"] == "Bearer" and made["expires_in"] > 0, made
    return made["access_token"]


@needs("POST /auth/token")
def case_a_key_is_exchanged_for_a_token_that_opens_every_route(server, admin):
    user = Rest.bearer(server, token_of(server, server.key))
    user.expect(200, "GET", "/agents")
    user.expect(201, "POST", "/agents", {"name": "by-token"})
    user.expect(200, "GET", "/audit?limit=1")
    stranger = Rest(server, {})
    stranger.expect(401, "POST", "/auth/token")
    for wrong in ["", "x", "rkk_x_y", server.key[:-1] + ("a" if server.key[-1] != "a" else "b")]:
        Rest.api_key(server, wrong).expect(401, "POST", "/auth/token")
    token = token_of(server, server.key)
    head, payload, signature = token.split(".")
    for wrong in [token[:-2], head + "." + payload + ".", payload + "." + head + "." + signature,
                  "eyJhbGciOiJub25lIn0." + payload + "."]:
        assert Rest.bearer(server, wrong).expect(401, "GET", "/agents").json["name"] == "unknown_credential"


@needs("POST /auth/token", "POST /agents/{agent_id}/keys", "POST /agents/{agent_id}/capabilities")
def case_keys_are_shown_once_rotated_and_revoked(server, admin):
    agent_id, key_id, key = new_agent(admin, "keyed", "agents:read")
    keys = f"/agents/{agent_id}/keys"
    listed = admin.expect(200, "GET", keys)
    assert [row["key_id"] for row in listed.json["keys"]] == [key_id] and key not in listed.text.decode()
    rotated = admin.expect(200, "POST", f"{keys}/{key_id}/rotate").json
    for good in [key, rotated["key"]]:
        Rest.api_key(server, good).expect(200, "GET", "/agents?limit=1")
    admin.expect(204, "DELETE", f"{keys}/{key_id}")
    Rest.api_key(server, key).expect(401, "GET", "/agents?limit=1")
    token = token_of(server, rotated["key"])
    assert admin.expect(204, "DELETE", f"{keys}/{rotated['key_id']}").text == b""
    Rest.bearer(server, token).expect(401, "GET", "/agents?limit=1")
    Rest.api_key(server, rotated["key"]).expect(401, "POST", "/auth/token")
    admin.expect(404, "DELETE", f"{keys}/{UNKNOWN}")
    admin.expect(422, "POST", keys, {"nmae": "x"})
    once = [admin.expect(201, "POST", keys, {"name": "once"}, Idempotency_Key="retry-1").json for _ in range(2)]
    assert once[0] == once[1], "a lost answer comes again"


@needs("POST /agents/{agent_id}/keys", "POST /agents/{agent_id}/capabilities")
def case_capabilities_are_registered_granted_and_revoked(server, admin):
    made = admin.expect(201, "POST", "/capabilities", {"name": "reports:write", "description": "Writes reports."}).json
    admin.expect(409, "POST", "/capabilities", {"name": "reports:write"})
    admin.expect(422, "POST", "/capabilities", {"name": "No Such Form"})
    names = [one["name"] for one in admin.expect(200, "GET", "/capabilities?limit=500").json["capabilities"]]
    assert "reports:write" in names and "agents:read" in names, names
    agent_id, _, key = new_agent(admin, "capable")
    caller = Rest.api_key(server, key)
    caller.expect(403, "GET", "/agents")
    grants = f"/agents/{agent_id}/capabilities"
    admin.expect(201, "POST", grants, {"capability": "agents:read"})
    caller.expect(200, "GET", "/agents")
    admin.expect(201, "POST", grants, {"capability_id": made["capability_id"]})
    admin.expect(204, "DELETE", f"{grants}/{made['capability_id']}")
    admin.expect(204, "DELETE", f"{grants}/agents:read")
    caller.expect(403, "GET", "/agents")


@needs("POST /agents/{agent_id}/keys", "POST /agents/{agent_id}/capabilities", "DELETE /agents/{agent_id}")
def case_who_may_not_hears_nothing_of_what_there_is(server, admin):
    agent_id, _, key = new_agent(admin, "curious", "agents:read")
    caller = Rest.api_key(server, key)
    for verb, path, body in [("POST", "/agents/{}/suspend", None), ("PATCH", "/agents/{}", {"owner": "me"}),
                             ("POST", "/agents/{}/capabilities", {"capability": "admin:*"}),
                             ("POST", "/agents/{}/keys", {"name": "x"}), ("DELETE", "/agents/{}", None),
                             ("DELETE", "/agents/{}/capabilities/admin:*", None)]:
        answers = [caller.expect(403, verb, path.format(one), body).text for one in (agent_id, UNKNOWN)]
        assert answers[0] == answers[1], answers
    caller.expect(403, "GET", "/audit")
    caller.expect(403, "POST", "/capabilities", {"name": "x:y"})


@needs("POST /auth/token", "POST /agents/{agent_id}/keys", "POST /agents/{agent_id}/capabilities")
def case_a_suspended_agent_is_out_at_once(server, admin):
    agent_id, _, key = new_agent(admin, "suspect-with-a-key", "agents:read")
    token = Rest.bearer(server, token_of(server, key))
    token.expect(200, "GET", "/agents")
    admin.expect(200, "POST", f"/agents/{agent_id}/suspend")
    for caller in [token, Rest.api_key(server, key)]:
        assert caller.expect(403, "GET", "/agents").json["name"] == "agent_suspended"
    assert Rest.api_key(server, key).expect(403, "POST", "/auth/token").json["name"] == "agent_suspended"
    admin.expect(200, "POST", f"/agents/{agent_id}/reactivate")
    Rest.api_key(server, key).expect(200, "GET", "/agents")
    token.expect(401, "GET", "/agents")
    admin.expect(200, "POST", f"/agents/{agent_id}/revoke")
    assert Rest.api_key(server, key).ask("GET", "/agents").status in (401, 403)


@needs("POST /agents/{agent_id}/keys", "POST /agents/{agent_id}/capabilities", "DELETE /agents/{agent_id}")
def case_agents_are_changed_and_deleted(server, admin):
    agent_id, _, key = new_agent(admin, "short-lived", "agents:read")
    changed = admin.expect(200, "PATCH", "/agents/" + agent_id, {"owner": "ops", "labels": {"a": "b"}}).json
    assert changed["owner"] == "ops" and changed["labels"] == {"a": "b"}, changed
    admin.expect(409, "PATCH", "/agents/" + agent_id, {"name": "one"})
    admin.expect(422, "PATCH", "/agents/" + agent_id, {"status": "active"})
    admin.expect(204, "DELETE", "/agents/" + agent_id)
    admin.expect(404, "GET", "/agents/" + agent_id)
    admin.expect(404, "DELETE", "/agents/" + agent_id)
    Rest.api_key(server, key).expect(401, "GET", "/agents")


@needs("POST /auth/token")
def case_failures_at_the_token_endpoint_are_limited_by_address(server, admin):
    server.call("settings.set", {"settings": {"rate_limit_auth_per_minute": 3}})
    wrong = Rest.api_key(server, "rkk_x_y")
    statuses = [wrong.ask("POST", "/auth/token").status for _ in range(5)]
    assert statuses[0] == 401 and statuses[-1] == 429, statuses
    assert int(wrong.expect(429, "POST", "/auth/token").headers["Retry-After"]) > 0
    token_of(server, server.key)  # a right key is not refused because of them
    server.call("settings.set", {"settings": {"rate_limit_auth_per_minute": 0}})


def case_every_route_is_in_the_manual(server, admin):
    described = Rest(server, {}).expect(200, "GET", "/openapi.json").json["paths"]
    manual = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for path, verbs in described.items():
        for verb, operation in verbs.items():
            if operation.get("security") != [] and path != "/rpc":
                assert f"| `{verb.upper()} {path}` | {operation['operationId']} |" in manual, (verb, path)


def case_each_line_of_the_manual_does_what_it_says(server, admin):
    script = ["set -u", f"REKEY=https://{server.host}:{server.port}", f"KEY={server.key}"]
    for line in (ROOT / "docs" / "api.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("curl "):
            command, status = line.rsplit("   # ", 1)
            script += [f"got=$({command} -sS -o answer.txt -w '%{{http_code}}')",
                       f"[ $got = {status} ] || {{ echo {shlex.quote(line)}: $got >&2; cat answer.txt >&2; exit 1; }}"]
        elif "=$(curl " in line:
            script.append(line.replace("curl ", "curl -sS "))
    assert len(script) > 20, "the manual has lost its lines"
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, CURL_CA_BUNDLE=os.path.join(server.folder, "ca.pem"))
        subprocess.run(["bash", "-c", "\n".join(script)], check=True, cwd=folder, env=environment)


def case_too_many_calls_are_a_429(server, admin):
    server.call("settings.set", {"settings": {"rate_limit_api_per_minute": 3}})
    statuses = [admin.ask("GET", "/agents").status for _ in range(4)]
    assert statuses[-1] == 429, statuses
    refused = admin.expect(429, "GET", "/agents?limit=x")
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.json["retry_after_seconds"] == int(refused.headers["Retry-After"])


def main():
    cases = [case for name, case in globals().items() if name.startswith("case_")]
    with tempfile.TemporaryDirectory() as folder:
        server = Server(sys.argv[1], folder)
        try:
            server.call("settings.set", {"settings": {"rate_limit_api_per_minute": 0}})
            admin = Rest.bearer(server, server.key)
            paths = admin.expect(200, "GET", "/openapi.json").json["paths"]
            routes = {f"{verb.upper()} {path}" for path, verbs in paths.items() for verb in verbs}
            for case in cases:
                missing = getattr(case, "needs", set()) - routes
                if missing:
                    print("left out", case.__name__, "for want of", *missing)
                    continue
                case(server, admin)
                print("ok", case.__name__)
        finally:
            ended = server.stop()
        assert ended == 0, f"rekeyd ended with {ended}"


if __name__ == "__main__":
    main()
