"""Who may read the metrics."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import ip_address

from resphere.contract.errors import NotFound, message
from resphere.contract.extensions.metrics import Metrics
from resphere.contract.model import AnyOperation
from resphere.dialects.base import Request

HANDED_ON = (b"forwarded", b"via", b"x-forwarded-for", b"x-real-ip")
"""Headers by which a request shows that a proxy hands it on. One whose word is not taken makes everybody local."""


class MetricsAccess(StrEnum):
    """Who may, besides those with the privilege."""

    OFF = "off"
    """There are none, for nobody."""
    TOKEN = "token"  # noqa: S105 - a word
    """Nobody else."""
    LOCAL = "local"
    """Whoever calls from this machine."""
    ANYBODY = "anybody"


def tells_anybody(access: MetricsAccess, operation_id: str | None, request: Request) -> bool:
    """Whether a request asks for metrics, and who asks need not log in."""
    if operation_id != Metrics.get.id:
        return False
    return access is MetricsAccess.ANYBODY or (access is MetricsAccess.LOCAL and is_local(request))


def is_local(request: Request) -> bool:
    """Whether a request comes from this machine, and nobody hands it on."""
    if any(name in request.headers for name in HANDED_ON):
        return False
    try:
        address = ip_address(request.client)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def require_offered(access: MetricsAccess, operation: AnyOperation) -> None:
    """Refuse to tell metrics where there are none.

    :raises NotFound: there are none.
    """
    if operation.id == Metrics.get.id and access is MetricsAccess.OFF:
        raise NotFound(
            message("resphere.metrics.off", "This server tells no metrics: it was started with --metrics off.")
        )
