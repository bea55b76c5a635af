#!/usr/bin/env python3
"""HTTP that no honest client sends, against the real rekeyd: requests that two servers would read as two different
ones, other people's web pages, and clients that take for ever. Each is refused, and the others go on being served.

usage: hostile_http_tests.py REKEYD
"""
import select
import socket
import ssl
import sys
import tempfile
import time

from rest import Rest
from server import DEADLINE_SECONDS, Server

CONSOLE = "https://console.example.com"
UPGRADE = ("GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Protocol: {protocol}\r\n{more}\r\n")
SMUGGLED = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = "POST /rpc HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = POST + "Transfer-Encoding: chunked\r\n\r\n"


def connect(server):
    connection = socket.create_connection((server.host, server.port), timeout=DEADLINE_SECONDS)
    return server.context.wrap_socket(connection, server_hostname=server.host)


def exchange(server, request):
    """All that comes back until the server closes."""
    with connect(server) as secure:
        secure.sendall(request.encode("latin-1"))
        received = b""
        try:
            while piece := secure.recv(65536):
                received += piece
        except (ssl.SSLError, ConnectionError):
            pass
        return received.decode("latin-1")


def case_what_two_servers_read_differently_is_refused(server):
    requests = {
        "CL and TE": POST + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "TE and CL": POST + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "two CL": POST + "Content-Length: 0\r\nContent-Length: 40\r\n\r\n",
        "two equal CL": POST + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
        "a list of CL": POST + "Content-Length: 0, 0\r\n\r\n",
        "CL with a sign": POST + "Content-Length: +0\r\n\r\n",
        "TE identity": POST + "Transfer-Encoding: identity\r\n\r\n",
        "TE that ends otherwise": POST + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "TE hidden": POST + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "TE of HTTP/1.0": POST.replace("1.1", "1.0") + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "space before the colon": POST + "Content-Length : 0\r\n\r\n",
        "a folded line": POST + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        "a bare LF": POST + "X: a\nContent-Length: 0\r\n\r\n",
        "only LF": POST.replace("\r\n", "\n") + "\n",
        "a NUL": POST + "X: a\0b\r\n\r\n",
        "a chunk's extension": CHUNKED + "0;x=y\r\n\r\n",
        "a trailer": CHUNKED + "0\r\nX-API-Key: x\r\n\r\n",
        "a chunk too long": CHUNKED + "2\r\n{}x\r\n0\r\n\r\n",
        "a size that is none": CHUNKED + "0x0\r\n\r\n",
        "two hosts": POST + "Host: other\r\n\r\n",
        "no host": "POST /rpc HTTP/1.1\r\n\r\n",
        "two credentials": POST + "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
    }
    for name, request in requests.items():
        answer = exchange(server, request + SMUGGLED)
        assert answer.startswith("HTTP/1.1 400 "), (name, answer[:100])
        assert answer.count("HTTP/1.1 ") == 1 + answer.count("valid HTTP/1.1 "), (name, "what stood behind it was answered", answer)
        assert "Connection: close" in answer and "X-Request-Id: " in answer and "nosniff" in answer, answer


def case_too_much_is_refused(server):
    for request, status in {
            "GET / HTTP/1.1\r\nHost: localhost\r\n" + "A: b\r\n" * 100 + "\r\n": 431,
            "GET / HTTP/1.1\r\nHost: localhost\r\nA: " + "b" * 20000 + "\r\n\r\n": 431,
            "GET /" + "a" * 20000 + " HTTP/1.1\r\nHost: localhost\r\n\r\n": 431,
            CHUNKED + "1\r\n{\r\n" * 70000: 413,
            CHUNKED + "ffffffffffffffff\r\n": 413,
            CHUNKED + "fffffffffffffffff\r\n": 400}.items():
        answer = exchange(server, request)
        assert answer.startswith(f"HTTP/1.1 {status} "), (request[:60], answer[:100])


def case_other_names_are_not_ours(server):
    for host, status in {"localhost": 200, "127.0.0.1:1": 200, "[::1]": 200, "REKEY.example.com:443": 200,
                         "evil.example": 421, "rekey.example.com.evil.example": 421, "": 421,
                         "localhost@evil.example": 421}.items():
        answer = exchange(server, f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
        assert answer.startswith(f"HTTP/1.1 {status} "), (host, answer[:200])
    for path, protocol in [("/agent", "rekey.agent.v1"), ("/rpc", "rekey.admin.v1")]:
        answer = exchange(server, UPGRADE.format(path=path, host="evil.example", protocol=protocol,
                                                 more="Connection: close\r\n"))
        assert answer.startswith("HTTP/1.1 421 "), answer[:200]


def case_other_peoples_pages_are_refused_on_every_door(server):
    paths = [("POST", "/rpc"), ("GET", "/agents"), ("POST", "/agents"), ("POST", "/enroll"), ("POST", "/recover"),
             ("GET", "/healthz"), ("GET", "/openapi.json"), ("GET", "/docs"), ("GET", "/"), ("OPTIONS", "/rpc")]
    caller = Rest.bearer(server, server.key)
    for origin in ["https://evil.example", "null", "http://localhost:3000", CONSOLE + ".evil.example"]:
        for verb, path in paths:
            assert caller.expect(403, verb, path, Origin=origin).json["name"] == "permission_denied"
    for path, protocol in [("/agent", "rekey.agent.v1"), ("/rpc", "rekey.admin.v1")]:
        more = f"Origin: https://evil.example\r\nAuthorization: Bearer {server.key}\r\nConnection: close\r\n"
        answer = exchange(server, UPGRADE.format(path=path, host="localhost", protocol=protocol, more=more))
        assert answer.startswith("HTTP/1.1 403 "), answer[:200]
    own = f"https://{server.host}:{server.port}"
    caller.expect(200, "GET", "/agents", Origin=own)


def case_configured_pages_may_call_without_cookies(server):
    caller = Rest.bearer(server, server.key)
    question = Rest(server, {}).expect(204, "OPTIONS", "/agents", Origin=CONSOLE,
                                       Access_Control_Request_Method="POST")
    assert question.headers["Access-Control-Allow-Origin"] == CONSOLE
    assert "POST" in question.headers["Access-Control-Allow-Methods"]
    assert "X-API-Key" in question.headers["Access-Control-Allow-Headers"]
    for answer in [question, caller.expect(200, "GET", "/agents", Origin=CONSOLE),
                   Rest(server, {}).expect(401, "GET", "/agents", Origin=CONSOLE)]:
        assert answer.headers["Access-Control-Allow-Origin"] == CONSOLE
        assert answer.headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Access-Control-Allow-Origin" not in caller.expect(200, "GET", "/agents").headers
    caller.expect(405, "OPTIONS", "/agents")


def case_every_answer_is_guarded(server):
    caller = Rest.bearer(server, server.key)
    for status, verb, path in [(200, "GET", "/"), (200, "GET", "/docs"), (200, "GET", "/agents"), (404, "GET", "/x"),
                               (405, "PUT", "/rpc"), (200, "GET", "/openapi.json"), (426, "GET", "/agent")]:
        headers = caller.expect(status, verb, path).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["X-Frame-Options"] == "DENY", path
        assert headers["Referrer-Policy"] == "no-referrer", path
        assert headers["Cache-Control"] == "no-store", path
        assert headers["Content-Security-Policy"].startswith("default-src 'none'"), path
        assert "Strict-Transport-Security" not in headers, "nobody's other ports on localhost are our business"
    public = Rest(server, {"Host": "rekey.example.com"}).expect(200, "GET", "/healthz")
    assert int(public.headers["Strict-Transport-Security"].removeprefix("max-age=")) > 0


def case_the_page_runs_its_own_script_alone(server):
    page = Rest(server, {}).expect(200, "GET", "/docs")
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "script-src 'sha256-" in policy and "connect-src 'self'" in policy, policy
    text = page.text.decode()
    for word in ["http://", "https://", "localStorage", "cookie", "innerHTML", " src=", "@import"]:
        assert word not in text, word
    import base64
    import hashlib
    for tag in ["script", "style"]:
        inside = text.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy, tag


def case_a_request_has_an_id_in_its_answer_and_in_the_audit(server):
    caller = Rest.bearer(server, server.key)
    named = caller.expect(201, "POST", "/agents", {"name": "named"}, X_Request_Id="build-7")
    assert named.headers["X-Request-Id"] == "build-7"
    ours = caller.expect(201, "POST", "/agents", {"name": "ours"}, X_Request_Id="two words")
    assert len(ours.headers["X-Request-Id"]) == 36
    entries = caller.expect(200, "GET", "/audit?action=agent.created&limit=2&order=newest_first").json["entries"]
    ids = [entry["details"]["request_id"] for entry in entries]
    assert ids == [ours.headers["X-Request-Id"], "build-7"], ids
    refused = caller.expect(404, "GET", "/nowhere")
    assert refused.headers["X-Request-Id"] != ours.headers["X-Request-Id"]
    more = f"Authorization: Bearer {server.key}\r\nX-Request-Id: socket-1\r\n"
    with connect(server) as secure:
        secure.sendall(UPGRADE.format(path="/rpc", host="localhost", protocol="rekey.admin.v1", more=more).encode())
        opened = secure.recv(65536).decode("latin-1")
    assert opened.startswith("HTTP/1.1 101 ") and "X-Request-Id: socket-1\r\n" in opened, opened


def case_who_takes_for_ever_is_sent_away_and_holds_up_nobody(server):
    """A byte now and then in the handshake, the header or the body, and none at all: the deadline is the same."""
    hello = ssl.MemoryBIO()
    half = server.context.wrap_bio(ssl.MemoryBIO(), hello, server_hostname=server.host)
    try:
        half.do_handshake()
    except ssl.SSLWantReadError:
        pass
    first_bytes = hello.read()

    def secure(start):
        connection = connect(server)
        connection.sendall(start.encode())
        return connection

    slow = {}  # each connection, and what it goes on to say byte by byte
    for _ in range(20):
        slow[secure("GET / HTTP/1.1\r\nHost: localhost\r\nX: ")] = b"a" * 4000
        slow[secure(POST + "Content-Length: 4000\r\n\r\n")] = b" " * 3999
        slow[secure(CHUNKED)] = b"1\r\n \r\n" * 600
        slow[secure("")] = b""
        slow[socket.create_connection((server.host, server.port), timeout=DEADLINE_SECONDS)] = first_bytes
    good = Rest.bearer(server, server.key)
    began = time.monotonic()
    while slow:
        passed = time.monotonic() - began
        assert passed < DEADLINE_SECONDS, f"{len(slow)} connections are still open after {passed:.0f} s"
        asked = time.monotonic()
        good.expect(200, "GET", "/agents?limit=1")
        assert time.monotonic() - asked < 5, "others wait for the slow ones"
        readable, _, _ = select.select(list(slow), [], [], 0.1)
        for connection in readable:
            if not still_open(connection):
                connection.close()
                del slow[connection]
        for connection, rest in list(slow.items()):
            if rest:
                slow[connection] = rest[1:]
                try:
                    connection.send(rest[:1])
                except OSError:
                    connection.close()
                    del slow[connection]
    assert time.monotonic() - began > 5, "they were not given the time that honest slow ones need"


def still_open(connection):
    """Reads what came: the 408, or the end."""
    try:
        return connection.recv(65536) != b""
    except ssl.SSLWantReadError:
        return True
    except OSError:
        return False


def main():
    cases = [case for name, case in globals().items() if name.startswith("case_")]
    with tempfile.TemporaryDirectory() as folder:
        server = Server(sys.argv[1], folder, "--cors-origins", CONSOLE, "--allowed-hosts", "rekey.example.com")
        try:
            server.call("settings.set", {"settings": {"rate_limit_api_per_minute": 0}})
            for case in cases:
                case(server)
                print("ok", case.__name__, flush=True)
        finally:
            ended = server.stop()
        assert ended == 0, f"rekeyd ended with {ended}"


if __name__ == "__main__":
    main()
