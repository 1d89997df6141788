"""Bodies that are no UTF-8, at every address: those of which the operation takes none, too."""

from __future__ import annotations

import re

import pytest

from resphere.contract.catalogue import Catalogue
from resphere.contract.errors import VapiError
from resphere.dialects.api import ApiDialect
from resphere.dialects.base import Dialect, Request, Resolved
from resphere.dialects.rest import RestDialect

CATALOGUE = Catalogue()
DIALECTS: dict[str, tuple[Dialect, tuple[tuple[str, str, str], ...]]] = {
    "api": (ApiDialect(CATALOGUE.api_routes()), tuple(CATALOGUE.api_routes())),
    "rest": (RestDialect(CATALOGUE.rest_routes()), tuple(CATALOGUE.rest_routes())),
}
BODIES = (b"\xff", b'{"\xff":1}', b'{"spec":"\xc3("}', b'\xff\xfe{\0}\0', b"\xef\xbb\xbf[\xfe]")  # fmt: skip


async def no_body(_: int) -> bytes:
    """A body that nobody asks for."""
    raise AssertionError("the dialect must not read the body to know the operation")


@pytest.mark.parametrize("name", DIALECTS)
def test_they_are_refused_or_passed_over_and_no_fault_of_the_server(name: str) -> None:
    dialect, routes = DIALECTS[name]
    refused = 0
    for method, target, _ in routes:
        path, _, query = re.sub(r"{\w+}", "x-1", target).partition("?")
        for body in BODIES:
            headers = {b"content-type": b"application/json", b"content-length": b"%d" % len(body)}
            request = Request(method, path, query.encode(), headers, "192.0.2.1")
            outcome = dialect.resolve(request, no_body)
            if not isinstance(outcome, Resolved):  # an address that says more than path and query
                continue
            try:
                dialect.decode(outcome, request, body)
            except VapiError:
                refused += 1
    assert refused > len(routes)
