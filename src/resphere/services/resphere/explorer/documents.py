"""The documents of vCenter's own API explorer, below ``/apiexplorer/json``: whoever makes clients reads them."""

from __future__ import annotations

from functools import cache

from resphere.access.defaults import LOGINS, PUBLIC
from resphere.contract.errors import NotFound, message
from resphere.contract.extensions.openapi import Explorer
from resphere.contract.metamodel import swagger
from resphere.contract.metamodel.served import served
from resphere.services.call import Call
from resphere.services.checks.metadata import described
from resphere.services.registry import implements
from resphere.services.resphere.making import made_once

SUFFIX = ".json"


@implements(Explorer.document, kept=True)
async def document(call: Call, file: str) -> bytes:
    """Swagger 2.0 of one area of the API (``vcenter.json``), or the names of all of them (``api.json``).

    :raises NotFound: no document of that name.
    """
    return await made_once(made, call.environment.product.api_releases, file)


@cache
def made(releases: tuple[str, ...], file: str) -> bytes:
    """The document.

    :raises NotFound: no document of that name.
    """
    api = served(releases)
    name = file.removesuffix(SUFFIX)
    if file != name + SUFFIX or (name != swagger.INDEX and name not in swagger.areas(api)):
        raise NotFound(
            message(
                "resphere.explorer.no_document",
                "The API explorer has no document {0}; {1} names those that there are.",
                file,
                swagger.INDEX + SUFFIX,
            )
        )
    return swagger.index(api) if name == swagger.INDEX else swagger.document(api, name, described(), security)


def security(operation: str) -> str | None:
    """The scheme by which callers of an operation authenticate."""
    if operation in PUBLIC:
        return None
    return "basic_auth" if operation in LOGINS else "session_id"
