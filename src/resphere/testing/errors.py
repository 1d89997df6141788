"""What goes wrong with a server for tests."""

from __future__ import annotations


class VCenterError(Exception):
    """The server cannot be started, or does not do what it is asked; the message says why."""


class NotAnswered(VCenterError):
    """A call was refused, with ``status`` and the ``body`` of the answer."""

    def __init__(self, call: str, status: int, body: str) -> None:
        super().__init__(f"{call} was answered {status}: {body}")
        self.status = status
        self.body = body
