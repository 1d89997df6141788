"""The files by which it is deployed: as their own checkers like them, and about settings and paths that there are.

What needs a daemon (an image that is built, a cluster, systemd as the first process) is not run here: docs/deploy.md
says so. What is in them is run by ``tests/live/test_deployed.py``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from resphere.probe import LIVE, READY
from resphere.server.settings import all_settings, variable

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BIN = ROOT / ".cache" / "packaging" / "venv" / "bin"
KUBERNETES = sorted(DEPLOY.glob("kubernetes/*.yaml"))
RELEASES = ("1.29", "1.33")
VARIABLES = {variable(setting.name) for setting in all_settings()}
MOST_EXPOSED = 15
"""In tenths, as systemd counts: 0 is best, 100 worst."""


def checked(tool: str, *arguments: str | Path) -> str:
    """What a checker says that has nothing to blame."""
    if not (BIN / tool).exists():
        pytest.skip(f"there is no {tool} here: make packaging")
    done = subprocess.run([BIN / tool, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def containerfile(instruction: str) -> list[str]:
    """What stands after each instruction of that name, its lines joined."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return re.findall(rf"^{instruction} +(.*)$", text, re.MULTILINE)


def test_the_containerfile() -> None:
    checked("hadolint", "--failure-threshold", "style", DEPLOY / "Containerfile")
    # Nothing is copied that the list of what is not ignored lacks.
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [name for line in containerfile("COPY") if "--from" not in line for name in line.split()[:-1]]
    assert set(copied) == let_in
    assert all((ROOT / name).exists() for name in copied)
    assert containerfile("USER") == ["10001:10001"]


def test_the_scripts() -> None:
    checked("shellcheck", *DEPLOY.glob("action/*.sh"), ROOT / ".ci" / "run")
    assert all(os.access(path, os.X_OK) for path in DEPLOY.glob("action/*.sh"))


def test_the_action() -> None:
    checked("check-jsonschema", "--builtin-schema", "vendor.github-actions", ROOT / "action.yml")
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    steps = action["runs"]["steps"]
    given = set(re.findall(r"inputs\.(\w+)", str(steps)))
    assert given == set(action["inputs"])
    scripts = "".join(path.read_text() for path in DEPLOY.glob("action/*.sh"))
    assert {name for step in steps for name in step["env"]} == set(re.findall(r"\$\{?(ACTION_\w+)", scripts))
    # What a caller gives is handed over in the environment, and never becomes a part of a script.
    assert all("${{" not in step["run"] for step in steps)
    assert set(re.findall(r'echo "(\w+)=', scripts.partition("GITHUB_OUTPUT")[0].rpartition("{\n")[2])) == set(
        action["outputs"]
    )


def test_the_compose_file() -> None:
    checked("check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")
    [service] = documents(DEPLOY / "compose.yaml")[0]["services"].values()
    assert set(service["environment"]) <= VARIABLES
    assert (ROOT / "deploy" / service["build"]["context"] / service["build"]["dockerfile"]).exists()
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("release", RELEASES)
def test_the_manifests(release: str) -> None:
    manifests = [path for path in KUBERNETES if path.name != "kustomization.yaml"]
    said = checked("kubernetes-validate", "--strict", "-k", release, *manifests)
    assert said.count(" passed ") == sum(len(documents(path)) for path in manifests)


def test_the_manifests_fit_together() -> None:
    [kustomization] = documents(DEPLOY / "kubernetes" / "kustomization.yaml")
    present = {path.name for path in KUBERNETES}
    assert set(kustomization["resources"]) == present - {"kustomization.yaml", "secret.example.yaml"}
    [server] = documents(DEPLOY / "kubernetes" / "statefulset.yaml")
    pod = server["spec"]["template"]
    [container] = pod["spec"]["containers"]
    assert {each["name"] for each in container["env"]} <= VARIABLES
    paths = {container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert paths == {LIVE, READY}
    numbers = pod["spec"]["securityContext"]
    assert containerfile("USER") == [f"{numbers['runAsUser']}:{numbers['runAsGroup']}"]
    assert containerfile("EXPOSE") == [str(container["ports"][0]["containerPort"])]
    assert {each["mountPath"] for each in container["volumeMounts"]} >= set(containerfile("VOLUME"))
    [secret] = documents(DEPLOY / "kubernetes" / "secret.example.yaml")
    files = {Path(each["value"]).name for each in container["env"] if each["value"].startswith("/run/secrets/")}
    assert files == set(secret["stringData"])
    for path in KUBERNETES:
        for each in documents(path):
            selected = str(each.get("spec", {}).get("selector", {}).get("matchLabels", pod["metadata"]["labels"]))
            assert selected == str(pod["metadata"]["labels"]), path.name


def test_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("there is no systemd-analyze here (Debian: systemd)")
    text = (DEPLOY / "systemd" / "resphere.service").read_text(encoding="utf-8")
    set_there = re.findall(r"^Environment=(\w+)=", text, re.MULTILINE)
    assert set(set_there) <= VARIABLES
    unit = tmp_path / "resphere.service"
    # What it starts must be there.
    unit.write_text(re.sub("^(Exec.*=)/opt/resphere/bin/[a-z]+", r"\1/bin/true", text, flags=re.MULTILINE))
    done = subprocess.run([analyze, "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    blamed = [line for line in (done.stdout + done.stderr).splitlines() if "resphere" in line]
    assert not blamed
    exposed = ("--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED}")
    done = subprocess.run([analyze, "security", *exposed, unit], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_an_installation_consists_of_is_told(tmp_path: Path) -> None:
    # As make sbom has it, of an environment that is quickly made and has nothing.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    flags = re.findall(r"cyclonedx-py (environment .*?) \\\n\t+(.*?) -o", (ROOT / "Makefile").read_text("utf-8"))
    [(first, second)] = flags
    said = checked("cyclonedx-py", *first.split(), *second.split(), tmp_path / "venv" / "bin" / "python")
    found = json.loads(said[said.index("{") : said.rindex("}") + 1])
    assert found["metadata"]["component"]["name"] == "resphere"
