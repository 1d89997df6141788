"""The pytest plugin: the fixture ``vcenter``.

A server is started when a test first asks for one, one for each kind that tests want and for each worker of xdist, and
ends with the session of tests. Before a test gets it, the inventory is as it was at its start.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resphere.testing.vcenter import Inventory, VCenter

ARGUMENTS, INVENTORY = "vcenter_arguments", "vcenter_inventory"
MARKER = "vcenter"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the plugin."""
    group = parser.getgroup("vcenter", "simulated vCenter (resphere)")
    group.addoption("--vcenter-arguments", metavar="FLAGS", help="flags of `resphere serve` for the fixture vcenter")
    group.addoption("--vcenter-inventory", metavar="FILE", help="inventory file for the fixture vcenter")
    parser.addini(ARGUMENTS, "flags of `resphere serve` for the fixture vcenter")
    parser.addini(INVENTORY, "inventory file for the fixture vcenter, from the folder of this file")


def pytest_configure(config: pytest.Config) -> None:
    """Tell of the marker."""
    config.addinivalue_line(
        "markers",
        "vcenter(inventory=None, arguments=()): the vCenter that the test wants: a file or a dict of an inventory file,"
        " and flags of `resphere serve`",
    )


class Servers:
    """The servers of this process, by what tests want of them."""

    def __init__(self) -> None:
        self._started: dict[str, VCenter] = {}
        self._used: set[str] = set()

    def get(self, inventory: Inventory | None, arguments: tuple[str, ...]) -> VCenter:
        """A server of that kind, as it was at its start."""
        key = repr((inventory, arguments))
        server = self._started.get(key)
        if server is not None and not server.is_running:
            # A test has powered it off, or killed it.
            server.stop()
            server = None
        if server is None:
            server = self._started[key] = VCenter(inventory, arguments).start()
        elif key in self._used:
            server.restore()
        self._used.add(key)
        return server

    def stop(self) -> None:
        """Stop all of them."""
        for server in self._started.values():
            server.stop()


@pytest.fixture(scope="session")
def _vcenters() -> Iterator[Servers]:
    servers = Servers()
    try:
        yield servers
    finally:
        servers.stop()


@pytest.fixture(scope="session")
def vcenter_inventory(pytestconfig: pytest.Config) -> Inventory | None:
    """The inventory of ``vcenter``: to be overridden by a fixture that returns a file, or a dict of what is in one."""
    flag: str | None = pytestconfig.getoption("--vcenter-inventory")
    if flag:
        return Path(flag).absolute()
    written: str = pytestconfig.getini(INVENTORY)
    return from_ini_folder(pytestconfig, Path(written)) if written else None


@pytest.fixture
def vcenter(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    _vcenters: Servers,
    vcenter_inventory: Inventory | None,
) -> VCenter:
    """A simulated vCenter, as it was at its start, whatever tests before have done to it.

    The environment is set so that clients find and trust it, for as long as the test runs.
    """
    wanted: dict[str, Any] = {}
    for marker in request.node.iter_markers(MARKER):
        wanted = {**marker.kwargs, **wanted}
        if marker.args or not wanted.keys() <= {"inventory", "arguments"}:
            raise pytest.UsageError(f"@pytest.mark.vcenter takes inventory= and arguments=, {request.node.nodeid}")
    inventory = wanted.get("inventory", vcenter_inventory)
    arguments = wanted.get("arguments")
    if arguments is None:
        config = request.config
        arguments = shlex.split(config.getoption("--vcenter-arguments") or config.getini(ARGUMENTS))
    server = _vcenters.get(inventory, tuple(arguments))
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return server


def from_ini_folder(config: pytest.Config, path: Path) -> Path:
    """A path as it is meant in the configuration file."""
    folder = config.inipath.parent if config.inipath is not None else Path(os.curdir)
    return (folder / path).absolute()
