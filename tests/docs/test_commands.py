"""The commands that the documentation shows do what they are shown for: each page's, in the order of the page."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.ansible.test_playbooks import CACHE, PLAYBOOK
from tests.sdk.bindings import RELEASES, bindings
from tests.support.server import Server, clean_environment, free_port

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
TRY, CI = DOCS / "try.md", DOCS / "ci.md"
WITH_A_SERVER = (
    README,
    *(
        DOCS / f"{name}.md"
        for name in ("backup", "guests", "machines", "policies", "security", "simulate", "statistics", "tasks")
    ),
    TRY,
)
"""Pages whose commands speak to a server that runs, with what the README logs in by."""
ON_THEIR_OWN = (DOCS / "build.md",)
"""Pages that start a server themselves."""
SECONDS = 120
PORT = re.compile(r"(?<=127\.0\.0\.1:)8443\b|(?<=--port )8443\b")
PRELUDE = """\
set -euxo pipefail
trap 'kill $(jobs -p) 2> /dev/null || true' EXIT
curl() { command curl --fail-with-body "$@" | tee /dev/stderr; }
"""
"""A refused request, which curl takes for a success, ends the script; servers that it starts end with it."""

shell = [
    pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")
    for program in ("bash", "curl", "jq")
]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """What ``make run`` starts, which keeps ``resphere-data`` where it was typed."""
    with Server(tmp_path / "resphere-data", password=None) as server:
        yield server


class TestShell:
    """``bash`` blocks, run as one script."""

    pytestmark = shell

    @pytest.mark.parametrize("page", WITH_A_SERVER, ids=lambda page: page.name)
    def test_for_a_running_server(self, page: Path, server: Server) -> None:
        login, *more = blocks(README, "bash")
        commands = more if page is README else blocks(page, "bash")
        assert commands
        run([login, *commands], server.data_dir.parent, server.port)

    @pytest.mark.parametrize("page", ON_THEIR_OWN, ids=lambda page: page.name)
    def test_that_start_a_server(self, page: Path, tmp_path: Path) -> None:
        commands = blocks(page, "bash")
        assert commands
        run(commands, tmp_path, free_port())

    def test_the_last_step_of_the_pipeline(self, tmp_path: Path) -> None:
        (pipeline,) = blocks(CI, "yaml")
        step = textwrap.dedent(pipeline.rpartition("- run: |\n")[2])
        (tmp_path / ".venv").symlink_to(sys.prefix)
        run([step], tmp_path, free_port())


class TestPython:
    """``python`` blocks of the page that shows the ways in."""

    def test_with_requests(self, server: Server) -> None:
        script, _ = blocks(TRY, "python")
        output = run_python(script, server, {})
        assert "204" in output

    @pytest.mark.parametrize("release", RELEASES)
    def test_with_the_official_sdk(self, release: str, server: Server) -> None:
        _, script = blocks(TRY, "python")
        environment = {"PYTHONPATH": str(bindings(release)), "PYTHONWARNINGS": "ignore"}
        run_python(script, server, environment)
        assert "web-001 is on already" in run_python(script, server, environment)


@pytest.mark.skipif(not PLAYBOOK.exists(), reason="Ansible is not in .cache/ansible; `make ansible` fetches it")
def test_the_playbook(server: Server) -> None:
    (playbook,) = blocks(TRY, "yaml")
    folder = server.data_dir.parent
    (folder / "start.yml").write_text(playbook)
    (exports,) = [block for block in blocks(TRY, "bash") if "VMWARE_HOST" in block]
    environment = {
        "ANSIBLE_COLLECTIONS_PATH": str(CACHE),
        "ANSIBLE_HOME": str(folder / ".ansible"),
        "ANSIBLE_PYTHON_INTERPRETER": str(PLAYBOOK.parent / "python"),
        "LC_ALL": "C.UTF-8",
    }
    output = run([exports, f"{PLAYBOOK} start.yml\n"], folder, server.port, environment)
    assert "failed=0" in output


def test_no_command_is_shown_that_is_not_run() -> None:
    for page in [README, *DOCS.glob("*.md")]:
        language = "bash" if page in (*WITH_A_SERVER, *ON_THEIR_OWN) else "yaml" if page == CI else "none"
        text = page.read_text(encoding="utf-8")
        for block in blocks(page, language):
            text = text.replace(block, "")
        shown = re.findall(r"^ *(?:vc|curl|resphere|[A-Z]+=\$\(.*) .*$", text, re.MULTILINE)
        assert not shown, f"{page.name} shows commands that no test runs: {shown}"


def run(commands: Sequence[str], folder: Path, port: int, environment: Mapping[str, str] | None = None) -> str:
    """Run the blocks as one script against that port, as somebody pastes them; returns what was printed."""
    base = clean_environment()
    path = {"PATH": f"{Path(sys.executable).parent}:{base['PATH']}", "RESPHERE_PORT": str(port)}
    script = PRELUDE + re.sub(r"8444\b", str(free_port()), PORT.sub(str(port), "\n".join(commands)))
    return finish(["bash", "-c", script], folder, {**base, **path, **(environment or {})})


def run_python(script: str, server: Server, environment: Mapping[str, str]) -> str:
    """Run the script where the server was started; returns what it printed."""
    command = [sys.executable, "-c", PORT.sub(str(server.port), script)]
    return finish(command, server.data_dir.parent, {**clean_environment(), **environment})


def finish(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    """The output of a command that must succeed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}"
    return done.stdout
