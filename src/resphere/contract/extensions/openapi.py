"""The description of the API, and the page that shows it."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES


class OpenApi:
    """``resphere.openapi``: the API's own description."""

    class GetInput(m.Struct, frozen=True, kw_only=True):
        implemented: bool | None = None
        component: str | None = None

    get: ClassVar[m.Operation[[bool | None, str | None], bytes]] = m.Operation(
        "resphere.openapi",
        "get",
        input=GetInput,
        output=lambda: bytes,
        api=m.Route("GET", "/api/openapi.json", 200, query=("implemented", "component")),
        errors=("invalid_argument", "not_found"),
        releases=ALL_RELEASES,
        media_type="application/json",
    )


class Explorer:
    """``resphere.explorer``: what browsers are shown, the page at ``/`` that says where one is, and the explorer, which
    shows the API's description and calls what it shows."""

    class FileInput(m.Struct, frozen=True, kw_only=True):
        file: str

    start: ClassVar[m.Operation[[], bytes]] = m.Operation(
        "resphere.explorer",
        "start",
        output=lambda: bytes,
        api=m.Route("GET", "/", 200),
        errors=("not_found",),
        releases=ALL_RELEASES,
        media_type="text/html; charset=utf-8",
    )

    page: ClassVar[m.Operation[[], bytes]] = m.Operation(
        "resphere.explorer",
        "page",
        output=lambda: bytes,
        api=m.Route("GET", "/apiexplorer", 200),
        releases=ALL_RELEASES,
        media_type="text/html; charset=utf-8",
    )

    file: ClassVar[m.Operation[[str], bytes]] = m.Operation(
        "resphere.explorer",
        "file",
        input=FileInput,
        output=lambda: bytes,
        api=m.Route("GET", "/apiexplorer/{file}", 200),
        errors=("not_found",),
        releases=ALL_RELEASES,
        media_type="*/*",
    )

    document: ClassVar[m.Operation[[str], bytes]] = m.Operation(
        "resphere.explorer",
        "document",
        input=FileInput,
        output=lambda: bytes,
        api=m.Route("GET", "/apiexplorer/json/{file}", 200),
        errors=("not_found",),
        releases=ALL_RELEASES,
        media_type="application/json",
    )
