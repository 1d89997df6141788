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
        (["serve", "--colour"], 2, "resphere serve: there is no flag --colour\n"),
        (["serve", "--prot", "8443"], 2, "resphere serve: there is no flag --prot; did you mean --port?\n"),
        (["serve", "--vm=40"], 2, "resphere serve: there is no flag --vm; did you mean --vms?\n"),
        (["serve", "--worker", "2"], 2, "resphere serve: there is no flag --worker; did you mean --workers?\n"),
        (["serve", "--no-list-limit"], 2, "did you mean --no-list-limits?"),
        (["serve", "8443"], 2, "resphere serve: there is no argument 8443\n"),
        (["serv"], 2, "there is no serv; did you mean serve?"),
        (["--port", "1", "serve"], 2, "resphere: --port stands behind the command: resphere serve --port\n"),
        (["--prot", "1", "serve"], 2, "resphere: there is no flag --prot\n"),
        (["--versoin"], 2, "did you mean --version?"),
        (["inventory", "exprot"], 2, "did you mean export?"),
        (["inventory", "export", "--data", "x"], 2, "there is no flag --data; did you mean --data-dir?"),
        (
            ["inventory", "--store", "x", "export"],
            2,
            "stands behind the command: resphere inventory export --store",
        ),
        (["user", "ad", "x"], 2, "did you mean add?"),
        (["coverage", "--operation"], 2, "did you mean --operations?"),
        (["serve", "--port"], 2, "--port"),
        (["serve", "--admin-password", "x"], 2, "--admin-password"),
        (["serve", "--port", "x"], 1, "--port"),
        (["serve", "--workers", "0"], 1, "--workers"),
        (["serve", "--tls-cert", "/nowhere"], 1, "--tls-key"),
        (["serve", "--vms", "-1"], 1, "--vms"),
        (["serve", "--hosts", "0"], 1, "--hosts"),
        (["serve", "--datacenters", "0"], 1, "--datacenters"),
        (["serve", "--durations", "/nowhere"], 1, "--durations"),
        (["serve", "--durations", "realstic"], 1, "there is no file realstic; did you mean realistic?"),
        (["serve", "--provider", "simulater"], 1, "did you mean simulator?"),
        (["serve", "--tls-name", "banana!"], 1, "'banana!' is neither a host name nor an address"),
        (["serve", "--tls-name", "-"], 1, "'-' is neither a host name nor an address"),
        (["serve", "--tls-name", "*"], 1, "'*' is neither a host name nor an address"),
        (["serve", "--data-dir", "/dev/null/x"], 1, "--data-dir: cannot make the folder /dev/null/x: Not a directory"),
        (["serve", "--log-dir", "/dev/null/x"], 1, "--log-dir: cannot make the folder /dev/null/x: Not a directory"),
        (["serve", "--faults", "/nowhere"], 1, "/nowhere"),
        (["serve", "--inventory", "/nowhere"], 1, "/nowhere"),
        (["serve", "--tls-cert", "/nowhere", "--tls-key", "/nowhere"], 1, "/nowhere"),
        (["serve", "--admin-password-file", "/nowhere"], 1, "/nowhere"),
        (["serve", "--admin-password-file", "/"], 1, "resphere: /: Is a directory\n"),
        (["serve", "--host", "nowhere.invalid"], 1, "--host nowhere.invalid"),
        (["explode"], 2, "explode"),
        ([], 2, "COMMAND"),
        (["user"], 2, "VERB"),
        (["user", "list"], 1, "--data-dir"),
        (["user", "add", ""], 1, "'' is no name of an account, such as auditor@vsphere.local"),
        (["user", "add", "a b"], 1, "'a b' is no name"),
        (["user", "add", "a:b@vsphere.local"], 1, "is no name"),
        (["user", "add", "a@b@c"], 1, "is no name"),
        (["inventory", "export"], 1, "--data-dir"),
    ],
)
def test_refusals(
    tmp_path: Path, arguments: list[str], status: int, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if arguments and status == 1 and "--data-dir" not in arguments:
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
    assert done.stderr == "resphere: RESPHERE_PORT must be a whole number, not 'many'\n"


@pytest.mark.parametrize("command", [["user", "list"], ["inventory", "export"], ["serve"]])
def test_a_misspelled_variable_is_told_by_every_command(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RESPHERE_DATADIR", "elsewhere")
    assert main(command) == 1
    assert (
        capsys.readouterr().err == "resphere: there is no setting RESPHERE_DATADIR; did you mean RESPHERE_DATA_DIR?\n"
    )


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
