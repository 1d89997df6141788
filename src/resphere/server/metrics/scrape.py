"""One answer to Prometheus: what all workers have counted, and how the server is."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Iterator

import msgspec

from resphere.appliance.folders import Folders
from resphere.appliance.machine import Machine
from resphere.certificates.keeper import Certificates, NotServed
from resphere.events.feed import Feed
from resphere.metrics.exposition import text
from resphere.metrics.families import Sample, one
from resphere.metrics.shared import SPILL, SharedMetrics, summed
from resphere.replica.replica import Replica
from resphere.server.metrics.families import (
    BUILD,
    CERTIFICATE_ENDS,
    FAMILIES,
    FREE_BYTES,
    SIZE_BYTES,
    STORE_BYTES,
    UNPLACED,
)
from resphere.server.metrics.inventory import documents
from resphere.server.metrics.processes import processes
from resphere.services.call import Product
from resphere.store.engines import size_bytes


class Scrape(msgspec.Struct, frozen=True):
    """Answers for all workers, by any of them."""

    shared: SharedMetrics
    replica: Replica
    feed: Feed
    product: Product
    certificates: Certificates
    machine: Machine
    folders: Folders
    store_url: str

    async def text(self) -> bytes:
        """The metrics, in Prometheus' text format.

        :raises StoreError: the store cannot be read.
        """
        of_inventory = list(documents(self.replica, await self.feed.latest()))
        of_store = one(STORE_BYTES, await size_bytes(self.store_url))
        return await asyncio.to_thread(lambda: text([*of_inventory, of_store, *self._apart()]))

    def _apart(self) -> Iterator[Sample]:
        """What is looked up beside the event loop: files are read, and many counts added."""
        product = self.product
        yield one(BUILD, 1, product.server_version, platform.python_version(), product.provider)
        yield from counted(self.shared)
        yield from processes(self.shared)
        for part in self.folders.partitions(self.machine):
            yield one(FREE_BYTES, part.filesystem.available, part.label)
            yield one(SIZE_BYTES, part.filesystem.total, part.label)
        try:
            yield one(CERTIFICATE_ENDS, self.certificates.served().not_valid_after_utc.timestamp())
        except NotServed:
            return


def counted(shared: SharedMetrics) -> Iterator[Sample]:
    """What the workers have counted."""
    for (name, labels), values in summed(shared, FAMILIES).items():
        yield Sample(FAMILIES[name], labels, tuple(values))
    yield one(UNPLACED, sum(slot.words[SPILL] for slot, _ in shared.slots()))
