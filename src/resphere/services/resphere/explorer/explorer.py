"""The two operations of the explorer."""

from __future__ import annotations

from functools import cache

from resphere.contract.errors import NotFound, message
from resphere.contract.extensions.openapi import Explorer
from resphere.contract.model import Asset
from resphere.contract.openapi import listed
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.resphere.explorer.files import files, page_of
from resphere.services.resphere.making import made_once


@implements(Explorer.page)
async def page(call: Call) -> Asset:
    """The API explorer: a page that shows the description of the API, logs in and calls operations."""
    return await made_once(made, call.environment.product.api_releases)


@implements(Explorer.file)
async def file(call: Call, file: str) -> Asset:
    """A file that the page needs; its name changes with its content.

    :raises NotFound: no file of that name.
    """
    found = (await made_once(files)).get(file)
    if found is None:
        raise NotFound(message("resphere.explorer.no_file", "The API explorer has no file {0}.", file))
    return found


@cache
def made(releases: tuple[str, ...]) -> Asset:
    """The page with the components of the API to choose from: all, and those of which something is implemented."""
    offered = listed(releases)
    return page_of(offered.components, offered.implemented)
