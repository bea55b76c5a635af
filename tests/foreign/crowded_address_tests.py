#!/usr/bin/env python3
"""One address, as of a NAT, that a stranger fills with connections: who has a credential is served from there all the
same, by the real rekeyd. In a network namespace of its own, because loopback is not bounded; skipped where none can be
made.

usage: crowded_address_tests.py REKEYD
"""
import os
import socket
import subprocess
import sys
import tempfile

from server import DEADLINE_SECONDS, Server

PLACES = 256  # limits::kUnauthenticatedConnectionsAnAddress
ADDRESS = "192.0.2.1"
SKIPPED = 77
INSIDE = "--inside"
PROBE = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPGRADE = ("GET /rpc HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Protocol: rekey.admin.v1\r\nAuthorization: Bearer {key}\r\n\r\n")


def connect(server):
    connection = socket.create_connection((server.host, server.port), timeout=DEADLINE_SECONDS)
    return server.context.wrap_socket(connection, server_hostname="localhost")


def status(connection, request):
    connection.sendall(request.encode())
    return connection.recv(65536).decode("latin-1").split(" ")[1]


def squatters(server, count):
    crowd = [connect(server) for _ in range(count)]
    for one in crowd:
        assert status(one, PROBE) == "200"
    return crowd


def case_a_stranger_that_takes_all_places_keeps_nobody_out(server):
    crowd = squatters(server, PLACES)
    admin = connect(server)
    call = f"GET /agents HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.key}\r\n\r\n"
    assert status(admin, call) == "200"
    assert crowd[0].recv(1) == b"", "the oldest stranger had to leave"
    assert status(crowd[1], PROBE) == "200", "and nobody else"
    assert status(connect(server), UPGRADE.format(key=server.key)) == "101"
    # However many more come: who has shown a credential stays, idle or not.
    more = [one for _ in range(3) for one in squatters(server, PLACES // 2)]
    assert status(admin, call) == "200"
    assert status(more[-1], PROBE) == "200"


def case_one_with_a_credential_that_takes_all_places_keeps_nobody_out(server):
    call = f"GET /agents HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.key}\r\n\r\n"
    crowd = [connect(server) for _ in range(PLACES)]
    for one in crowd:
        assert status(one, call) == "200"
    newcomer = connect(server)
    assert status(newcomer, call) == "200"
    assert crowd[0].recv(1) == b"", "the one that was used the longest ago had to leave"
    assert status(crowd[1], call) == "200", "and nobody else"


def main():
    if INSIDE not in sys.argv:
        command = ["unshare", "--user", "--map-root-user", "--net"]
        try:
            able = subprocess.run(command + ["ip", "link", "set", "lo", "up"], check=False).returncode == 0
        except FileNotFoundError:
            able = False
        if not able:
            print("skipped: no network namespace here")
            return SKIPPED
        os.execvp("unshare", command + [sys.executable, "-B", *sys.argv, INSIDE])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "address", "add", ADDRESS + "/32", "dev", "lo"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(sys.argv[1], folder, listen=ADDRESS + ":0")
        try:
            case_a_stranger_that_takes_all_places_keeps_nobody_out(server)
            case_one_with_a_credential_that_takes_all_places_keeps_nobody_out(server)
        finally:
            ended = server.stop()
        assert ended == 0, ended
    return 0


if __name__ == "__main__":
    sys.exit(main())
