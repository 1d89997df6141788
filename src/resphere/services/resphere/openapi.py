"""``resphere.openapi``: OpenAPI 3.1 of what this server serves."""

from __future__ import annotations

import inspect
from functools import cache

import msgspec

from resphere.access.defaults import CHANGE_PASSWORD, LOGIN, PUBLIC, requirements_of
from resphere.contract.errors import NotFound, message
from resphere.contract.extensions.openapi import OpenApi
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation
from resphere.contract.openapi import Source, component_of, document, plain_words
from resphere.queries.describing import LINES, headers, options, options_of
from resphere.services.call import Call
from resphere.services.registry import implementations, implements
from resphere.services.resphere.making import made_once

TITLE = "vSphere REST API by resphere"


@implements(OpenApi.get)
async def get(call: Call, implemented: bool | None, component: str | None) -> bytes:
    """The description of the API: all of it, one component, or what is implemented.

    :raises NotFound: no component of that name.
    """
    # Seconds of work at the first call, which other requests must not wait for.
    product = call.environment.product
    return await made_once(made, product.version, product.api_releases, bool(implemented), component)


@cache
def made(version: str, releases: tuple[str, ...], implemented: bool, component: str | None) -> bytes:
    """The encoded document of what ``releases`` have.

    :raises NotFound: no component of that name.
    """
    known = implementations()
    operations = served(releases)
    components = sorted({component_of(operation) for operation in operations})
    if component is not None and component not in components:
        raise NotFound(
            message(
                "resphere.openapi.no_component",
                "There is no component {0}; there are {1}.",
                component,
                ", ".join(components),
            )
        )
    source = Source(
        operations=tuple(
            operation
            for operation in operations
            if (not implemented or operation.id in known) and component in (None, component_of(operation))
        ),
        requirements=requirements_of,
        describe=described,
        implemented=frozenset(known),
        public=PUBLIC,
        security={LOGIN: ("basic", "token"), CHANGE_PASSWORD: ("basic",)},
        title=TITLE,
        version=version,
        lists={operation.id: found for operation in operations if (found := options_of(operation))},
        options=options(),
        headers=headers(),
        lines=LINES,
    )
    return msgspec.json.encode(document(source))


@cache
def served(releases: tuple[str, ...]) -> tuple[AnyOperation, ...]:
    """The operations of any of these releases that stand on ``/api``."""
    return tuple(o for o in all_operations() if o.api is not None and not set(releases).isdisjoint(o.releases))


def described(operation: AnyOperation) -> str | None:
    """What the operation's handler says of itself in its first line."""
    implementation = implementations().get(operation.id)
    text = inspect.getdoc(implementation.handler) if implementation else None
    return plain_words(text.splitlines()[0]) if text else None
