"""What it costs to change things safely: ``If-Match``, and ``Idempotency-Key``."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from bench.client import Sent, connect, request
from bench.measures.power import script as power_script
from bench.result import Outcome, Row, at_most
from bench.rounds import Effort, Entrant, take_turns_in_pairs
from bench.servers import Inventory
from bench.site import Site, site
from bench.stats import Extra, extra, speed

INVENTORY = Inventory(1_000)
CONNECTIONS = 8
NO_CONTENT = 204
TARGET_MICROSECONDS = 10.0
SHORT = 20
"""So many rounds in place of one."""
ETAG = re.compile(rb"\r\netag: (\"[^\"]*\")", re.IGNORECASE)


def measure_safe(effort: Effort) -> Outcome:
    """Each connection changes a VM of its own: what is as it was, with the VM's ETag and without; and its power, with a
    new key for each call and without."""
    with ExitStack() as stack:
        found = stack.enter_context(site("safe", INVENTORY, flags=("--max-idempotency-keys", "1000000")))
        vms, others, last = (found.vms[n * CONNECTIONS : (n + 1) * CONNECTIONS] for n in range(3))
        keys = itertools.count(1)
        pairs = (
            (
                Entrant("same", found.server, tuple((same(found, vm, {}),) for vm in vms), NO_CONTENT),
                Entrant(
                    "If-Match", found.server, tuple((same(found, vm, matching(found, vm)),) for vm in vms), NO_CONTENT
                ),
            ),
            (
                Entrant("power", found.server, tuple(power_script(found, vm) for vm in others), NO_CONTENT),
                Entrant("key", found.server, tuple(keyed(power_script(found, vm), keys) for vm in last), NO_CONTENT),
            ),
        )
        # Two large numbers are compared that differ little: in many short pairs both meet the same machine.
        short = Effort(effort.rounds * SHORT, effort.seconds / SHORT)
        taken = [(pair, take_turns_in_pairs(*pair, short)) for pair in pairs]
    (_, matched), (_, kept) = ((pair, extra(list(zip(*samples, strict=True)))) for pair, samples in taken)
    return Outcome(
        (
            at_most(
                "If-Match: CPU more of a change that changes nothing", matched.microseconds, TARGET_MICROSECONDS, "us"
            ),
            at_most(
                "Idempotency-Key: CPU more of a durable power operation", kept.microseconds, TARGET_MICROSECONDS, "us"
            ),
        ),
        tuple(
            Row("changes of a VM", entrant.name, speed(samples))
            for pair, both in taken
            for entrant, samples in zip(pair, both, strict=True)
        ),
        (
            f"If-Match: {interval(matched)}; Idempotency-Key: {interval(kept)}. There the median of {short.rounds} "
            "pairs of short rounds lies nineteen times of twenty.",
            "The answer of a call under a key is written with its change: see docs/concurrency.md.",
        ),
    )


def interval(found: Extra) -> str:
    """Where it lies."""
    return f"{found.least:,.0f} to {found.most:,.0f} us"


def same(found: Site, vm: dict[str, Any], headers: dict[str, str]) -> bytes:
    """A change to what is already so."""
    path = f"/api/vcenter/vm/{vm['vm']}/hardware/boot"
    sent = {**found.session, **headers, "content-type": "application/json", "content-length": "12"}
    return request("PATCH", path, sent, b'{"delay": 0}')


def matching(found: Site, vm: dict[str, Any]) -> dict[str, str]:
    """The header that has the VM's ETag."""
    connection = connect(found.server.address)
    try:
        connection.setblocking(True)
        connection.sendall(request("GET", f"/api/vcenter/vm/{vm['vm']}", found.session))
        tag = ETAG.search(connection.recv(65536))
    finally:
        connection.close()
    if tag is None:
        raise ValueError("the VM has no ETag")
    return {"if-match": tag[1].decode("ascii")}


def keyed(script: tuple[bytes, ...], keys: Iterator[int]) -> tuple[Sent, ...]:
    """The requests, each with a key that nobody has used."""

    def with_key(sent: bytes) -> Callable[[bytes], bytes]:
        head = sent.removesuffix(b"\r\n\r\n")
        return lambda _: b"%b\r\nidempotency-key: bench-%d\r\n\r\n" % (head, next(keys))

    return tuple(map(with_key, script))
