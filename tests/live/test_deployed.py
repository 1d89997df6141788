"""What a container and a job of GitHub's run, as their files have it, here: without a container, and without GitHub."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.support.server import ADMINISTRATOR, clean_environment, free_port, wait_until

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
IN_IMAGE = "/opt/resphere/bin"
SEALED = """
mount -t tmpfs tmpfs "$TMPDIR" && mount --bind "$DATA" "$DATA" || exit 99
mount -o remount,bind,ro / && mount -o remount,bind,rw "$DATA" || exit 99
! touch "$OUTSIDE" 2> /dev/null || exit 99
exec "$@"
"""
"""Runs a command that can write to the data directory, and to a folder in memory as ``/tmp`` is, and nowhere else on
the root file system: in a mount namespace of its own."""


def containerfile(instruction: str) -> str:
    """What stands after an instruction that is there once in the last stage, with the paths of this machine."""
    text = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    [found] = re.findall(rf"^{instruction} +(.*)$", text.rpartition("\nFROM ")[2], re.MULTILINE)
    return str(found).replace(IN_IMAGE, str(BIN))


def variables() -> dict[str, str]:
    return dict(each.split("=", 1) for each in shlex.split(containerfile("ENV")))


def can_seal(folder: Path) -> bool:
    """Whether this machine lets a test have mounts of its own."""
    tried = folder / "tried"
    tried.mkdir()
    own = {**os.environ, "DATA": str(tried), "TMPDIR": str(tried), "OUTSIDE": str(folder / "outside")}
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", SEALED, "sh", "true"], env=own, capture_output=True, check=False
    )
    return done.returncode == 0


def test_what_the_container_runs_is_well_writes_nothing_elsewhere_and_ends_when_it_is_told_to(tmp_path: Path) -> None:
    data, temporary = tmp_path / "data", tmp_path / "temporary"
    data.mkdir(mode=0o700)
    temporary.mkdir()
    command = [*json.loads(containerfile("ENTRYPOINT")), *json.loads(containerfile("CMD"))]
    health = json.loads(containerfile("HEALTHCHECK").partition("CMD ")[2])
    image = variables()
    assert image["RESPHERE_DATA_DIR"] == containerfile("VOLUME")
    assert image["RESPHERE_PORT"] == containerfile("EXPOSE")
    own = {
        **clean_environment(),
        **image,
        "RESPHERE_DATA_DIR": str(data),
        "RESPHERE_PORT": str(free_port()),
        "RESPHERE_VMS": "5",
        "TMPDIR": str(temporary),
        "DATA": str(data),
        "OUTSIDE": str(tmp_path / "outside"),
    }
    sealed = can_seal(tmp_path)
    inside = ["unshare", "-rm", "sh", "-c", SEALED, "sh"] if sealed else []
    assert subprocess.run(health, env=own, capture_output=True, check=False).returncode == 1
    with (tmp_path / "said").open("wb") as said:
        server = subprocess.Popen([*inside, *command], env=own, stdout=said, stderr=said)
        try:
            probed = subprocess.run([*health, "--wait", "60"], env=own, capture_output=True, text=True, check=False)
            assert probed.returncode == 0, probed.stderr + (tmp_path / "said").read_text()
        finally:
            server.send_signal(getattr(signal, containerfile("STOPSIGNAL")))
            status = server.wait(60)
    assert status == 0, (tmp_path / "said").read_text()
    assert {each.name for each in tmp_path.iterdir()} == {"data", "said", "temporary", "tried"}
    if not sealed:
        pytest.skip("all but this: nothing here lets a test make file systems read-only")


def test_a_job_has_a_vcenter_after_the_action_has_started_one(tmp_path: Path) -> None:
    outputs, variables = tmp_path / "outputs", tmp_path / "variables"
    own = {
        **clean_environment(),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "ACTION_FOLDER": str(ROOT),
        "ACTION_ARGUMENTS": "--vms 3 --durations none",
        "ACTION_PASSWORD": "",
        "ACTION_PORT": "0",
        "RUNNER_TEMP": str(tmp_path / "runner"),
        "GITHUB_OUTPUT": str(outputs),
        "GITHUB_ENV": str(variables),
    }
    script = ROOT / "deploy" / "action" / "start.sh"
    started = subprocess.run([script], env=own, stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    told = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    try:
        assert started.stdout == f"::add-mask::{told['password']}\n"
        assert told["user"] == ADMINISTRATOR
        session = requests.post(
            f"{told['url']}/api/session", auth=(told["user"], told["password"]), verify=told["ca"], timeout=60
        )
        assert session.status_code == 201
        for_clients = dict(line.split("=", 1) for line in variables.read_text().splitlines())
        assert for_clients == {
            "VSPHERE_SERVER": told["url"].removeprefix("https://"),
            "VSPHERE_USER": told["user"],
            "VSPHERE_PASSWORD": told["password"],
        }
    finally:
        # The runner ends what a job leaves.
        lock = tmp_path / "runner" / "vcenter" / "data"
        found = subprocess.run(["pgrep", "-f", f"--data-dir {lock}"], capture_output=True, text=True, check=False)
        for process in map(int, found.stdout.split()):
            os.kill(process, signal.SIGTERM)
        wait_until(
            lambda: not Path(f"/proc/{found.stdout.split()[0]}").exists() if found.stdout else True, "the server ends"
        )


def test_a_vcenter_that_does_not_start_fails_the_job_and_says_why(tmp_path: Path) -> None:
    own = {
        **clean_environment(),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "ACTION_ARGUMENTS": "--no-such-flag",
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
        "GITHUB_ENV": str(tmp_path / "variables"),
    }
    script = ROOT / "deploy" / "action" / "start.sh"
    done = subprocess.run([script], env=own, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "::error::the vCenter did not start" in done.stderr
    assert "--no-such-flag" in done.stderr
    assert not (tmp_path / "outputs").exists()
