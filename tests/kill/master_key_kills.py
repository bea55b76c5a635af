#!/usr/bin/env python3
"""Ends `rekeyd master-key --rotate` with kill -9 wherever it comes, once at each place that it reaches: each write, fsync
and rename of its files and of SQLite's, before and after the commit. After each, rekeyd starts as if nothing had been,
everything that is sealed can be opened, and the rotation can be done again.

usage: master_key_kills.py REKEYD REKEYD_FAIL [--every N]    (--every: the N-th places only, the first and last among them)
"""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "foreign"))
from rest import Rest  # noqa: E402
from server import DEADLINE_SECONDS, Server  # noqa: E402


def rotate(program, folder, **orders):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REKEY_")}
    return subprocess.run([program, "--data-dir", os.path.join(folder, "server"), "master-key", "--rotate"],
                          env=environment | orders, capture_output=True, text=True, timeout=DEADLINE_SECONDS)


def prepare(program, folder):
    """A database in which something is sealed; returns the API key of an agent."""
    server = Server(program, folder)
    try:
        admin = Rest.bearer(server, server.key)
        agent_id = admin.expect(201, "POST", "/agents", {"name": "a"}).json["agent_id"]
        admin.expect(201, "POST", f"/agents/{agent_id}/capabilities", {"capability": "agents:read"})
        key = admin.expect(201, "POST", f"/agents/{agent_id}/keys", {"name": "k"}).json["key"]
        server.call("signing_keys.create", {"algorithm": "ecdsa-p256"})
    finally:
        assert server.stop() == 0
    return key


def check(program, folder, key):
    """It starts, with the certificate that clients trust; it signs with the key that it published; the trail is whole."""
    server = Server(program, folder)
    try:
        token = Rest.api_key(server, key).expect(200, "POST", "/auth/token").json["access_token"]
        Rest.bearer(server, token).expect(200, "GET", "/agents")
        kids = [one["kid"] for one in server.call("signing_keys.list", {})["keys"]]
        for kid in kids:
            server.call("signing_keys.rotate", {"kid": kid, "at_once": True})
        verified = server.call("audit.verify", {})
        assert verified["verified"], verified
    finally:
        assert server.stop() == 0


def places(program, folder):
    """Every place that one rotation reaches, as NAME:HIT."""
    log = os.path.join(folder, "places")
    done = rotate(program, folder, REKEY_FAIL_POINT_LOG=log)
    assert done.returncode == 0, done.stderr
    seen, found = Counter(), []
    with open(log, encoding="utf-8") as file:
        for name in file.read().split():
            seen[name] += 1
            found.append(f"{name}:{seen[name]}")
    return found


def main():
    parser = argparse.ArgumentParser(add_help=True)
    parser.add_argument("rekeyd")
    parser.add_argument("rekeyd_fail")
    parser.add_argument("--every", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        whole = os.path.join(folder, "whole")
        os.mkdir(whole)
        key = prepare(given.rekeyd, whole)
        counted = shutil.copytree(whole, os.path.join(folder, "counted"))
        found = places(given.rekeyd_fail, counted)
        for needed in ["server.next_master_key.rename", "server.store.before_commit", "server.store.after_commit",
                       "server.old_master_key.rename", "server.master_key.rename"]:
            assert f"{needed}:1" in found, (needed, found)
        chosen = sorted(set(range(0, len(found), given.every)) | {len(found) - 1})
        for index in chosen:
            struck = shutil.copytree(whole, os.path.join(folder, "struck"))
            killed = rotate(given.rekeyd_fail, struck, REKEY_FAIL_POINT=found[index])
            assert killed.returncode == -signal.SIGKILL, (found[index], killed.returncode, killed.stderr)
            try:
                check(given.rekeyd, struck, key)
                again = rotate(given.rekeyd, struck)
                assert again.returncode == 0, again.stderr
                check(given.rekeyd, struck, key)
            except BaseException:
                print(f"after a kill at {found[index]}", file=sys.stderr)
                raise
            left = sorted(name for name in os.listdir(os.path.join(struck, "server")) if "master.key" in name)
            assert left == ["master.key", "master.key.old"], (found[index], left)
            shutil.rmtree(struck)
    print(f"{len(chosen)} kills at {len(found)} places: each left a server that starts and opens all that is sealed")


if __name__ == "__main__":
    main()
