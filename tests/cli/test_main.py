"""The command line: exit status 0 for done, 1 for failed, 2 for called wrongly, and plain words for all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from resphere import __version__
from resphere.cli.main import main
from tests.support.cli import resphere
from tests.support.server import clean_environment


@pytest.mark.parametrize(
    ("arguments", "status", "named"),
    [
        (["serve", "--colour"], 2, "--colour"),
        (["serve", "--port"], 2, "--port"),
        (["serve", "--admin-password", "x"], 2, "--admin-password"),
        (["serve", "--port", "x"], 1, "--port"),
        (["serve", "--workers", "0"], 1, "--workers"),
        (["serve", "--tls-cert", "/nowhere"], 1, "--tls-key"),
        (["serve", "--vms", "-1"], 1, "--vms"),
        (["serve", "--hosts", "0"], 1, "--hosts"),
        (["serve", "--datacenters", "0"], 1, "--datacenters"),
        (["serve", "--durations", "/nowhere"], 1, "--durations"),
        (["serve", "--faults", "/nowhere"], 1, "/nowhere"),
        (["serve", "--inventory", "/nowhere"], 1, "/nowhere"),
        (["serve", "--tls-cert", "/nowhere", "--tls-key", "/nowhere"], 1, "/nowhere"),
        (["serve", "--admin-password-file", "/nowhere"], 1, "/nowhere"),
        (["serve", "--host", "nowhere.invalid"], 1, "--host nowhere.invalid"),
        (["explode"], 2, "explode"),
        ([], 2, "COMMAND"),
        (["user", "add", "x", "--role", "Root"], 2, "Root"),
        (["user"], 2, "VERB"),
        (["user", "list"], 1, "--data-dir"),
        (["inventory", "export"], 1, "--data-dir"),
    ],
)
def test_refusals(
    tmp_path: Path, arguments: list[str], status: int, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if arguments and status == 1:
        arguments = [*arguments, "--data-dir", str(tmp_path / "data")]
    if arguments[:1] == ["serve"] and "--port" not in arguments:
        arguments = [*arguments, "--port", "0"]
    if status == 2:
        with pytest.raises(SystemExit, match="2"):
            main(arguments)
    else:
        assert main(arguments) == status
    shown = capsys.readouterr()
    assert named in shown.err
    assert shown.out == ""


def test_a_bad_value_as_a_process() -> None:
    done = resphere("serve", RESPHERE_PORT="many")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "resphere: --port: Expected `int`, got `str`\n"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"resphere {__version__}\n"


def test_coverage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", "--operations"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert "com.vmware.vcenter.VM.list" in listed
    assert "resphere.vcenter.vm.snapshots.create" in listed
    assert main(["coverage"]) == 0
    assert "used by clients" in capsys.readouterr().out


def test_a_reader_that_stops_is_no_failure_to_tell_of() -> None:
    writing = subprocess.Popen(
        [sys.executable, "-m", "resphere", "coverage"],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert writing.stdout is not None
    assert writing.stderr is not None
    writing.stdout.close()
    assert writing.stderr.read() == ""
    assert writing.wait(60) == 141
    writing.stderr.close()
