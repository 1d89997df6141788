"""What one order needs; it goes to the process that places it as JSON."""

from __future__ import annotations

import msgspec


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate for ``names``, to be kept in ``directory``, from the authority at ``url``.

    ``email`` is whom the authority writes to. What it asks for at port 80 of the names is answered on ``http_port``.
    """

    directory: str
    url: str
    email: str | None
    names: tuple[str, ...]
    http_port: int
