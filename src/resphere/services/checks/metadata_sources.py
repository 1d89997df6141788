"""Where metadata comes from, of whichever kind: this server is made of its contract, and of what it adds to that.

Both are there from the beginning. None can be added: a file of the server's that anybody may name would be read by
whoever may, and what another server tells of itself is not what this one does.
"""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import urlsplit

import msgspec

from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, Unsupported, VapiError, message
from resphere.contract.generated import ids
from resphere.contract.generated.vapi_metadata import SourceType
from resphere.contract.metamodel.own import COMPONENT
from resphere.contract.metamodel.served import Served


class BuiltIn(msgspec.Struct, frozen=True):
    """A source that is there."""

    description: str
    filepath: str


CONTRACT = "vcenter"
SOURCES: dict[str, BuiltIn] = {
    CONTRACT: BuiltIn("vCenter's API, as this release of it", "resphere/contract/generated/metamodel.json"),
    COMPONENT: BuiltIn("What this server adds to vCenter's API", "resphere/contract/extensions"),
}
"""Id -> source."""


def source(id: str) -> BuiltIn:
    """
    :raises NotFound: there is no source of that id.
    """
    found = SOURCES.get(id)
    if found is None:
        raise NotFound(message("resphere.metadata.no_source", "There is no source of metadata {0}.", id))
    return found


def refusal(id: str, type: SourceType, filepath: str | None, address: str | None) -> VapiError:
    """Why a source cannot be added."""
    if id in SOURCES:
        return AlreadyExists(message("resphere.metadata.source_exists", "There is a source of metadata {0}.", id))
    if type is SourceType.FILE:
        words = "The file {0} is none from which this server takes metadata: it has those of its own API only."
        return NotFound(message("resphere.metadata.no_file", words, filepath))
    if not is_address(address or ""):
        words = "spec.address: {0} is not of the form https://host:port/namespace."
        return InvalidArgument(message("resphere.metadata.bad_address", words, address))
    words = "spec.address: this server takes metadata of its own API only, and asks {0} for none."
    return InvalidArgument(message("resphere.metadata.no_remote", words, address))


def is_address(address: str) -> bool:
    """Whether somebody could be asked there."""
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port is not None
    except ValueError:
        return False


def kept(id: str) -> Unsupported:
    """The refusal to take away what the server is made of.

    :raises NotFound: there is no source of that id.
    """
    source(id)
    return Unsupported(
        message("resphere.metadata.source_is_built_in", "The source {0} is built into the server, and stays.", id)
    )


def components_of(served: Served, id: str | None) -> list[ids.VapiComponentId]:
    """The components that a source brings, or all of them.

    :raises NotFound: there is no source of that id.
    """
    if id is not None:
        source(id)
    return [each for each in served.components if id is None or (each == COMPONENT) == (id == COMPONENT)]


def joined(fingerprints: list[str]) -> str:
    """One digest of several."""
    return sha256("\n".join(fingerprints).encode()).hexdigest()
