"""What the services share that tell of the API itself: the metamodel, and what goes with each of its operations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable
from hashlib import sha256
from typing import TypeVar

import msgspec

from resphere.contract.errors import NotFound, message
from resphere.contract.generated import ids
from resphere.contract.metamodel.infos import Describe
from resphere.contract.metamodel.served import Served, served
from resphere.contract.openapi import plain_words
from resphere.services.call import Call
from resphere.services.registry import implementations
from resphere.turns import in_turns

S = TypeVar("S", bound=msgspec.Struct)
I = TypeVar("I", bound=str)  # noqa: E741 - an id

AT_ONCE = 5
"""Of so many packages it is told in one turn: a large one takes some milliseconds."""
FINGERPRINTS: dict[tuple[str, ...], str] = {}
"""What was computed once; it is the same as long as the server runs."""


def served_by(call: Call) -> Served:
    """What this server's release of the API has."""
    return served(call.environment.product.api_releases)


def described() -> Describe:
    """Our words for operations: the first line of what their handlers say of themselves."""
    known = implementations()

    def describe(service: str, name: str) -> str:
        implementation = known.get(f"{service}.{name}")
        text = inspect.getdoc(implementation.handler) if implementation else None
        return plain_words(text.splitlines()[0]) if text else ""

    return describe


def require(known: Collection[I], kind: str, id: I) -> I:
    """The id, if there is such a thing.

    :raises NotFound: there is none.
    """
    if id not in known:
        raise no_such(kind, id)
    return id


def no_such(kind: str, id: str) -> NotFound:
    """The refusal of an id that this release of the API has not."""
    return NotFound(message("resphere.metadata.not_found", "The API has no {0} {1}.", kind, id))


def require_operation(served: Served, service: ids.VapiServiceId, name: ids.VapiOperationId) -> None:
    """
    :raises NotFound: there is no such service, or no such operation of it.
    """
    require(served.services, "service", service)
    require(served.services[service], f"operation of {service}", name)


async def of_packages(
    served: Served, component: ids.VapiComponentId, make: Callable[[ids.VapiPackageId], S]
) -> dict[ids.VapiPackageId, S]:
    """Package -> what is told of it. Others have a turn between some and the next."""
    require(served.components, "component", component)
    found = {}
    async for packages in in_turns(served.components[component], AT_ONCE):
        for package in packages:
            found[package] = make(package)
    return found


async def fingerprint(
    served: Served, kind: str, component: ids.VapiComponentId, make: Callable[[ids.VapiPackageId], S]
) -> str:
    """A digest of all that is told of a component; the same on every server that tells the same."""
    require(served.components, "component", component)
    return await digest((kind, component, *served.releases), served.components[component], make)


async def digest(name: tuple[str, ...], known_ids: Iterable[I], make: Callable[[I], S], at_once: int = AT_ONCE) -> str:
    """A digest of what ``make`` tells of each id, computed once for each ``name``."""
    known = FINGERPRINTS.get(name)
    if known is None:
        computed = sha256()
        async for some in in_turns(known_ids, at_once):
            for id in some:
                computed.update(msgspec.json.encode((id, make(id))))
        known = FINGERPRINTS[name] = computed.hexdigest()
    return known
