"""What a worker looks at each second of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from resphere.events.readers import Readers
from resphere.limits.limits import Limits
from resphere.metrics.tally import Tally
from resphere.replica.replica import Replica
from resphere.server.connections.registry import Connections
from resphere.server.metrics.families import CONNECTIONS, LOOP_DELAYS, SEQUENCE, STREAMS, TURNS

LOOK_SECONDS = 1.0
HAD, WAITED_FOR = ("had",), ("waited_for",)


class Looks:
    """Looks at one worker; ``clock`` gives rising seconds."""

    def __init__(
        self,
        tally: Tally,
        replica: Replica,
        connections: Connections,
        readers: Readers,
        limits: Limits,
        clock: Callable[[], float],
    ) -> None:
        self._replica = replica
        self._connections = connections
        self._readers = readers
        self._limits = limits
        self._clock = clock
        self._process = (process_name(tally.number),)
        self._connected = tally.gauge(CONNECTIONS)
        self._reading = tally.gauge(STREAMS)
        self._turns = tally.gauge(TURNS)
        self._sequence = tally.gauge(SEQUENCE)
        self._delays = tally.histogram(LOOP_DELAYS)

    async def run(self) -> None:
        """Look, until canceled."""
        while True:
            self.look()
            due = self._clock() + LOOK_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
            self._delays.observe(max(0.0, self._clock() - due))

    def look(self) -> None:
        """See how it is now."""
        self._connected.set(self._connections.count)
        self._reading.set(self._readers.count)
        self._turns.set(self._limits.turns_had, HAD)
        self._turns.set(self._limits.turns_awaited, WAITED_FOR)
        self._sequence.set(self._replica.sequence, self._process)


def process_name(number: int) -> str:
    """What a worker is called by the number of its slot: ``worker-1``."""
    return f"worker-{number}"
