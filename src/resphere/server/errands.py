"""Items of bulk operations on their way through the pipeline: as requests, with what stands for a connection."""

from __future__ import annotations

import asyncio

import msgspec

from resphere.auth.credentials import Credentials
from resphere.bulk.carrying import Answer, Errand
from resphere.contract.model import ByteStream, WholeBytes
from resphere.dialects.base import Request
from resphere.dialects.items import ItemDialect
from resphere.server.exchange import Exchange
from resphere.server.pipeline import Pipeline
from resphere.server.recorder import not_recorded

METHOD = "POST"
REFUSED = 400
"""The least status of a refusal."""


class NoBody:
    """The body of an item, whose input came another way; see :class:`resphere.dialects.base.RequestBody`, which this
    is."""

    vouched = True
    announced_bytes = 0

    async def read(self, limit_bytes: int) -> bytes:
        """Nothing."""
        return b""

    async def gone(self) -> None:
        """Nobody can leave."""
        await asyncio.Event().wait()

    def stream(self, limit_bytes: int) -> ByteStream:
        """Nothing."""
        return WholeBytes(b"")


class Errands(msgspec.Struct, frozen=True):
    """Takes errands through ``pipeline``; see :class:`resphere.bulk.carrying.Carrier`, which this is."""

    pipeline: Pipeline

    async def carry(self, errand: Errand) -> Answer:
        """The answer to one."""
        request = Request(METHOD, errand.path, b"", {}, errand.requester.client)
        dialect = ItemDialect(errand.operation, errand.input, Credentials(requester=errand.requester))
        exchange = Exchange(request, errand.request, dialect, NoBody())
        reply = await self.pipeline.handle(exchange)
        if exchange.error is None and reply.status >= REFUSED:
            return Answer(error=not_recorded())
        return Answer(reply.body, exchange.error)


def unlimited(pipeline: Pipeline) -> Pipeline:
    """The pipeline, with lists as long as they are: what a bulk operation goes through is no reply to anybody."""
    return msgspec.structs.replace(
        pipeline, environment=msgspec.structs.replace(pipeline.environment, list_limits=False)
    )
