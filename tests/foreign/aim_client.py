"""The client that AIM describes, in plain Python: an API key and nothing else, no user and no JWT.

It looks once an hour, asks the server only within seven days of the key's end, rotates within five, saves the new key
atomically before it uses it, and reports what it can do one capability at a time, as AIM's SDK does.
"""
import datetime
import json
import os
import threading

ASKS_WITHIN = datetime.timedelta(days=7)
ROTATES_WITHIN_DAYS = 5


class LostReply(Exception):
    """The connection broke after the server had answered."""


def parse_time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class CredentialFile:
    """~/.aim/credentials.json: whole or as before, whatever happens while it is written."""

    def __init__(self, path):
        self.path = path

    def load(self):
        with open(self.path, encoding="utf-8") as file:
            return json.load(file)

    def save(self, credentials):
        temporary = self.path + ".tmp"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(credentials, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.path)


class AimClient:
    """transport(verb, path, body, key) -> (status, object); it may raise LostReply."""

    def __init__(self, transport, file):
        self.transport = transport
        self.file = file
        self.lock = threading.Lock()
        self.credentials = file.load()

    @property
    def agent_id(self):
        return self.credentials["agent_id"]

    def request(self, verb, path, body=None):
        with self.lock:
            key = self.credentials["api_key"]
        return self.transport(verb, path, body, key)

    # One turn of the hourly loop. The clock is the caller's: nobody waits for an hour.
    def hourly_check(self, now):
        if not self.should_ask(now):
            return "not asked"
        status, answer = self.request("GET", f"/api/v1/agents/{self.agent_id}/key-status")
        if status != 200:
            return f"refused: {answer['name']}"
        self.credentials["expires_at"] = answer.get("expires_at")
        days = answer.get("days_until_expiration")
        if not answer["should_rotate"] and (days is None or days > ROTATES_WITHIN_DAYS):
            return "fresh"
        return self.rotate(now)

    def should_ask(self, now):
        expires_at = self.credentials.get("expires_at")
        return expires_at is None or parse_time(expires_at) - now <= ASKS_WITHIN

    def rotate(self, now):
        with self.lock:
            status, answer = self.transport("POST", f"/api/v1/agents/{self.agent_id}/rotate-key",
                                            {"reason": "automatic_rotation"}, self.credentials["api_key"])
            if status != 200:
                return f"refused: {answer['name']}"
            rotated = dict(self.credentials, api_key=answer["key"], key_id=answer["key_id"],
                           expires_at=answer.get("expires_at"), rotated_at=now.isoformat())
            self.file.save(rotated)
            self.credentials = rotated
        return "rotated"

    # One POST each, as AIM's SDK does it, which took an error for a duplicate for granted.
    def report_capabilities(self, capabilities):
        granted = 0
        for capability in capabilities:
            status, _ = self.request("POST", f"/api/v1/sdk-api/agents/{self.agent_id}/capabilities",
                                     {"capabilityType": capability,
                                      "scope": {"source": "python_sdk_auto_detection", "detectedAt": "2025-10-10"}})
            granted += status == 200
        return {"granted": granted, "total": len(capabilities)}

    def report_sdk_integration(self, sdk_version, platform, capabilities):
        event = {"mcpServer": "aim-sdk-integration", "detectionMethod": "sdk_integration", "confidence": 100.0,
                 "details": {"platform": platform, "capabilities": capabilities, "integrated": True},
                 "sdkVersion": sdk_version, "timestamp": "2025-10-10T12:00:00+00:00"}
        return self.request("POST", f"/api/v1/sdk-api/agents/{self.agent_id}/detection/report", {"detections": [event]})

    def register_mcp(self, mcp_server_id, detection_method, confidence):
        return self.request("POST", f"/api/v1/sdk-api/agents/{self.agent_id}/mcp-servers",
                            {"mcp_server_ids": [mcp_server_id], "detected_method": detection_method,
                             "confidence": confidence, "metadata": {}})
