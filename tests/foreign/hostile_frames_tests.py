#!/usr/bin/env python3
"""Frames and upgrades that no honest agent sends, against the real rekeyd: each gets its documented close code or
status, and the server goes on serving.

usage: hostile_frames_tests.py REKEYD
"""
import asyncio
import json
import os
import socket
import struct
import sys
import tempfile
import time

import websockets
from plain_client import PlainAgent, within
from server import DEADLINE_SECONDS, Server

MESSAGE_BYTES = 64 * 1024


def masked_frame(opcode, payload, final=True):
    """One client frame (RFC 6455, section 5.2) with a zero mask."""
    head = bytes([(0x80 if final else 0) | opcode])
    if len(payload) < 126:
        head += bytes([0x80 | len(payload)])
    elif len(payload) < 65536:
        head += bytes([0x80 | 126]) + struct.pack(">H", len(payload))
    else:
        head += bytes([0x80 | 127]) + struct.pack(">Q", len(payload))
    return head + bytes(4) + payload


async def expect_close(agent, code):
    try:
        while True:
            await within(DEADLINE_SECONDS, agent.socket.recv())
    except websockets.ConnectionClosed as closed:
        received = closed.rcvd.code if closed.rcvd else None
        assert received == code, (received, code)


async def raw(agent, data):
    """Writes bytes below the WebSocket library."""
    agent.socket.transport.write(data)


async def case_binary_frame(agent):
    await agent.socket.send(b"\x00\x01")
    await expect_close(agent, 4503)


async def case_bad_utf8(agent):
    await raw(agent, masked_frame(1, b"\xff\xfe"))
    await expect_close(agent, 1007)


async def case_too_large_in_fragments(agent):
    try:
        await agent.socket.send(["x" * 1024] * (MESSAGE_BYTES // 1024 + 8))
    except websockets.ConnectionClosed:
        pass
    await expect_close(agent, 1009)


async def case_fragmented_to_death(agent):
    await raw(agent, masked_frame(1, b"{", final=False) + masked_frame(0, b" ", final=False) * 100)
    await expect_close(agent, 1009)


async def case_reserved_bits(agent):
    await raw(agent, bytes([0xF1, 0x80]) + bytes(4))
    await expect_close(agent, 1002)


async def case_fragments_within_limits_are_one_message(agent):
    beat = json.dumps({"jsonrpc": "2.0", "id": 77, "method": "agent.heartbeat",
                       "params": {"status": "ok", "uptime_seconds": 1, "generation": 1}})
    await agent.socket.send([beat[:10], beat[10:20], beat[20:]])
    while json.loads(await within(DEADLINE_SECONDS, agent.socket.recv())).get("id") != 77:
        pass
    await agent.socket.close()


def case_peer_that_reads_nothing(server, agent):
    """Asks without reading the answers, until the server cuts it off at its byte limit (I15)."""
    connection = socket.create_connection((server.host, server.port), timeout=DEADLINE_SECONDS)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    secure = agent.context.wrap_socket(connection, server_hostname=server.host)
    token = agent.state["tokens"][-1]["token"]
    secure.sendall(("GET /agent HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                    f"Sec-WebSocket-Protocol: rekey.agent.v1\r\nAuthorization: Bearer {token}\r\n\r\n").encode())
    hello = {"jsonrpc": "2.0", "id": 1, "method": "agent.hello",
             "params": {"version": "1", "hostname": "h", "os": "o", "boot_id": "b", "tokens_held": [], "methods": []}}
    secure.sendall(masked_frame(1, json.dumps(hello).encode()))
    flood = masked_frame(1, b'{"jsonrpc":"2.0","id":2,"method":"agent.key_status","params":{}}') * 100
    deadline = time.monotonic() + DEADLINE_SECONDS
    try:
        while time.monotonic() < deadline:
            secure.sendall(flood)
    except OSError:
        return
    finally:
        secure.close()
    raise AssertionError("the server never cut off a peer that reads nothing")


def status_of(server, request):
    connection = socket.create_connection((server.host, server.port), timeout=DEADLINE_SECONDS)
    secure = server.context.wrap_socket(connection, server_hostname=server.host)
    try:
        secure.sendall(request.encode())
        return int(secure.recv(65536).split(b" ")[1])
    finally:
        secure.close()


UPGRADE = ("GET /agent HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n")


def bad_upgrades(server):
    cases = {
        "GET /agent HTTP/1.1\r\nHost: localhost\r\n\r\n": 426,
        UPGRADE + "Authorization: Bearer x\r\n\r\n": 400,
        UPGRADE + "Sec-WebSocket-Protocol: other.v1\r\nAuthorization: Bearer x\r\n\r\n": 400,
        UPGRADE + "Sec-WebSocket-Protocol: rekey.agent.v1\r\n\r\n": 401,
        UPGRADE + "Sec-WebSocket-Protocol: rekey.agent.v1\r\nAuthorization: Bearer rka_x_y\r\n\r\n": 401,
        "POST /agent HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n": 405,
        "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n": 404,
        "POST /enroll HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n" + "x" * 70000: 413,
        "POST /enroll HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 400,
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + "y" * 20000 + "\r\n\r\n": 431,
        "no http at all\r\n\r\n": 400,
    }
    for request, expected in cases.items():
        got = status_of(server, request)
        assert got == expected, (request[:120], got, expected)


async def hostile(server, agent):
    for case in [case_binary_frame, case_bad_utf8, case_too_large_in_fragments, case_fragmented_to_death,
                 case_reserved_bits, case_fragments_within_limits_are_one_message]:
        await within(DEADLINE_SECONDS, agent.connect())
        await case(agent)
        assert server.call("system.info", {}), "the server still serves after " + case.__name__
        print("ok", case.__name__)


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = Server(sys.argv[1], folder)
        home = os.path.join(folder, "agent")
        os.mkdir(home)
        try:
            bad_upgrades(server)
            created = server.call("agents.create", {"name": "hostile"})
            code = server.call("agents.enrollment_code", {"agent_id": created["agent_id"]})
            agent = PlainAgent(home)
            status, reply = agent.enroll(code["join_string"])
            assert status == 200, reply
            asyncio.run(hostile(server, agent))
            case_peer_that_reads_nothing(server, agent)
            print("ok case_peer_that_reads_nothing")
            assert server.call("system.info", {})
        finally:
            ended = server.stop()
        assert ended == 0, f"rekeyd ended with {ended}"


if __name__ == "__main__":
    main()
