"""One request on its way through the pipeline."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from resphere.access.view import View
from resphere.contract.errors import VapiError
from resphere.contract.model import Struct
from resphere.dialects.base import Dialect, Outcome, Reply, Request, RequestBody, Resolved
from resphere.services.call import OwnSession
from resphere.services.registry import Implementation

NEVER = datetime.min.replace(tzinfo=UTC)


class Exchange:
    """What is known of a request so far. Each step fills in its part; nothing is taken back."""

    __slots__ = (
        "body",
        "dialect",
        "error",
        "implementation",
        "input",
        "kept_key",
        "outcome",
        "reply",
        "request",
        "request_id",
        "resolved",
        "result",
        "revision",
        "session",
        "session_tag",
        "started",
        "view",
    )

    def __init__(
        self,
        request: Request,
        request_id: str,
        dialect: Dialect,
        body: RequestBody,
    ) -> None:
        self.request = request
        self.request_id = request_id
        self.dialect = dialect
        self.body = body
        self.started = NEVER
        """When it came, by the server's clock."""
        self.resolved: Resolved | None = None
        self.outcome: Outcome | None = None
        """What the dialect made of the request; ``resolved`` is the same where it means an operation."""
        self.implementation: Implementation | None = None
        self.session: OwnSession | None = None
        self.session_tag: str | None = None
        self.view: View | None = None
        self.input: Struct | None = None
        self.result: Any = None
        self.kept_key: tuple[object, ...] | None = None
        self.revision = -1
        """The inventory's revision that the answer is of, where it may be kept."""
        self.reply: Reply | None = None
        self.error: VapiError | None = None
