"""Logs of a running server that come to rsyslog, whoever of its workers is killed."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from tests.support.receivers import SyslogReceiver, needs_rsyslog
from tests.support.server import Client, Server, wait_until

PATH = "/api/appliance/logging/forwarding"
CALLS = 30


def paths(receiver: SyslogReceiver) -> list[str]:
    """The paths of the calls that have come."""
    whole, _, _ = receiver.file.read_text().rpartition("\n")
    records = [json.loads(line[line.index("{") :]) for line in whole.splitlines() if "{" in line]
    return [record["path"] for record in records if "path" in record]


def ask(client: Client, begin: int) -> list[str]:
    """Calls whose paths tell them apart."""
    made = [f"/api/vcenter/vm/vm-{number}" for number in range(begin, begin + CALLS)]
    for path in made:
        client.get(path)
    return made


@needs_rsyslog
def test_no_line_is_lost_when_a_worker_is_killed(tmp_path: Path) -> None:
    (tmp_path / "syslog").mkdir()
    receiver = SyslogReceiver(tmp_path / "syslog")
    flags = ("--vms", "1", "--workers", "2", "--syslog-to", "127.0.0.1")
    with receiver.running(), Server(tmp_path / "data", *flags) as server, server.session() as client:
        config = {"hostname": "127.0.0.1", "port": receiver.ports["tcp"], "protocol": "TCP"}
        assert client.put(PATH, json={"cfg_list": [config]}).status_code == 204
        assert client.post(f"{PATH}?action=test", json={"send_test_message": True}).json()[0]["state"] == "UP"
        wait_until(lambda: ask(client, 10_000)[-1] in paths(receiver), "the coming of the first calls")
        made = ask(client, 20_000)
        for worker in server.workers:
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: len(server.workers) == 2, "the next workers")
        with server.session() as later:
            made += ask(later, 30_000)
        wait_until(lambda: set(made) <= set(paths(receiver)), "the coming of all calls", 60)
