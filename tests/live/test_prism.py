"""The command line against a server that no one here wrote: Prism, which knows nothing but our OpenAPI document.

It checks what it is sent against the document, and answers with what the document says.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.commands import Shell
from tests.support.server import Client, Server, clean_environment, free_port

ROOT = Path(__file__).parents[2]
PRISM = ROOT / ".cache" / "prism" / "node_modules" / ".bin" / "prism"
SECONDS = 120
SERVED = {
    "/api/session": ("post", "delete"),
    "/api/vcenter/vm": ("get",),
    "/api/vcenter/vm/{vm}": ("delete",),
    "/api/vcenter/cluster": ("get",),
    "/api/vcenter/cluster/{cluster}": ("get",),
    "/api/vcenter/datacenter": ("get", "post"),
    "/api/vcenter/datastore": ("get",),
    "/api/vcenter/folder": ("get",),
    "/api/vcenter/network": ("get",),
    "/api/vcenter/resource-pool": ("get",),
    "/api/cis/tagging/tag": ("get",),
    "/api/cis/tagging/tag/{tag_id}": ("get",),
}
"""What Prism is given: it takes a minute and more to read everything."""

pytestmark = pytest.mark.skipif(
    not PRISM.exists() or shutil.which("node") is None,
    reason="Prism is not there: `make prism` fetches it where npm is",
)


def reduced(document: dict[str, Any]) -> dict[str, Any]:
    """The document with those paths alone, and what they refer to."""
    paths = {
        path: {name: part for name, part in document["paths"][path].items() if name in (*methods, "parameters")}
        for path, methods in SERVED.items()
    }
    kept: dict[str, dict[str, Any]] = {"securitySchemes": document["components"]["securitySchemes"]}

    def keep(part: Any) -> None:
        if isinstance(part, list):
            for each in part:
                keep(each)
        elif isinstance(part, dict):
            for name, each in part.items():
                if name != "$ref":
                    keep(each)
                    continue
                *_, kind, target = each.split("/")
                if target not in kept.setdefault(kind, {}):
                    kept[kind][target] = document["components"][kind][target]
                    keep(kept[kind][target])

    keep(paths)
    return {**document, "paths": paths, "components": kept}


@pytest.fixture(scope="module")
def prism(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prism that has our document."""
    file = tmp_path_factory.mktemp("prism") / "openapi.json"
    with Client(shared_server) as client:
        file.write_text(json.dumps(reduced(client.read("/api/openapi.json"))))
    port = str(free_port())
    command = [str(PRISM), "mock", "--errors", "--host", "127.0.0.1", "--port", port, str(file)]
    with subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            if not any("Prism is listening" in line for line in process.stdout):
                pytest.fail("Prism did not start")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture
def shell(prism: str, tmp_path: Path) -> Shell:
    """Somebody whose variables choose it."""
    variables = {"VSPHERE_SERVER": prism, "VSPHERE_USER": "ann", "VSPHERE_PASSWORD": "secret"}
    return Shell({**variables, "XDG_CONFIG_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("noun", "path"),
    [
        ("vm", "/api/vcenter/vm"),
        ("cluster", "/api/vcenter/cluster"),
        ("datacenter", "/api/vcenter/datacenter"),
        ("datastore", "/api/vcenter/datastore"),
        ("folder", "/api/vcenter/folder"),
        ("network", "/api/vcenter/network"),
        ("pool", "/api/vcenter/resource-pool"),
    ],
)
def test_lists_are_what_it_says(shell: Shell, prism: str, noun: str, path: str) -> None:
    said = requests.get(prism + path, headers={"vmware-api-session-id": "x"}, timeout=SECONDS)
    assert said.status_code == 200, said.text
    assert shell.done(noun, "ls", "-o", "json").json == said.json()
    assert len(shell.done(noun, "ls").lines) == 1 + len(said.json())


def test_what_takes_more_than_one_call(shell: Shell) -> None:
    assert shell.done("tag", "ls", "-o", "name").lines == ["string"]
    assert shell.done("vm", "ls", "string", "--power-states", "POWERED_OFF", "-o", "name").lines == ["string"]
    assert shell.done("cluster", "show", "string", "-o", "json").json["cluster"] == "string"
    assert shell.done("vm", "rm", "string", "--yes").out == ""


def test_what_it_does_not_know_is_a_sentence(shell: Shell) -> None:
    for arguments in (("host", "ls"), ("task", "ls"), ("vm", "power", "on", "string"), ("users", "ls")):
        done = shell(*arguments)
        assert (done.status, done.out) == (8, ""), done.err
        assert done.err.count("\n") == 1
    refused = shell("api", "POST", "/api/vcenter/datacenter", "--data", "{}")
    assert refused.status != 0
    assert "HTTP 422" in refused.err
