"""The plugin of pytest, in tests of other projects: real servers, real clients."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from resphere.contract.extensions import OPERATIONS
from tests.support.server import children, clean_environment, wait_until

pytest_plugins = ("pytester",)

FIRST = """
import os, ssl, urllib.request
import pytest, requests

def login(vcenter):
    return {"vmware-api-session-id": requests.post(
        f"{vcenter.url}/api/session", auth=(vcenter.user, vcenter.password), timeout=60).json()}

def listed(vcenter):
    reply = requests.get(f"{vcenter.url}/api/vcenter/vm", headers=vcenter.headers, timeout=60)
    assert reply.status_code == 200, reply.text
    return reply.json()

SEEN = {}

def test_nothing_else_is_written(vcenter):
    assert len(requests.get(vcenter.url + "/api/vcenter/vm", headers=login(vcenter), timeout=60).json()) == 39
    SEEN["machines"], SEEN["port"] = listed(vcenter), vcenter.port

def test_everything_is_changed(vcenter):
    headers = vcenter.headers
    def call(method, path, body=None):
        return requests.request(method, f"{vcenter.url}/api{path}", json=body, headers=headers, timeout=60)
    for row in SEEN["machines"]:
        call("POST", f"/vcenter/vm/{row['vm']}/power?action=stop")
        assert call("DELETE", f"/vcenter/vm/{row['vm']}").status_code == 204
    category = call("POST", "/cis/tagging/category", {
        "name": "env", "description": "", "cardinality": "SINGLE", "associable_types": []})
    assert category.status_code == 201, category.text
    for host in call("GET", "/vcenter/host").json():
        call("POST", f"/vcenter/host/{host['host']}?action=disconnect")
    for role in call("GET", "/vcenter/authorization/roles").json():
        call("DELETE", f"/vcenter/authorization/roles/{role['role'] if isinstance(role, dict) else role}")
    assert call("PUT", "/appliance/access/ssh", {"enabled": True}).status_code in (200, 204)
    assert call("DELETE", "/session").status_code == 204
    assert listed_now(vcenter) == []

def listed_now(vcenter):
    return requests.get(f"{vcenter.url}/api/vcenter/vm", headers=login(vcenter), timeout=60).json()

def test_it_is_as_it_was(vcenter):
    assert vcenter.port == SEEN["port"]
    assert listed(vcenter) == SEEN["machines"]
    headers = vcenter.headers
    def read(path):
        return requests.get(f"{vcenter.url}/api{path}", headers=headers, timeout=60).json()
    assert read("/cis/tagging/category") == []
    assert {each["connection_state"] for each in read("/vcenter/host")} == {"CONNECTED"}
    assert read("/appliance/access/ssh") is False

def test_what_was_called(vcenter):
    assert vcenter.calls == ()
    listed(vcenter)
    requests.get(f"{vcenter.url}/api/vcenter/vm/vm-4711", headers=vcenter.headers, timeout=60)
    seen = [(each.operation, each.target, each.status, each.error) for each in vcenter.calls]
    assert seen == [
        ("com.vmware.vcenter.VM.list", None, 200, None),
        ("com.vmware.vcenter.VM.get", "vm-4711", 404, "NOT_FOUND"),
    ]

def test_the_environment_leads_there(vcenter):
    assert os.environ["VSPHERE_SERVER"] == f"{vcenter.host}:{vcenter.port}"
    assert os.environ["GOVC_URL"] == vcenter.url
    # Whoever looks for the usual certificates finds the server's, too.
    with urllib.request.urlopen(f"{vcenter.url}/healthz", context=ssl.create_default_context()) as reply:
        assert reply.status == 200

@pytest.mark.vcenter(inventory={
    "datacenters": [{"name": "DC01"}],
    "clusters": [{"name": "Compute"}],
    "hosts": [{"name": "esx-01.example.com", "cluster": "Compute"}],
    "datastores": [{"name": "vmfs-01", "capacity": "1 TiB"}],
    "networks": [{"name": "VM Network"}],
    "virtual_machines": [{"name": "web-001", "guest_OS": "RHEL_9_64", "cluster": "Compute"}],
}, arguments=["--product-version", "7.0.3"])
def test_an_inventory_of_its_own(vcenter):
    assert [each["name"] for each in listed(vcenter)] == ["web-001"]
    version = requests.get(f"{vcenter.url}/api/appliance/system/version", headers=vcenter.headers, timeout=60)
    assert version.json()["version"].startswith("7.0.3")
"""


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ.keys() - clean_environment().keys():
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("clean")
def test_tests_of_another_project(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FIRST)
    result = pytester.runpytest_subprocess("-p", "resphere.testing.plugin", "-p", "no:randomly", "-Werror", timeout=300)
    result.assert_outcomes(passed=6)


SHARED = """
import os
import requests

def test_{name}(vcenter, worker_id):
    headers = vcenter.headers
    url = f"{{vcenter.url}}/api/vcenter/vm"
    machines = requests.get(url, headers=headers, timeout=60).json()
    assert len(machines) == {count}
    for row in machines[:3]:
        requests.post(f"{{url}}/{{row['vm']}}/power?action=stop", headers=headers, timeout=60)
        assert requests.delete(f"{{url}}/{{row['vm']}}", headers=headers, timeout=60).status_code == 204
    with open(os.environ["SEEN"], "a") as seen:
        seen.write(f"{{worker_id}} {{vcenter.port}}\\n")
"""


@pytest.mark.usefixtures("clean")
def test_workers_of_xdist_have_their_own(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    monkeypatch.setenv("SEEN", str(seen))
    pytester.makeini("[pytest]\nvcenter_arguments = --vms 12\n")
    tests = "\n".join(SHARED.format(name=name, count=12) for name in ("a", "b", "c", "d"))
    pytester.makepyfile(tests)
    result = pytester.runpytest_subprocess("-p", "resphere.testing.plugin", "-n", "2", timeout=300)
    result.assert_outcomes(passed=4)
    pairs = {tuple(line.split()) for line in seen.read_text().splitlines()}
    assert len({worker for worker, _ in pairs}) == len({port for _, port in pairs}) == 2


FAULTS = """
import requests

def session(vcenter):
    return requests.get(f"{vcenter.url}/api/vcenter/vm", headers=vcenter.headers, timeout=60).status_code

def test_faulty(vcenter):
    vcenter.fault("com.vmware.vcenter.VM.list", error="SERVICE_UNAVAILABLE", times=1)
    assert [session(vcenter), session(vcenter)] == [503, 200]
    vcenter.fault("com.vmware.vcenter.VM.list", error="SERVICE_UNAVAILABLE")

def test_not_faulty(vcenter):
    assert session(vcenter) == 200
"""


@pytest.mark.skipif("resphere.faults.create" not in OPERATIONS, reason="this release has no faults while it runs")
@pytest.mark.usefixtures("clean")
def test_faults_are_one_tests_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FAULTS)
    pytester.runpytest_subprocess("-p", "resphere.testing.plugin", timeout=300).assert_outcomes(passed=2)


WRONG = """
import pytest

@pytest.mark.vcenter(vms=3)
def test_marker(vcenter): ...

@pytest.mark.vcenter(arguments=["--no-such-flag"])
def test_flag(vcenter): ...
"""


@pytest.mark.usefixtures("clean")
def test_what_is_wrong_is_said(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(WRONG)
    result = pytester.runpytest_subprocess("-p", "resphere.testing.plugin", timeout=300)
    result.assert_outcomes(errors=2)
    said = result.stdout.str()
    assert "takes inventory= and arguments=" in said
    assert "there is no flag --no-such-flag" in said


WAITS = """
import time

def test_waits(vcenter, tmp_path_factory):
    print(vcenter.port)
    with open("here", "w") as here:
        here.write(str(vcenter._folder))
    time.sleep(300)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found by ps of Linux")
def test_nothing_stays_where_pytest_is_killed(tmp_path: Path) -> None:
    (tmp_path / "test_waits.py").write_text(WAITS)
    command = [sys.executable, "-m", "pytest", "-p", "resphere.testing.plugin", "-p", "no:cacheprovider", "-s"]
    here = tmp_path / "here"
    with subprocess.Popen(command, cwd=tmp_path, env=clean_environment(), stdout=subprocess.DEVNULL) as tests:
        wait_until(lambda: here.exists() and here.read_text(), "the test", 120)
        (minder,) = children(tests.pid)
        servers = [minder, *children(minder)]
        servers += [worker for server in servers[1:] for worker in children(server)]
        assert len(servers) >= 3
        os.kill(tests.pid, signal.SIGKILL)
        tests.wait()
    wait_until(lambda: not any(map(runs, servers)), "the end of the server")
    wait_until(lambda: not Path(here.read_text()).exists(), "the removal of its data")


def runs(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
