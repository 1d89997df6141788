"""A client of vSphere's API, for resphere and for vCenter (7.0 U2 and later): see ``docs/client.md``."""

from resphere.client.clients import AsyncClient, Client
from resphere.client.errors import (
    BadInput,
    ClientError,
    ConnectionLost,
    NoAnswer,
    NotFinished,
    NotOffered,
    TooSlow,
    UnexpectedReply,
    Unreachable,
    UntrustedServer,
)
from resphere.client.steps import Response

__all__ = [
    "AsyncClient",
    "BadInput",
    "Client",
    "ClientError",
    "ConnectionLost",
    "NoAnswer",
    "NotFinished",
    "NotOffered",
    "Response",
    "TooSlow",
    "UnexpectedReply",
    "Unreachable",
    "UntrustedServer",
]
