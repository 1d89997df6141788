"""What the machine that the tests run on tells of itself."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from resphere.appliance.machine import LocalMachine, Machine, prefix_of

MACHINE: Machine = LocalMachine()


def test_memory_and_swap() -> None:
    memory, swap = MACHINE.memory(), MACHINE.swap()
    assert 0 < memory.used < memory.total
    assert 0 <= swap.available <= swap.total


def test_load_and_cpu_only_grow() -> None:
    load, before = MACHINE.load(), MACHINE.cpu_times()
    sum(range(1_000_000))
    assert load.cpus >= 1
    assert min(load.minute, load.minutes_5, load.minutes_15) >= 0
    assert MACHINE.cpu_times().total >= before.total > 0


def test_what_a_file_takes_is_available_no_more(tmp_path: Path) -> None:
    filesystem = MACHINE.filesystem(tmp_path)
    assert 0 < filesystem.available <= filesystem.total
    assert filesystem.used + filesystem.available == filesystem.total
    assert Path(filesystem.device).is_mount()


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        MACHINE.filesystem(tmp_path / "missing")


def test_the_loopback_interface() -> None:
    loopback = next(each for each in MACHINE.interfaces() if any(a.address == "127.0.0.1" for a in each.addresses))
    assert loopback.up
    assert next(each.prefix for each in loopback.addresses if each.address == "127.0.0.1") == 8
    assert MACHINE.network_traffic()[loopback.name].rx_bytes >= 0
    assert MACHINE.host_name() == socket.gethostname()
    assert MACHINE.disk_traffic().reads >= 0


@pytest.mark.parametrize(
    ("mask", "bits"), [("255.255.255.0", 24), ("255.0.0.0", 8), ("ffff:ffff:ffff:ffff::", 64), (None, 0)]
)
def test_masks(mask: str | None, bits: int) -> None:
    assert prefix_of(mask) == bits
