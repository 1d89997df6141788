"""curl, as the README and docs/try.md use it: log in, list, be refused."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.server import ADMINISTRATOR, PASSWORD, Server, clean_environment

TRY = Path(__file__).parents[2] / "docs" / "try.md"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def curl(server: Server, path: str, *arguments: str) -> tuple[int, str]:
    """Status and body; the server's CA is trusted."""
    done = subprocess.run(
        ["curl", "-q", "-sS", "--cacert", server.ca, "-w", "\n%{http_code}", *arguments, server.url + path],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def session(server: Server) -> str:
    """The header of a new session."""
    status, body = curl(server, "/api/session", "-u", f"{ADMINISTRATOR}:{PASSWORD}", "-X", "POST")
    assert status == 201
    return f"vmware-api-session-id: {json.loads(body)}"


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_lists_virtual_machines(shared_server: Server, version: str) -> None:
    query = ["-G", "--data-urlencode", "names=web-001", "--compressed", version]
    status, body = curl(shared_server, "/api/vcenter/vm", "-H", session(shared_server), *query)
    assert status == 200
    assert [vm["name"] for vm in json.loads(body)] == ["web-001"]


def test_an_error_is_an_object(shared_server: Server) -> None:
    status, body = curl(shared_server, "/api/vcenter/vm/vm-none", "-H", session(shared_server))
    assert status == 404
    assert json.loads(body)["error_type"] == "NOT_FOUND"


def test_a_wrong_password_is_refused(shared_server: Server) -> None:
    status, body = curl(shared_server, "/api/session", "-u", f"{ADMINISTRATOR}:wrong", "-X", "POST")
    assert status == 401
    assert json.loads(body)["error_type"] == "UNAUTHENTICATED"


def test_curls_own_content_type_is_refused_in_words(shared_server: Server) -> None:
    header = session(shared_server)
    status, body = curl(shared_server, "/api/vcenter/vm/vm-none/hardware/cpu", "-X", "PATCH", "-d", "{}", "-H", header)
    assert status in (400, 404)
    status, body = curl(shared_server, "/api/vcenter/vm", "-d", "{}", "-H", header)
    assert status == 400
    assert "application/json" in json.loads(body)["messages"][0]["default_message"]


def test_plain_http_at_the_port_of_tls_ends_as_the_page_says(shared_server: Server) -> None:
    """And does the server no harm."""
    done = subprocess.run(
        ["curl", "-q", "-sS", shared_server.url.replace("https", "http")],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    said = done.stderr.strip().partition(") ")[2]
    assert f"`{said}`" in TRY.read_text(encoding="utf-8")
    assert curl(shared_server, "/api")[0] == 401
