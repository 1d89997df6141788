"""Which dialect is spoken where: one table, chosen from by path. A further dialect gets its line in `dialects`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from resphere.contract.catalogue import Catalogue
from resphere.dialects import jsonrpc, rest, sts
from resphere.dialects.api import ApiDialect
from resphere.dialects.base import Dialect, Request


class Line(msgspec.Struct, frozen=True):
    """A dialect and where it is spoken: at ``path`` (without the slashes around it; empty: everywhere) and below, or
    there ``alone``; not with the methods ``except_for``, which the lines after it get."""

    path: str
    dialect: Dialect
    alone: bool = False
    except_for: frozenset[str] = frozenset()

    def takes(self, path: str, method: str) -> bool:
        """Whether a request at a path without slashes around it is written in this dialect, which has a path."""
        is_here = path == self.path or (not self.alone and path.startswith(self.path + "/"))
        return is_here and method not in self.except_for


class Dialects:
    """The dialects of a server. The first line that takes a request has it; the last must take every one."""

    def __init__(self, *lines: Line) -> None:
        *others, last = lines
        if last.path or last.alone or last.except_for:
            raise ValueError(f"not every request has a dialect: the last, {last.dialect.name}, does not take all")
        if not all(line.path for line in others):
            raise ValueError("only the last dialect may be spoken everywhere")
        self._by_first: dict[str, list[Line]] = {}
        for line in others:
            self._by_first.setdefault(line.path.partition("/")[0], []).append(line)
        self._last = last.dialect

    def of(self, request: Request) -> Dialect:
        """The dialect that a request is written in."""
        path = request.path.strip("/")
        for line in self._by_first.get(path.partition("/")[0], ()):
            if line.takes(path, request.method):
                return line.dialect
        return self._last


def dialects(catalogue: Catalogue, body_limit_bytes: int, now: Callable[[], datetime]) -> Dialects:
    """All dialects, for the operations of one release; ``now`` gives the present moment."""
    return Dialects(
        # Reading `/api` itself is the affair of the dialect that has everything below it.
        Line(
            jsonrpc.PATH,
            jsonrpc.JsonRpcDialect(body_limit_bytes, catalogue),
            alone=True,
            except_for=frozenset({"GET", "HEAD"}),
        ),
        Line(rest.PREFIX, rest.RestDialect(catalogue.rest_routes())),
        Line(sts.PATH, sts.StsDialect(now)),
        Line("", ApiDialect(catalogue.api_routes())),
    )
