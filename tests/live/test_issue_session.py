"""The session that people have in their notes and scripts, command by command: by curl and jq, and by requests."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import ADMINISTRATOR, PASSWORD, Client, Server, clean_environment, wait_until
from tests.support.vms import OFF, any_vm, bring, power_path, state_of

needs_curl = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "jq"))), reason="bash, curl or jq is not installed"
)

PRELUDE = """
set -euo pipefail
SESSION_ID=$(curl -s -k -u "administrator@vsphere.local:$PW" -X POST https://$H/api/session | jq -r .)
vc() { curl -s -k -H "vmware-api-session-id: $SESSION_ID" -H "Content-Type: application/json" "$@"; }
code() { vc -o /dev/null -w '%{http_code}\\n' "$@"; }
"""


def shell(server: Server, script: str, **variables: str) -> str:
    """What a bash script prints that talks to the server at ``$H``, logged in."""
    address = server.url.removeprefix("https://")
    done = subprocess.run(
        ["bash", "-c", PRELUDE + script],
        env={**clean_environment(), "H": address, "PW": PASSWORD, **variables},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


@needs_curl
def test_login_lists_and_gets_by_curl(shared_server: Server) -> None:
    printed = shell(
        shared_server,
        """
        echo "$SESSION_ID"
        vc https://$H/api/vcenter/vm | jq -r '.[0].vm'
        VM=$(vc https://$H/api/vcenter/vm | jq -r '.[0].vm')
        vc https://$H/api/vcenter/vm/$VM | jq -r .identity.name
        vc https://$H/api/vcenter/vm | jq -r '.[0].name'
        HOST=$(vc https://$H/api/vcenter/host | jq -r '.[0].host')
        vc https://$H/api/vcenter/host/$HOST | jq -r .host
        echo $HOST
        vc https://$H/api | jq -r .product
        vc https://$H/api/vcenter | jq -r .links.virtual_machines
        """,
    ).splitlines()
    assert re.fullmatch(r"[0-9a-f]{64}", printed[0])
    assert re.fullmatch(r"vm-\d+", printed[1])
    assert printed[2] == printed[3]
    assert printed[4] == printed[5]
    assert re.fullmatch(r"host-\d+", printed[4])
    assert printed[6:] == ["VMware vCenter Server", "/api/vcenter/vm"]


@needs_curl
@pytest.mark.parametrize("form", ["?action=", "/"])
def test_power_by_curl(shared_server: Server, client: Client, form: str) -> None:
    vm = any_vm(client, OFF)
    printed = shell(
        shared_server,
        """
        for act in start reset suspend start stop; do
            code -X POST "https://$H/api/vcenter/vm/$VM/power$FORM$act"
            vc https://$H/api/vcenter/vm/$VM/power | jq -r .state
        done
        """,
        VM=vm,
        FORM=form,
    )
    states = ("POWERED_ON", "POWERED_ON", "SUSPENDED", "POWERED_ON", "POWERED_OFF")
    assert printed.split() == [part for state in states for part in ("204", state)]


@needs_curl
def test_snapshots_by_curl(shared_server: Server, client: Client) -> None:
    vm = any_vm(client, OFF)
    assert client.delete(f"/api/vcenter/vm/{vm}/snapshot").status_code == 204
    printed = shell(
        shared_server,
        """
        S=https://$H/api/vcenter/vm/$VM/snapshot
        ONE=$(vc -X POST $S -d '{"name": "API-Snapshot", "description": "before the update"}' | jq -r .)
        TWO=$(vc -X POST $S -d '{"name": "second", "description": ""}' | jq -r .)
        vc $S | jq -r '.[].name'
        vc $S/$ONE | jq -r .description
        vc $S/$TWO | jq -r '.parent == "'$ONE'"'
        code -X POST "$S/$ONE?action=revert"
        code -X DELETE $S/$ONE?children=true
        vc $S | jq length
        THREE=$(vc -X POST $S -d '{"name": "third"}' | jq -r .)
        code -X DELETE $S
        vc $S | jq length
        """,
        VM=vm,
    )
    assert printed.splitlines() == [
        *("API-Snapshot", "second", "before the update", "true"),
        *("204", "204", "0", "204", "0"),
    ]


@needs_curl
def test_maintenance_by_curl(shared_server: Server, client: Client) -> None:
    host = clustered_host(client)
    printed = shell(
        shared_server,
        """
        M=https://$H/api/vcenter/host/$HOST/maintenance
        code -X POST $M -d '{"action": "enter"}'
        vc $M | jq -r .in_maintenance_mode
        code -X POST $M -d '{"action": "exit"}'
        vc $M | jq -r .in_maintenance_mode
        """,
        HOST=host,
    )
    assert printed.split() == ["204", "true", "204", "false"]


@needs_curl
def test_each_call_is_a_line_of_the_log(shared_server: Server) -> None:
    shell(
        shared_server, "vc https://$H/api/vcenter/vm > /dev/null; vc https://$H/api/vcenter/host/host-405 > /dev/null"
    )
    # No other test asks for this one: its line is the last of these.
    lines = wait_until(lambda: lines_up_to(shared_server.log, "host-405"), "the call's line in the log")[-3:]
    printed = subprocess.run(
        ["grep", "-i", "api"], input="\n".join(lines), stdout=subprocess.PIPE, text=True, check=True
    )
    assert len(printed.stdout.splitlines()) == len(lines) == 3
    assert "API POST /api/session " in lines[0]
    assert "API GET /api/vcenter/vm " in lines[1]
    assert "status=200" in lines[1]
    assert "API GET /api/vcenter/host/host-405 " in lines[2]
    assert "status=404" in lines[2]


def lines_up_to(log: Path, last: str) -> list[str]:
    """All lines, none as long as the last one does not hold ``last``: the log is written after the reply."""
    lines = log.read_text().splitlines()
    return lines if lines and last in lines[-1] else []


@needs_curl
def test_the_banner_s_line_works_when_pasted(tmp_path: Path) -> None:
    with Server(tmp_path / "own", password=None) as server:
        assert pasted(server)
        password = (server.data_dir / "admin-password").read_text().strip()
        assert f"password  {password} " in server.banner


@needs_curl
def test_the_banner_s_line_takes_a_password_of_one_s_own_from_the_environment(shared_server: Server) -> None:
    assert PASSWORD not in shared_server.banner
    assert pasted(shared_server, RESPHERE_ADMIN_PASSWORD=PASSWORD)


def pasted(server: Server, **variables: str) -> list[Any]:
    """What the last line of the banner gets from the server."""
    line = server.banner.splitlines()[-1].strip()
    assert line.startswith("curl ")
    done = subprocess.run(
        ["bash", "-c", line],
        env={**clean_environment(), **variables},
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    listed: list[Any] = json.loads(done.stdout)
    assert listed[0].keys() >= {"vm", "name", "power_state"}
    return listed


def clustered_host(client: Client) -> str:
    """A host with others beside it that takes virtual machines."""
    cluster = client.read("/api/vcenter/cluster")[0]["cluster"]
    hosts = client.read("/api/vcenter/host", params={"clusters": cluster, "connection_states": "CONNECTED"})
    assert len(hosts) > 1
    host: str = hosts[0]["host"]
    return host


def test_the_whole_session_by_requests(shared_server: Server) -> None:
    with Client(shared_server, None) as client:
        login = client.post("/api/session", auth=(ADMINISTRATOR, PASSWORD))
        assert login.status_code == 201
        client.http.headers["vmware-api-session-id"] = login.json()

        vms = client.read("/api/vcenter/vm")
        vm = vms[0]["vm"]
        assert client.read(f"/api/vcenter/vm/{vm}")["name"] == vms[0]["name"]

        bring(client, vm, OFF)
        for path in (f"{power_path(vm)}?action=", f"{power_path(vm)}/"):
            for action in ("start", "reset", "suspend", "stop"):
                assert client.post(path + action).status_code == 204
        assert state_of(client, vm) == OFF

        made = client.post(
            f"/api/vcenter/vm/{vm}/snapshot", json={"name": "API-Snapshot", "description": "before the update"}
        )
        assert made.status_code == 201
        listed = client.read(f"/api/vcenter/vm/{vm}/snapshot")
        assert made.json() in [snapshot["snapshot"] for snapshot in listed]
        client.delete(f"/api/vcenter/vm/{vm}/snapshot")

        host = clustered_host(client)
        assert client.read(f"/api/vcenter/host/{host}")["host"] == host
        for action, entered in (("enter", True), ("exit", False)):
            assert client.post(f"/api/vcenter/host/{host}/maintenance", json={"action": action}).status_code == 204
            assert client.read(f"/api/vcenter/host/{host}/maintenance") == {"in_maintenance_mode": entered}


def test_what_the_server_says_of_itself(client: Client) -> None:
    about = client.read("/api")
    assert about["product"] == "VMware vCenter Server"
    assert about["api_releases"] == ["7.0", "8.0", "9.1"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", about["version"])
    assert about["build"].isdecimal()
    vcenter = client.read("/api/vcenter")
    assert {name: value for name, value in vcenter.items() if name != "links"} == {
        name: value for name, value in about.items() if name != "links"
    }
    for link in (*vcenter["links"].values(), *about["links"].values()):
        method = "POST" if "action=" in link else "GET"
        assert client.request(method, link).status_code == 200, link
