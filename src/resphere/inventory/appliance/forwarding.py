"""Where the logs are sent to, and how far that is."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from resphere.contract.generated.appliance_logging import Forwarding
from resphere.inventory.appliance.setting import Setting
from resphere.replica.table import Table


class LogReceiver(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A server of syslog: ``host`` is a name or an address."""

    host: str
    port: int
    protocol: Forwarding.Protocol

    @property
    def id(self) -> str:
        """By what the progress is kept."""
        return f"{self.protocol.lower()}/{self.host}/{self.port}"


class LogForwarding(Setting, frozen=True, kw_only=True, tag="log_forwarding"):
    """To where the logs are sent."""

    about: ClassVar[str] = "forwarding of logs"
    acts: ClassVar[str | None] = "One worker sends the audit log and the server's log as they grow: UDP, TCP, TLS."

    receivers: tuple[LogReceiver, ...] = ()


class ForwardingProgress(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was sent to the receiver ``id``: of each chain of the audit log the number of the last line, of the server's
    log so many bytes."""

    kind: ClassVar[str] = "log_forwarding_progress"

    id: str
    chains: dict[int, int]
    log_bytes: int


FORWARDING_PROGRESS = Table(cls=ForwardingProgress, revises=False)
