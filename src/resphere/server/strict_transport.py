"""``Strict-Transport-Security`` (RFC 6797): browsers that were here shall not come by plain HTTP again."""

from __future__ import annotations

import msgspec

from resphere.dialects.base import Request

LOCAL = b"localhost"

Header = tuple[bytes, bytes]


class StrictTransport(msgspec.Struct, frozen=True):
    """For so many ``seconds``; 0: not at all."""

    seconds: int

    def headers(self, request: Request) -> tuple[Header, ...]:
        """The header where it belongs: over TLS, and not for ``localhost``, where others serve plain HTTP."""
        if self.seconds == 0 or request.scheme != "https":
            return ()
        name = request.headers.get(b"host", b"").rpartition(b":")[0] or request.headers.get(b"host", b"")
        if name == LOCAL or name.endswith(b"." + LOCAL):
            return ()
        return ((b"strict-transport-security", b"max-age=%d" % self.seconds),)
