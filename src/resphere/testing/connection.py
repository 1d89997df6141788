"""Calls of the server by the plugin itself, by the standard library alone."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from resphere.testing.errors import NotAnswered

USER_AGENT = "resphere-testing"
"""By which the own calls are told from those of tests."""
SECONDS = 60.0
SESSION = "vmware-api-session-id"


class Connection:
    """The administrator's calls, over one connection and one session, which are made anew where they have ended."""

    def __init__(self, url: str, ca_file: str, user: str, password: str) -> None:
        address = urlsplit(url)
        self._http = http.client.HTTPSConnection(
            address.hostname or "",
            address.port,
            timeout=SECONDS,
            context=ssl.create_default_context(cafile=ca_file),
        )
        self._login = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        self._session: str | None = None

    def call(self, method: str, path: str, body: object = None) -> Any:
        """The decoded answer, ``None`` where that is empty.

        :raises NotAnswered: the call was refused.
        :raises OSError: the server is not there.
        """
        if self._session is None:
            self._session = self.new_session()
        status, content = self._exchange(method, path, body, {SESSION: self._session})
        if status == http.client.UNAUTHORIZED:
            self._session = self.new_session()
            status, content = self._exchange(method, path, body, {SESSION: self._session})
        return answered(method, path, status, content)

    def new_session(self) -> str:
        """Log in; the session's id."""
        status, content = self._exchange("POST", "/api/session", None, {"Authorization": f"Basic {self._login}"})
        return str(answered("POST", "/api/session", status, content))

    def wait_for_task(self, task: str) -> None:
        """Wait until a task has ended, for some seconds at most."""
        assert self._session is not None
        headers = {SESSION: self._session, "Prefer": "wait=10"}
        self._exchange("GET", f"/api/cis/tasks/{task}", None, headers)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _exchange(self, method: str, path: str, body: object, headers: dict[str, str]) -> tuple[int, bytes]:
        sent = None if body is None else json.dumps(body).encode()
        headers = {"User-Agent": USER_AGENT, "Content-Type": "application/json", **headers}
        if self._http.sock is not None:
            # The server may have closed what was idle.
            with suppress(http.client.HTTPException, ConnectionError):
                return self._once(method, path, sent, headers)
            self._http.close()
        return self._once(method, path, sent, headers)

    def _once(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        self._http.request(method, path, body, headers)
        reply = self._http.getresponse()
        return reply.status, reply.read()


def answered(method: str, path: str, status: int, content: bytes) -> Any:
    """What was answered.

    :raises NotAnswered: a refusal.
    """
    if status >= http.client.BAD_REQUEST:
        raise NotAnswered(f"{method} {path}", status, content.decode(errors="replace"))
    return json.loads(content) if content else None
