#!/usr/bin/env python3
"""Admin sockets end with what opened them, and one identity has only so many.

usage: admin_sockets_tests.py REKEYD
"""
import asyncio
import json
import sys
import tempfile

import websockets

from rest import Rest
from server import DEADLINE_SECONDS, Server

MOST = 1024  # of one identity
AT_ONCE = 50  # handshakes in flight
RACES = 20
RACERS = 40  # that open a socket while their agent is suspended


def reader(admin, name):
    agent_id = admin.expect(201, "POST", "/agents", {"name": name}).json["agent_id"]
    admin.expect(201, "POST", f"/agents/{agent_id}/capabilities", {"capability": "agents:read"})
    return agent_id


def opened(server, credential):
    return websockets.connect(
        f"wss://{server.host}:{server.port}/rpc", ssl=server.context, subprotocols=["rekey.admin.v1"],
        extra_headers={"Authorization": "Bearer " + credential}, ping_interval=None, open_timeout=DEADLINE_SECONDS)


async def answers(socket):
    await socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "system.info"}))
    answer = json.loads(await asyncio.wait_for(socket.recv(), DEADLINE_SECONDS))
    return "result" in answer


async def closed_with(socket):
    await asyncio.wait_for(socket.wait_closed(), DEADLINE_SECONDS)
    return socket.close_code


async def a_revoked_key_closes_its_sockets(server, admin):
    agent_id = reader(admin, "worker")
    keys = [admin.expect(201, "POST", f"/agents/{agent_id}/keys", {"name": name}).json for name in ("a", "b")]
    token = Rest.api_key(server, keys[0]["key"]).expect(200, "POST", "/auth/token").json["access_token"]
    by_key, by_token, other = [await opened(server, one) for one in (keys[0]["key"], token, keys[1]["key"])]
    for socket in (by_key, by_token, other):
        assert await answers(socket)
    admin.expect(204, "DELETE", f"/agents/{agent_id}/keys/{keys[0]['key_id']}")
    # Nobody calls anything on them.
    assert await closed_with(by_key) == 4004
    assert await closed_with(by_token) == 4004
    assert await answers(other)
    await other.close()


async def one_identity_has_so_many(server, admin):
    agent_id = reader(admin, "greedy")
    key = admin.expect(201, "POST", f"/agents/{agent_id}/keys", {"name": "k"}).json["key"]
    gate = asyncio.Semaphore(AT_ONCE)

    async def one_more():
        async with gate:
            return await opened(server, key)
    sockets = await asyncio.gather(*(one_more() for _ in range(MOST)))
    try:
        await opened(server, key)
    except websockets.InvalidStatusCode as refused:
        assert refused.status_code == 503, refused.status_code
        assert refused.headers["Rekey-Error"] == "overloaded"
    else:
        raise AssertionError("one socket too many was opened")
    mine = await opened(server, server.key)
    assert await answers(mine)
    await sockets[0].close()
    # The server lets go of it when it has heard the close; a refusal in between is right.
    for _ in range(1000):
        try:
            sockets[0] = await opened(server, key)
            break
        except websockets.InvalidStatusCode:
            assert await answers(mine)
    assert await answers(sockets[0])
    await asyncio.gather(mine.close(), *(socket.close() for socket in sockets))


async def upgrade(connection, server, key):
    """The status of the answer, and the close code that follows a 101."""
    reading, writing = connection
    writing.write((f"GET /rpc HTTP/1.1\r\nHost: {server.host}:{server.port}\r\nAuthorization: Bearer {key}\r\n"
                   "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "Sec-WebSocket-Protocol: rekey.admin.v1\r\n\r\n").encode())
    head = await asyncio.wait_for(reading.readuntil(b"\r\n\r\n"), DEADLINE_SECONDS)
    status = int(head.split()[1])
    code = None
    if status == 101:
        opcode, size = await asyncio.wait_for(reading.readexactly(2), DEADLINE_SECONDS)
        assert opcode == 0x88, opcode
        code = int.from_bytes((await reading.readexactly(size))[:2], "big")
    writing.close()
    return status, code


async def none_that_opens_during_a_suspension_stays(server, admin):
    """Some are let in before it, some refused after it; those that were on their way in between are neither."""
    loop = asyncio.get_running_loop()
    seen = set()
    for number in range(RACES):
        agent_id = reader(admin, f"racer-{number}")
        key = admin.expect(201, "POST", f"/agents/{agent_id}/keys", {"name": "k"}).json["key"]
        connections = [await asyncio.open_connection(server.host, server.port, ssl=server.context)
                       for _ in range(RACERS)]
        begun = [asyncio.ensure_future(upgrade(one, server, key)) for one in connections[:RACERS // 2]]
        suspended = loop.run_in_executor(None, admin.expect, 200, "POST", f"/agents/{agent_id}/suspend")
        begun += [asyncio.ensure_future(upgrade(one, server, key)) for one in connections[RACERS // 2:]]
        seen.update(await asyncio.gather(*begun))
        await suspended
    assert seen <= {(101, 4010), (403, None)}, seen


async def story(server, admin):
    await a_revoked_key_closes_its_sockets(server, admin)
    await none_that_opens_during_a_suspension_stays(server, admin)
    await one_identity_has_so_many(server, admin)


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = Server(sys.argv[1], folder)
        try:
            server.call("settings.set", {"settings": {"rate_limit_api_per_minute": 0}})
            asyncio.run(story(server, Rest.bearer(server, server.key)))
        finally:
            ended = server.stop()
        assert ended == 0, f"rekeyd ended with {ended}"
    print("admin sockets end with their key; one identity has so many and no more")


if __name__ == "__main__":
    main()
