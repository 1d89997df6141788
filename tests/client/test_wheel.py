"""The wheel as somebody gets it who does not want the server: installed where only the client's dependencies are."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.support.commands import environment
from tests.support.server import ADMINISTRATOR, PASSWORD, Server, clean_environment

ROOT = Path(__file__).parents[2]
MOST_MEGABYTES = 4
"""What ``docs/client.md`` says of the wheel is 2.8."""
ASK = textwrap.dedent(
    """
    import asyncio, sys
    from resphere.client import AsyncClient, Client
    from resphere.contract.generated.vcenter import VM

    url, ca, user, password = sys.argv[1:]
    with Client(url, user=user, password=password, ca_file=ca) as client:
        print(len(client.vcenter.vm.list()), len(list(client.every(VM.list, page_size=10))))

    async def ask():
        async with AsyncClient(url, user=user, password=password, ca_file=ca) as client:
            print(len(await client.vcenter.vm.list()))

    asyncio.run(ask())
    """
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built of a copy of the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", folder / "src", ignore=ignored)
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "--no-index"]
    subprocess.run([*command, "-w", folder / "out", folder], check=True, capture_output=True)
    (built,) = (folder / "out").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the wheel, and what the client depends on."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    for found in dependencies():
        for name in {str(file).split("/")[0] for file in found.files or () if ".." not in str(file)}:
            if not (packages / name).exists():
                (packages / name).symlink_to(Path(str(found.locate_file(name))))
    return folder / "bin" / "python"


def dependencies() -> Iterator[Distribution]:
    """What is installed here of what ``pip install resphere`` brings."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [Requirement(text) for text in project["dependencies"]]
    seen: set[str] = set()
    while wanted:
        requirement = wanted.pop()
        if requirement.name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(requirement.name)
        found = distribution(requirement.name)
        yield found
        wanted += [Requirement(text) for text in found.requires or ()]
        for extra in requirement.extras:
            wanted += [each for text in found.requires or () if (each := of_extra(text, extra))]


def of_extra(text: str, extra: str) -> Requirement | None:
    """What a distribution requires for an extra."""
    requirement = Requirement(text)
    if requirement.marker is None or not requirement.marker.evaluate({"extra": extra}):
        return None
    requirement.marker = None
    return requirement


def run(python: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**clean_environment(), **variables}
    return subprocess.run([python, "-I", *arguments], capture_output=True, text=True, env=environment, check=False)


def test_the_wheel_stays_small(wheel: Path) -> None:
    assert wheel.stat().st_size < MOST_MEGABYTES * 1_000_000


def test_both_clients_work_without_the_server(python: Path, shared_server: Server) -> None:
    where = (shared_server.url, str(shared_server.ca), ADMINISTRATOR, PASSWORD)
    done = run(python, "-W", "error", "-c", ASK, *where)
    assert done.returncode == 0, done.stderr
    counts = done.stdout.split()
    assert len(counts) == 3
    assert len(set(counts)) == 1


def test_the_server_is_not_there(python: Path) -> None:
    assert "No module named" in run(python, "-c", "import granian").stderr
    found = run(python, "-c", "import resphere.client, sys; print(resphere.client.__file__)").stdout
    assert str(python.parents[1]) in found


def test_the_command_line_works_without_the_server(python: Path, shared_server: Server, tmp_path: Path) -> None:
    variables = environment(tmp_path, shared_server)
    found = run(python, "-W", "error", "-m", "resphere", "vm", "ls", "web-001", "-o", "name", **variables)
    assert (found.returncode, found.stdout) == (0, "web-001\n"), found.stderr
    refused = run(python, "-m", "resphere", "serve")
    assert refused.returncode == 1
    assert refused.stderr.endswith("is not installed; pip install 'resphere[server]' has all of it\n")
    assert refused.stderr.count("\n") == 1
