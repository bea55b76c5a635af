"""A REST client of Python's own library, for tests of rekeyd's routes."""
import http.client
import json

from server import DEADLINE_SECONDS


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read()

    @property
    def json(self):
        return json.loads(self.text)


class Rest:
    """Who calls: a credential and how it is shown, over one kept connection."""

    def __init__(self, server, headers):
        self.server = server
        self.headers = headers
        self.connection = http.client.HTTPSConnection(server.host, server.port, context=server.context,
                                                      timeout=DEADLINE_SECONDS)

    @classmethod
    def bearer(cls, server, credential):
        return cls(server, {"Authorization": "Bearer " + credential})

    @classmethod
    def api_key(cls, server, credential):
        return cls(server, {"X-API-Key": credential})

    def ask(self, verb, path, body=None, **headers):
        """body: an object, or bytes as they are sent. headers: Content_Type="..." is Content-Type."""
        sent = dict(self.headers)
        if body is not None:
            sent["Content-Type"] = "application/json"
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        self.connection.request(verb, path, data, sent)
        return Answer(self.connection.getresponse())

    def expect(self, status, verb, path, body=None, **headers):
        """The answer, which has this status, and its refusal's shape if it is one."""
        answer = self.ask(verb, path, body, **headers)
        assert answer.status == status, (verb, path, answer.status, answer.text)
        if status >= 400 and verb != "HEAD":
            refused = answer.json
            assert refused["name"] == answer.headers["Rekey-Error"], refused
            assert refused["message"] and refused["retry"] in ("later", "never"), refused
            assert len(answer.text) < 1024
        return answer
