#!/usr/bin/env python3
"""How long a suspension takes to reach everybody: one identity with many admin sockets, each with a call under way, and
an API key over HTTP. Prints the time from the suspension's request to the last socket's close.

usage: suspension_tests.py REKEYD [SESSIONS [SECONDS]]    (200 sessions; fails beyond 10 s)
"""
import asyncio
import json
import sys
import tempfile
import time

import websockets

from rest import Rest
from server import DEADLINE_SECONDS, Server

AT_ONCE = 50  # handshakes in flight


class Session:
    """One admin socket that always has a call under way, until it is closed."""

    def __init__(self):
        self.sent_at = self.answered = self.closed_at = None
        self.last_sent_and_answered = 0.0
        self.code = None

    async def connect(self, server, key, gate):
        async with gate:
            self.socket = await websockets.connect(
                f"wss://{server.host}:{server.port}/rpc", ssl=server.context, subprotocols=["rekey.admin.v1"],
                extra_headers={"Authorization": "Bearer " + key}, ping_interval=None)

    async def talk(self, ready):
        number = 0
        try:
            while True:
                number += 1
                self.sent_at = time.monotonic()
                await self.socket.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": "system.info"}))
                answer = json.loads(await self.socket.recv())
                if "result" in answer:
                    self.last_sent_and_answered = self.sent_at
                else:
                    assert answer["error"]["data"]["name"] == "agent_suspended", answer
                if number == 1:
                    ready.release()
        except websockets.ConnectionClosed as closed:
            self.closed_at = time.monotonic()
            self.code = closed.rcvd.code if closed.rcvd else None


async def story(server, admin, count):
    agent_id = admin.expect(201, "POST", "/agents", {"name": "victim"}).json["agent_id"]
    admin.expect(201, "POST", f"/agents/{agent_id}/capabilities", {"capability": "agents:read"})
    key = admin.expect(201, "POST", f"/agents/{agent_id}/keys", {"name": "its key"}).json["key"]
    over_http = Rest.bearer(server, key)
    over_http.expect(200, "GET", "/agents")
    token = Rest.api_key(server, key).expect(200, "POST", "/auth/token").json["access_token"]
    by_token = Rest.bearer(server, token)
    by_token.expect(200, "GET", "/agents")

    sessions = [Session() for _ in range(count)]
    gate, ready = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(0)
    await asyncio.gather(*(one.connect(server, key, gate) for one in sessions))
    talks = [asyncio.ensure_future(one.talk(ready)) for one in sessions]
    for _ in sessions:
        await asyncio.wait_for(ready.acquire(), DEADLINE_SECONDS)

    def suspend():
        began = time.monotonic()
        admin.expect(200, "POST", f"/agents/{agent_id}/suspend")
        return began, time.monotonic()
    began, answered = await asyncio.get_running_loop().run_in_executor(None, suspend)
    for client in [over_http, by_token]:
        assert client.expect(403, "GET", "/agents").json["name"] == "agent_suspended"
    await asyncio.wait_for(asyncio.gather(*talks), DEADLINE_SECONDS)
    assert {one.code for one in sessions} == {4010}, {one.code for one in sessions}
    late = max(one.last_sent_and_answered for one in sessions)
    assert late <= answered, f"a call that was sent {late - answered:.3f} s after the answer was let through"
    return max(one.closed_at for one in sessions) - began, answered - began


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    most = float(sys.argv[3]) if len(sys.argv) > 3 else 10.0
    with tempfile.TemporaryDirectory() as folder:
        server = Server(sys.argv[1], folder)
        try:
            server.call("settings.set", {"settings": {"rate_limit_api_per_minute": 0}})
            last, answer = asyncio.run(story(server, Rest.bearer(server, server.key), count))
        finally:
            ended = server.stop()
        assert ended == 0, f"rekeyd ended with {ended}"
    print(f"{count} sessions: answered after {answer * 1000:.0f} ms, the last one closed after {last * 1000:.0f} ms")
    assert last < most, f"more than {most} s"


if __name__ == "__main__":
    main()
