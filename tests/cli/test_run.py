"""``resphere run -- COMMAND``: a vCenter for a command, which ends as the command does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from resphere.cli.main import main, parser
from resphere.cli.run import arguments
from tests.support.server import children, clean_environment, wait_until

ASK = """
import json, os, sys, requests
from requests.auth import HTTPBasicAuth
url = os.environ["GOVC_URL"]
login = HTTPBasicAuth(os.environ["VSPHERE_USER"], os.environ["VSPHERE_PASSWORD"])
session = requests.post(url + "/api/session", auth=login, timeout=60).json()
vms = requests.get(url + "/api/vcenter/vm", headers={"vmware-api-session-id": session}, timeout=60).json()
print(json.dumps({"vms": len(vms), **{name: os.environ[name] for name in sys.argv[1:]}}))
sys.exit(7)
"""
WAIT = "import time, pathlib, sys; pathlib.Path(sys.argv[1]).write_text('x'); time.sleep(300)"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "resphere", "run", *arguments]


def test_a_command_finds_it_and_its_status_is_passed_on() -> None:
    names = ("VSPHERE_SERVER", "VMWARE_HOST", "VMWARE_USER", "VMWARE_PASSWORD", "GOVC_USERNAME", "GOVC_PASSWORD")
    asked = command("--vms", "5", "--seed", "7", "--", sys.executable, "-c", ASK, *names)
    ended = subprocess.run(asked, capture_output=True, text=True, env=clean_environment(), check=False)
    assert ended.returncode == 7, ended.stderr
    found = json.loads(ended.stdout)
    assert found["vms"] == 5
    assert found["VSPHERE_SERVER"] == found["VMWARE_HOST"]
    assert found["VMWARE_USER"] == found["GOVC_USERNAME"] == "administrator@vsphere.local"
    assert found["VMWARE_PASSWORD"] == found["GOVC_PASSWORD"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_reach_the_command_and_tell_in_the_status(tmp_path: Path, number: signal.Signals) -> None:
    begun = tmp_path / "begun"
    asked = command("--vms", "2", "--", sys.executable, "-c", WAIT, str(begun))
    # Without a terminal an interrupt is sent to one process, and passed on.
    with subprocess.Popen(asked, env=clean_environment(), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        wait_until(begun.exists, "the command", 120)
        below = children(run.pid)
        assert len(below) == 2
        os.kill(run.pid, number)
        assert run.wait(60) == 128 + number
    assert not any(Path(f"/proc/{each}").exists() for each in below)


def test_what_cannot_be_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--vms", "2", "--", "no-such-command"]) == 127
    assert "there is no command no-such-command" in capsys.readouterr().err
    assert main(["run", "--port", "5", "--", "true"]) == 1
    assert "--port is not for resphere run" in capsys.readouterr().err
    assert main(["run", "--inventory", "no-such-file", "--", "true"]) == 1
    assert "no-such-file" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["run"])


def test_flags_are_handed_on_as_they_were_given() -> None:
    given = ["--vms", "5", "--no-list-limits", "--tls-name", "a.test", "--tls-name", "b.test"]
    options = vars(parser().parse_args(["run", *given, "--", "true", "--vms", "3"]))
    assert options["argv"] == ["true", "--vms", "3"]
    handed = list(arguments(options))
    assert sorted(handed) == sorted(given)
