"""``resphere.openapi``: OpenAPI 3.1 of what this server serves."""

from __future__ import annotations

from functools import lru_cache

from resphere.contract.errors import NotFound, message
from resphere.contract.extensions.openapi import OpenApi
from resphere.contract.openapi import document, listed, of_releases, read_pieces
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.resphere.making import made_once

MOST_KEPT = 4
"""Documents that a worker keeps, of 3.5 MB at most. Another one takes next to no time."""


@implements(OpenApi.get)
async def get(call: Call, implemented: bool | None, component: str | None) -> bytes:
    """The description of the API: all of it, one component, or what is implemented.

    :raises NotFound: no component of that name.
    """
    product = call.environment.product
    return await made_once(made, product.version, product.api_releases, bool(implemented), component)


@lru_cache(MOST_KEPT)
def made(version: str, releases: tuple[str, ...], implemented: bool, component: str | None) -> bytes:
    """The encoded document of what ``releases`` have.

    :raises NotFound: no component of that name.
    """
    components = listed(releases).components
    if component is not None and component not in components:
        raise NotFound(
            message(
                "resphere.openapi.no_component",
                "There is no component {0}; there are {1}.",
                component,
                ", ".join(components),
            )
        )
    pieces = read_pieces()
    chosen = tuple(
        operation
        for operation in of_releases(pieces.operations, releases)
        if (operation.implemented or not implemented) and component in (None, operation.component)
    )
    return document(pieces, chosen, version)
