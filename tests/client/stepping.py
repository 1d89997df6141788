"""Takes the steps of flows without a network and without waiting: answers are given, pauses noted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from resphere.client.calls import Calls, Surroundings
from resphere.client.driving import run_by
from resphere.client.options import Identity
from resphere.client.steps import Exclusive, Flow, Pause, Request, Response, Send

R = TypeVar("R")
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
USER = Identity("alice", "wonder land")
SESSION = "0123456789abcdef"

Answer = Response | Exception | Callable[[Request], Response]


def reply(status: int, value: Any = None, **headers: str) -> Response:
    """An answer that holds a JSON document, or what is bytes as it is."""
    content = value if isinstance(value, bytes) else msgspec.json.encode(value)
    kind = "text/html" if isinstance(value, bytes) else "application/json"
    return Response(status, {"content-type": kind, **{k.replace("_", "-"): v for k, v in headers.items()}}, content)


LOGGED_IN = reply(201, SESSION)
UNAUTHENTICATED = reply(401, {"error_type": "UNAUTHENTICATED", "messages": []})
RESPHERE = reply(200, {"product": "VMware vCenter Server", "server": "resphere", "server_version": "1"})
NO_RESPHERE = reply(404, {"error_type": "NOT_FOUND", "messages": []})


class Stepper:
    """A client's calls, and what is answered to their requests, one after the other."""

    def __init__(self, *answers: Answer, identity: Identity = USER) -> None:
        self.calls = Calls(identity, Surroundings(lambda: NOW, lambda: self.seconds, lambda: 0.5))
        self.answers: list[Answer] = list(answers)
        self.requests: list[Request] = []
        self.pauses: list[float] = []
        self.seconds = 0.0
        """What has passed."""

    def run(self, flow: Flow[R]) -> R:
        """Go through a flow."""
        return run_by(flow, self._take)

    def _take(self, step: Any) -> Any:
        match step:
            case Pause(seconds=seconds):
                self.pauses.append(seconds)
                self.seconds += seconds
                return None
            case Exclusive(flow=flow):
                return self.run(flow)
            case Send(request=request):
                self.requests.append(request)
                answer = self.answers.pop(0)
                if isinstance(answer, Exception):
                    raise answer
                return answer(request) if callable(answer) else answer
        raise AssertionError(f"no step: {step}")

    @property
    def sent(self) -> list[str]:
        """Method and path of each request."""
        return [f"{request.method} {request.path}" for request in self.requests]


def header(request: Request, name: str) -> str | None:
    """A header of a request."""
    return dict(request.headers).get(name)
