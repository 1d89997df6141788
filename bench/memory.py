"""What the inventory in a worker's memory costs: ``python -m bench.memory [VMs]``.

Each figure is measured in a process of its own, on a store that another one has filled. Linux only.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from resphere.inventory.model import VirtualMachine
from resphere.inventory.tables import TABLES
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.store.engines import default_url, open_store
from tests.inventory import samples

HOSTS = 20
CHANGED = 1_000


class Figures(msgspec.Struct, frozen=True):
    """What was measured. ``bytes_each`` is the growth of the whole process's resident memory, for each VM."""

    vms: int
    document_bytes: int
    load_seconds: float
    bytes_each: float
    idle_refresh_microseconds: float
    applied_change_microseconds: float
    listed_object_microseconds: float


def measure(vms: int) -> Figures:
    """Fill a store with ``vms`` and measure a worker that loads it."""
    with tempfile.TemporaryDirectory() as directory:
        path = directory
        _step("fill", path, vms)
        printed = _step("report", path, vms)
    return msgspec.json.decode(printed, type=Figures)


def _step(name: str, path: str, vms: int) -> bytes:
    command = [sys.executable, "-m", "bench.memory", name, path, str(vms)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


async def fill(path: Path, vms: int) -> None:
    """Make the inventory that is measured."""
    store = await open_store(default_url(path))
    replica = Replica(store, TABLES)

    def plan(edit: Edit) -> None:
        for obj in (*samples.skeleton(HOSTS), *samples.virtual_machines(vms, HOSTS)):
            edit.put(obj)

    await replica.change(plan)
    await store.close()


async def report(path: Path) -> Figures:
    """Load the inventory and see what it took."""
    store, other_store = await open_store(default_url(path)), await open_store(default_url(path))
    replica = Replica(store, TABLES)
    before, start = _resident_bytes(), time.perf_counter()
    await replica.load()
    load_seconds, grown = time.perf_counter() - start, _resident_bytes() - before
    vms = replica.count(VirtualMachine)

    start = time.perf_counter()
    for _ in range(10_000):
        await replica.refresh()
    idle = (time.perf_counter() - start) / 10_000

    start = time.perf_counter()
    listed = sum(len(list(replica.by(VirtualMachine, "power_state", "POWERED_ON").values())) for _ in range(20))
    each_listed = (time.perf_counter() - start) / listed

    other = Replica(other_store, TABLES)
    ids = list(replica.all(VirtualMachine))[:CHANGED]
    await asyncio.gather(*(other.change(_move(other, id)) for id in ids))
    start = time.perf_counter()
    await replica.refresh()
    applied = (time.perf_counter() - start) / len(ids)

    some = next(iter(replica.all(VirtualMachine).values()))
    await store.close()
    await other_store.close()
    return Figures(
        vms=vms,
        document_bytes=len(msgspec.json.encode(some)),
        load_seconds=round(load_seconds, 3),
        bytes_each=round(grown / vms),
        idle_refresh_microseconds=round(idle * 1e6, 2),
        applied_change_microseconds=round(applied * 1e6, 1),
        listed_object_microseconds=round(each_listed * 1e6, 3),
    )


def _move(replica: Replica, id: str) -> Callable[[Edit], None]:
    """A plan that moves a VM to another host and turns it off."""

    def plan(edit: Edit) -> None:
        vm = replica.all(VirtualMachine)[id]
        edit.put(msgspec.structs.replace(vm, host="host-11", power_state=samples.POWERED_OFF))

    return plan


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def main(arguments: list[str]) -> None:
    """Measure, or be one of the processes that do."""
    match arguments:
        case ["fill", path, vms]:
            asyncio.run(fill(Path(path), int(vms)))
        case ["report", path, _]:
            sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(report(Path(path)))))
        case _:
            figures = measure(int(arguments[0]) if arguments else 20_000)
            for name, value in msgspec.structs.asdict(figures).items():
                print(f"{name:32} {value}")


if __name__ == "__main__":
    main(sys.argv[1:])
