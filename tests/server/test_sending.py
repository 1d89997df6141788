"""Pieces of streams that are sent for readers who wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from resphere.dialects.base import Reply
from resphere.server.body import Message
from resphere.server.connections.registry import Progress
from resphere.server.sending import Sending

PIECE = {"type": "http.response.body", "body": b"piece", "more_body": True}


class Client:
    """Takes what is sent at once, or when it is told to."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.slow: asyncio.Future[None] | None = None

    async def send(self, message: Message) -> None:
        self.got.append(message)
        if self.slow is not None:
            await self.slow


def begun(client: Client) -> tuple[Progress, Awaitable[None] | None]:
    progress = Progress()
    return progress, Sending(Reply(200), client.send, progress, wanted=True).hand(b"piece")


def test_what_a_client_takes_at_once_is_sent_without_a_task() -> None:
    client = Client()
    progress, rest = begun(client)
    assert (client.got, rest) == ([PIECE], None)
    assert (progress.waits, progress.moved_bytes) == (False, 5)


def test_a_client_that_takes_its_time_is_waited_for() -> None:
    async def scenario() -> None:
        client = Client()
        client.slow = asyncio.get_running_loop().create_future()
        progress, rest = begun(client)
        assert rest is not None
        assert (client.got, progress.waits, progress.moved_bytes) == ([PIECE], True, 0)
        asyncio.get_running_loop().call_later(0, client.slow.set_result, None)
        await rest
        assert (progress.waits, progress.moved_bytes) == (False, 5)

    asyncio.run(scenario())


def test_a_client_that_goes_meanwhile_is_told_of() -> None:
    async def scenario() -> None:
        client = Client()
        client.slow = asyncio.get_running_loop().create_future()
        progress, rest = begun(client)
        assert rest is not None
        client.slow.set_exception(ConnectionError("gone"))
        with pytest.raises(ConnectionError, match="gone"):
            await rest
        assert (progress.waits, progress.moved_bytes) == (False, 0)

    asyncio.run(scenario())


def test_whoever_waits_for_a_client_can_be_told_to_stop() -> None:
    async def scenario() -> None:
        client = Client()
        client.slow = asyncio.get_running_loop().create_future()
        progress, rest = begun(client)
        assert rest is not None

        async def waited() -> None:
            await rest

        waiting = asyncio.ensure_future(waited())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert waiting.cancelled()
        assert not progress.waits

    asyncio.run(scenario())
