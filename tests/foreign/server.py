"""The real rekeyd as a child process, and its admin door, for tests in Python."""
import http.client
import json
import os
import ssl
import subprocess
import threading

DEADLINE_SECONDS = 60


class Server:
    """The real daemon on a port of its own choosing; its log says when it listens."""

    def __init__(self, program, folder, *arguments, listen="127.0.0.1:0"):
        self.folder = os.path.join(folder, "server")
        self.process = subprocess.Popen([program, "--data-dir", self.folder, "--listen", listen, *arguments],
                                        stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "server.listening" in line:
                break
        else:
            raise RuntimeError("rekeyd ended before it listened")
        # What it logs from here on is read and dropped: a full pipe would stop it.
        self.reader = threading.Thread(target=self.process.stderr.read)
        self.reader.start()
        with open(os.path.join(self.folder, "listen"), encoding="utf-8") as file:
            self.host, port = file.read().strip().rsplit(":", 1)
        self.port = int(port)
        with open(os.path.join(self.folder, "admin.key"), encoding="utf-8") as file:
            self.key = file.read().strip()
        self.context = ssl.create_default_context(cafile=os.path.join(self.folder, "ca.pem"))

    def call(self, method, params):
        connection = http.client.HTTPSConnection(self.host, self.port, context=self.context, timeout=DEADLINE_SECONDS)
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        connection.request("POST", "/rpc", body, {"Authorization": "Bearer " + self.key,
                                                  "Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
        assert "result" in answer, answer
        return answer["result"]

    def stop(self):
        self.process.terminate()
        self.reader.join(DEADLINE_SECONDS)
        return self.process.wait(DEADLINE_SECONDS)
