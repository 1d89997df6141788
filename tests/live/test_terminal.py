"""The command line at a terminal: questions, bars, tables as wide as it is; and its start, completion and pipes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Shell, environment
from tests.support.server import ADMINISTRATOR, PASSWORD, Server, clean_environment
from tests.support.terminal import Terminal, at_terminal

SECONDS = 60
ASK = """
import sys
from resphere.cli.main import main
try:
    main({arguments})
except SystemExit:
    print(*sys.modules, file=sys.stderr)
"""


@pytest.fixture
def variables(shared_server: Server, tmp_path: Path) -> dict[str, str]:
    """Variables that choose the server."""
    return environment(tmp_path, shared_server)


@pytest.fixture
def vm(variables: dict[str, str], request: pytest.FixtureRequest) -> Iterator[str]:
    """A VM of the test's own, which is gone afterwards."""
    shell = Shell(variables)
    name = request.node.name
    pool = shell.done("pool", "ls", "-o", "jsonpath=$[0].resource_pool").lines[0]
    folder = shell.done("folder", "ls", "--type", "virtual-machine", "-o", "jsonpath=$[0].folder").lines[0]
    shell.done("vm", "create", name, "--guest-os", "dos", "--resource-pool", pool, "--folder", folder)
    yield name
    shell("vm", "rm", f"{name}*", "--yes")


def test_a_question_is_asked_and_heeded(vm: str, variables: dict[str, str]) -> None:
    with Terminal("vm", "rm", vm, columns=200, environment=variables) as terminal:
        terminal.expect(f"Delete virtual machines with their disks: {vm}? [y/N] ")
        terminal.enter("")
        assert terminal.wait() == 9
        assert "nothing was done" in terminal.text
    assert Shell(variables).done("vm", "ls", vm, "-o", "name").lines == [vm]
    with Terminal("vm", "rm", vm, columns=200, environment=variables) as terminal:
        terminal.expect("[y/N] ")
        terminal.enter("y")
        assert terminal.wait() == 0
        assert f"{vm}: deleted" in terminal.text
    assert Shell(variables)("vm", "ls", vm).status == 3


def test_a_bar_is_shown_while_a_task_runs(vm: str, variables: dict[str, str]) -> None:
    status, shown, text = at_terminal("vm", "clone", vm, f"{vm}-clone", environment=variables, columns=120)
    assert status == 0
    assert "100 %" in text
    assert "\x1b[?25h" in shown, "the cursor is there again"
    assert text.splitlines()[-1].startswith("vm-")


def test_a_password_is_asked_for_and_not_shown(shared_server: Server, tmp_path: Path) -> None:
    arguments = ("login", shared_server.url, "--ca-file", str(shared_server.ca), "--context", "lab")
    with Terminal(*arguments, environment=environment(tmp_path)) as terminal:
        terminal.expect("User at ")
        terminal.enter(ADMINISTRATOR)
        terminal.expect("Password of ")
        terminal.enter(PASSWORD)
        assert terminal.wait() == 0
        assert PASSWORD not in terminal.text
    Shell(environment(tmp_path)).done("logout")


def test_tables_are_as_wide_as_the_terminal(variables: dict[str, str]) -> None:
    _, wide, text = at_terminal("roles", "ls", environment=variables, columns=160)
    assert "\x1b[1m" in wide
    assert max(map(len, text.splitlines())) <= 160
    _, _, narrow = at_terminal("roles", "ls", environment=variables, columns=40)
    assert max(map(len, narrow.splitlines())) <= 40
    assert "Admin" in narrow
    _, plain, _ = at_terminal("vm", "ls", environment={**variables, "NO_COLOR": "1"}, columns=80)
    assert "\x1b[32m" not in plain


def test_nothing_that_serves_is_loaded() -> None:
    heavy = ("resphere.server", "resphere.services", "resphere.store", "granian", "cryptography", "rich")
    for arguments, unloaded in (
        (["--help"], (*heavy, "resphere.contract", "httpx2")),
        (["vm", "ls", "--help"], heavy[:-1]),
    ):
        done = subprocess.run(
            [sys.executable, "-c", ASK.format(arguments=arguments)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
        assert "usage: resphere" in done.stdout
        loaded = done.stderr.split()
        assert not [name for name in loaded if name.startswith(unloaded)], arguments


def test_names_are_completed_from_the_server(variables: dict[str, str]) -> None:
    shell = Shell(variables)

    def words(*typed: str) -> list[str]:
        return shell.done("completion", "words", "--", *typed).lines

    assert {"vm", "login", "serve"} <= set(words(""))
    assert words("vm", "power", "of") == ["off"]
    assert words("vm", "show", "web-00") == [f"web-00{number}" for number in range(1, 9)]
    assert words("vm", "ls", "--power-states", "POWERED_O") == ["POWERED_OFF", "POWERED_ON"]
    assert words("vm", "ls", "--pow") == ["--power-states"]
    assert "DC01-Cluster01" in words("vm", "ls", "--clusters", "")
    assert words("serve", "--por") == ["--port"]
    assert words("call", "vcenter.vm.power.st") == ["vcenter.vm.power.start", "vcenter.vm.power.stop"]
    assert {"json", "wide"} <= set(words("vm", "ls", "-o", ""))
    assert words("user", "li") == ["list"]
    assert Shell({"XDG_CONFIG_HOME": "/nowhere"}).done("completion", "words", "--", "vm", "show", "").out == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_takes_its_script(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / f"resphere.{shell}"
    script.write_text(Shell({}).done("completion", shell).out)
    (tmp_path / "resphere").symlink_to(Path(sys.executable).parent / "resphere")
    ask = {
        "bash": f'source {script}; COMP_WORDS=(resphere vm power o); COMP_CWORD=3; _resphere; echo "${{COMPREPLY[@]}}"',
        "zsh": f"autoload -Uz compinit; compinit -u -d {tmp_path}/dump; source {script}; whence -w _resphere",
        "fish": f"source {script}; complete -C 'resphere vm power o'",
    }[shell]
    path = f"{tmp_path}:{clean_environment()['PATH']}"
    done = subprocess.run(
        [shell, "-c", ask],
        env={**clean_environment(), "PATH": path},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    assert done.stdout.split() == (["_resphere:", "function"] if shell == "zsh" else ["off", "on"])
