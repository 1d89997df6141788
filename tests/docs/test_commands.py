"""The commands that the documentation shows do what they are shown for: each page's, in the order of the page."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ansible.test_playbooks import CACHE, PLAYBOOK
from tests.sdk.bindings import RELEASES, bindings
from tests.support.server import Server, clean_environment, free_port

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
TRY, CI, SAML, CONTENT = DOCS / "try.md", DOCS / "ci.md", DOCS / "authentication-saml.md", DOCS / "content.md"
WITH_A_SERVER = (
    README,
    *(
        DOCS / f"{name}.md"
        for name in (
            "appliance",
            "audit",
            "authentication",
            "authentication-saml",
            "backup",
            "bulk",
            "certificates",
            "commands",
            "concurrency",
            "content",
            "events",
            "faults",
            "guests",
            "inventories",
            "limits",
            "lists",
            "machines",
            "metadata",
            "observe",
            "permissions",
            "policies",
            "recipes",
            "schedules",
            "secrets",
            "security",
            "simulate",
            "start-exploring",
            "statistics",
            "tasks",
            "testing",
        )
    ),
    TRY,
)
"""Pages whose commands speak to a server that runs, with what the README logs in by."""
LDAP, OIDC = DOCS / "authentication-ldap.md", DOCS / "authentication-oidc.md"
"""Pages whose commands need a directory and a provider: test_identity.py runs them."""
ON_THEIR_OWN = (DOCS / "build.md", DOCS / "start-operating.md", DOCS / "start-testing.md")
"""Pages that start a server themselves."""
STARTS = re.compile(r"^\S*resphere serve .*&$", re.MULTILINE)
WAITS = re.compile(r"^while .*; done", re.MULTILINE)
STARTING = tuple(
    page for page in sorted(DOCS.glob("*.md")) if re.search(r"resphere serve .*&$", page.read_text(), re.M)
)
"""Pages that start a server in the background."""
SECONDS = 120
PORT = re.compile(r"(?<=127\.0\.0\.1:)8443\b")
"""Where ``make run`` serves."""
SEPARATE_PORT = re.compile(r"(?<=port: )8443\b")
EXPORTS = re.compile(r"^export (?:VMWARE_HOST|REQUESTS_CA_BUNDLE)=", re.MULTILINE)
"""What Ansible and its modules take from the environment."""
OWN_PORT = re.compile(r"(?<=--port )(?!8443)84\d\d\b")
"""Where a page starts a server of its own."""
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


def last_step(folder: Path) -> str:
    """The commands of the pipeline's last step, for which the steps before it have set ``folder`` up."""
    (folder / "resphere").mkdir()
    (folder / "resphere" / ".venv").symlink_to(sys.prefix)
    steps = steps_of_the_pipeline()
    assert steps[-2] == {"run": "make -C resphere install"}
    step: str = steps[-1]["run"]
    return step


def steps_of_the_pipeline() -> list[dict[str, Any]]:
    """What a runner does one after the other."""
    (pipeline,) = blocks(CI, "yaml")
    steps: list[dict[str, Any]] = yaml.safe_load(pipeline)["steps"]
    return steps


def test_the_pipeline_fetches_this_repository_and_not_the_readers() -> None:
    fetched = {step["with"]["path"]: step["with"]["repository"] for step in steps_of_the_pipeline() if "with" in step}
    assert fetched == {"resphere": "your-name/resphere"}


def test_each_page_starts_its_server_at_a_port_of_its_own() -> None:
    ports = [
        (re.findall(r"--port (\d+)", line) or ["8443"])[0]
        for page in [README, *DOCS.glob("*.md")]
        for line in page.read_text(encoding="utf-8").splitlines()
        if STARTS.match(line.strip())
    ]
    assert len(ports) == len(STARTING)
    assert len({"8443", *ports}) == len(ports) + 1, "`make run` is at 8443, and each of the others elsewhere"


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
        done = run([last_step(tmp_path)], tmp_path, free_port())
        assert re.search(r'"[0-9a-f]{64}"', done)

    def test_where_a_server_at_a_free_port_is(self, tmp_path: Path) -> None:
        (command,) = re.findall(r"`(URL=\$\(.*?\))`", CI.read_text(encoding="utf-8"))
        step = OWN_PORT.sub("0", last_step(tmp_path)).replace("https://127.0.0.1:8446", "$URL")
        start, _, ask = step.rpartition("curl")
        done = run([f"{start}\n{command}\ncurl {ask}"], tmp_path, free_port())
        assert re.search(r'"[0-9a-f]{64}"', done)

    @pytest.mark.parametrize("page", STARTING, ids=lambda page: page.name)
    def test_waiting_ends_when_the_start_fails(self, page: Path, tmp_path: Path) -> None:
        """The port is taken. What is waited for would never come."""
        started = last_step(tmp_path) if page == CI else next(b for b in blocks(page, "bash") if STARTS.search(b))
        start, stop = STARTS.search(started), WAITS.search(started)
        assert start is not None, page.name
        assert stop is not None, page.name
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            commands = OWN_PORT.sub(str(port), started[start.start() : stop.end()])
            done = run_shell([commands, "echo waited"], tmp_path)
        assert f"cannot listen on --host 127.0.0.1 --port {port}: Address already in use" in done.stdout
        assert "\nwaited\n" in done.stdout


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

    @pytest.mark.parametrize("release", RELEASES)
    def test_with_the_official_sdk_by_a_token(self, release: str, server: Server) -> None:
        (script,) = blocks(SAML, "python")
        login = blocks(README, "bash")[0]
        run([login, *blocks(SAML, "bash")], server.data_dir.parent, server.port)
        environment = {"PYTHONPATH": str(bindings(release)), "PYTHONWARNINGS": "ignore"}
        assert "39 machines" in run_python(script, server, environment)


@pytest.mark.skipif(not PLAYBOOK.exists(), reason="Ansible is not in .cache/ansible; `make ansible` fetches it")
def test_the_playbook(server: Server) -> None:
    assert "failed=0" in played(server, TRY, {})


@pytest.mark.skipif(
    not (CACHE / "ansible_collections/vmware/vmware").is_dir(),
    reason="the collection vmware.vmware is not in .cache/ansible; `make ansible` fetches it",
)
def test_the_playbook_of_libraries(server: Server) -> None:
    first, second = [played(server, CONTENT, {"PYTHONPATH": str(bindings(RELEASES[-1]))}) for _ in range(2)]
    assert "failed=0" in first
    assert "changed=3 " in first
    assert "failed=0" in second
    assert "changed=0 " in second


def played(server: Server, page: Path, variables: Mapping[str, str]) -> str:
    """What Ansible prints when it plays the page's playbook, with what the pages export."""
    (playbook,) = blocks(page, "yaml")
    folder = server.data_dir.parent
    (folder / "start.yml").write_text(PORT.sub(str(server.port), SEPARATE_PORT.sub(str(server.port), playbook)))
    exports = [block for each in {TRY, page} for block in blocks(each, "bash") if EXPORTS.search(block)]
    environment = {
        **variables,
        "ANSIBLE_COLLECTIONS_PATH": str(CACHE),
        "ANSIBLE_HOME": str(folder / ".ansible"),
        "ANSIBLE_PYTHON_INTERPRETER": str(PLAYBOOK.parent / "python"),
        "LC_ALL": "C.UTF-8",
    }
    return run([*exports, f"{PLAYBOOK} start.yml\n"], folder, server.port, environment)


def test_no_command_is_shown_that_is_not_run() -> None:
    for page in [README, *DOCS.glob("*.md")]:
        languages = ("bash",) if page in (*WITH_A_SERVER, *ON_THEIR_OWN, LDAP, OIDC, CI) else ()
        text = page.read_text(encoding="utf-8")
        for block in (
            block for each in (*languages, *(("yaml",) if page == CI else ())) for block in blocks(page, each)
        ):
            text = text.replace(block, "")
        shown = re.findall(r"^ *(?:vc|curl|resphere|[A-Z]+=\$\(.*) .*$", text, re.MULTILINE)
        assert not shown, f"{page.name} shows commands that no test runs: {shown}"


def run(commands: Sequence[str], folder: Path, port: int, environment: Mapping[str, str] | None = None) -> str:
    """Run the blocks as one script against that port, as somebody pastes them; returns what was printed."""
    script = PORT.sub(str(port), "\n".join(commands))
    for own in {*OWN_PORT.findall(script)}:
        script = re.sub(rf"\b{own}\b", str(free_port()), script)
    done = run_shell([script], folder, environment)
    assert done.returncode == 0, f"{script}\n{done.stdout}"
    return done.stdout


def run_shell(
    commands: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the commands in a shell that finds ``resphere``."""
    base = clean_environment()
    path = {"PATH": f"{Path(sys.executable).parent}:{base['PATH']}", "XDG_CONFIG_HOME": str(folder / ".config")}
    return finish(["bash", "-c", "\n".join([PRELUDE, *commands])], folder, {**base, **path, **(environment or {})})


def run_python(script: str, server: Server, environment: Mapping[str, str]) -> str:
    """Run the script where the server was started; returns what it printed."""
    command = [sys.executable, "-c", PORT.sub(str(server.port), script)]
    done = finish(command, server.data_dir.parent, {**clean_environment(), **environment})
    assert done.returncode == 0, f"{script}\n{done.stdout}"
    return done.stdout


def finish(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """How a command ended, which has so many seconds."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
