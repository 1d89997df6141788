"""The server that clients only read from."""

from __future__ import annotations

from tests.live.conftest import anonymous, client, shared_server

__all__ = ["anonymous", "client", "shared_server"]
