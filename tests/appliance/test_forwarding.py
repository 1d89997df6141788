"""Logs that are sent to a real server of syslog as they grow, and wait while it is away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from resphere.appliance.forwarding import LogForwarder, lines_after, of_server
from resphere.appliance.receivers import Connections
from resphere.audit.server_log import FILE_NAME, ServerLogLine
from resphere.contract.generated.appliance_logging import Forwarding
from resphere.fetching.allowed import read_rules
from resphere.inventory.appliance.forwarding import ForwardingProgress, LogForwarding, LogReceiver
from resphere.inventory.appliance.settings import keep_setting
from tests.support.receivers import SyslogReceiver, needs_rsyslog
from tests.support.world import World


def line(text: str, level: str = "warning") -> bytes:
    return msgspec.json.encode(
        ServerLogLine(time=datetime(2026, 1, 2, tzinfo=UTC), level=level, logger="test", message=text)
    )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        yield made


@contextmanager
def receiving(tmp_path: Path) -> Iterator[SyslogReceiver]:
    (tmp_path / "syslog").mkdir()
    yield SyslogReceiver(tmp_path / "syslog")


def told(world: World, *receivers: LogReceiver) -> None:
    world.run(world.inventory.change(lambda edit: keep_setting(edit, LogForwarding(receivers=receivers))))


@needs_rsyslog
@pytest.mark.parametrize("protocol", Forwarding.Protocol)
def test_lines_come_and_go_on_where_they_were_left(world: World, tmp_path: Path, protocol: Forwarding.Protocol) -> None:
    logs = tmp_path / "log"
    logs.mkdir()
    path = logs / FILE_NAME
    path.write_bytes(line("before") + b"\n")
    with receiving(tmp_path) as syslog:
        receiver = LogReceiver(host="127.0.0.1", port=syslog.ports[protocol.lower()], protocol=protocol)
        connections = Connections(read_rules(("127.0.0.1",)), syslog.ca.read_text)
        told(world, receiver)

        async def send(*lines: bytes, count: int) -> list[str]:
            forwarder = LogForwarder(
                world.inventory, logs, connections, lambda: "vc.example", look_seconds=0.01, retry_seconds=0.01
            )
            noted = asyncio.Event()
            end = world.inventory.subscribe(ForwardingProgress, lambda _, __: noted.set())
            running = asyncio.ensure_future(forwarder.run())
            if world.inventory.get(ForwardingProgress, receiver.id) is None:
                await noted.wait()
            with path.open("ab") as file:
                file.writelines(each + b"\n" for each in lines)
            messages = await asyncio.to_thread(syslog.messages, count)
            # How far that is was noted, too, when nothing is left to note.
            while True:
                noted.clear()
                found = world.inventory.get(ForwardingProgress, receiver.id)
                if found is not None and found.log_bytes == path.stat().st_size:
                    break
                await noted.wait()
            end()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            assert {(each.priority, each.host, each.application, each.kind) for each in messages} == {
                (28, "vc.example", "resphere", "log")
            }
            return [json.loads(each.text)["message"] for each in messages]

        with syslog.running():
            assert world.run(send(line("first"), count=1)) == ["first"]
            assert world.run(send(line("second"), line("third"), count=3)) == ["first", "second", "third"]
        if protocol is not Forwarding.Protocol.UDP:
            with path.open("ab") as file:
                file.write(line("while away") + b"\n")
            with syslog.running():
                assert world.run(send(count=4))[-1] == "while away"


@needs_rsyslog
def test_what_is_not_wanted_any_more_is_forgotten(world: World, tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    with receiving(tmp_path) as syslog, syslog.running():
        receiver = LogReceiver(host="127.0.0.1", port=syslog.ports["tcp"], protocol=Forwarding.Protocol.TCP)
        connections = Connections(read_rules(("127.0.0.1",)), lambda: "")
        forwarder = LogForwarder(world.inventory, tmp_path / "log", connections, lambda: "vc", look_seconds=0.01)

        async def work() -> None:
            changed = asyncio.Event()
            end = world.inventory.subscribe(ForwardingProgress, lambda _, __: changed.set())
            running = asyncio.ensure_future(forwarder.run())
            await world.inventory.change(lambda edit: keep_setting(edit, LogForwarding(receivers=(receiver,))))
            await changed.wait()
            assert world.inventory.get(ForwardingProgress, receiver.id) is not None
            changed.clear()
            await world.inventory.change(lambda edit: keep_setting(edit, LogForwarding()))
            await changed.wait()
            end()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        world.run(work())
    assert not world.inventory.all(ForwardingProgress)


def test_lines_of_a_growing_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    assert lines_after(path, 7) == ([], 7)
    path.write_bytes(b"one\ntwo\nthr")
    assert lines_after(path, 0) == ([b"one", b"two"], 8)
    assert lines_after(path, 8) == ([], 8)
    path.write_bytes(b"new\n")
    assert lines_after(path, 8) == ([b"new"], 4)


@pytest.mark.parametrize(
    ("level", "priority"), [("debug", 31), ("info", 30), ("warning", 28), ("error", 27), ("critical", 26)]
)
def test_severities(level: str, priority: int) -> None:
    text = line("something", level)
    assert of_server(text, "vc") == b"<%d>1 2026-01-02T00:00:00.000Z vc resphere - log - %b" % (priority, text)


def test_what_is_no_line_of_the_log_is_sent_all_the_same() -> None:
    assert of_server(b"\xff garbage", "vc").endswith(b" vc resphere - log - \xff garbage")
