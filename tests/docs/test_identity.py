"""The pages on other identity sources: what they show works, with a real directory and a real provider."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.test_commands import LDAP, OIDC, blocks
from tests.support.oidc_provider import OidcProvider, running_provider
from tests.support.server import Server, clean_environment
from tests.support.slapd import PASSWORD as USER_PASSWORD
from tests.support.slapd import READER_PASSWORD, running_slapd


def run(page: Path, server: Server, folder: Path, **environment: str) -> list[str]:
    """What each block of commands on a page says; none may fail."""
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed (Debian: jq)")
    path = f"{Path(sys.executable).parent}:{clean_environment()['PATH']}"
    given = {"H": f"127.0.0.1:{server.port}", "RESPHERE_DATA_DIR": str(server.data_dir), "PATH": path, **environment}
    said = []
    for commands in blocks(page, "bash"):
        done = subprocess.run(
            ["bash", "-c", f"set -euxo pipefail\n{commands}"],
            cwd=folder,
            env={**clean_environment(), **given},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        said.append(done.stdout)
    return said


def file_of(page: Path, *replaced: tuple[str, str]) -> str:
    """The file that a page shows, with the addresses of the test's servers."""
    [text] = blocks(page, "yaml")
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    return text


def flags_of(page: Path, file: Path) -> list[str]:
    """The flags by which a page starts the server, with the test's file of sources."""
    [flags] = re.findall(r"`resphere serve (.*?)`", page.read_text(encoding="utf-8"))
    return [str(file) if flag == file.name else flag for flag in shlex.split(flags)]


def test_the_page_on_ldap(tmp_path: Path) -> None:
    with running_slapd(tmp_path / "slapd") as slapd:
        servers = (("ldaps://ldap1.example.com", slapd.ldaps), ("ldap://ldap2.example.com", slapd.ldap))
        file = tmp_path / "identity-sources.yaml"
        file.write_text(file_of(LDAP, *servers))
        (tmp_path / "directory-ca.pem").write_text(slapd.ca)
        (tmp_path / "reader-password").write_text(READER_PASSWORD)
        with Server(tmp_path / "data", *flags_of(LDAP, file)) as server:
            checked, logged_in = run(LDAP, server, tmp_path, ALICE_PASSWORD=USER_PASSWORD)
            assert "answers, and takes cn=reader" in checked
            assert "  in staff@corp\n" in checked
            assert '"user":"alice@corp.example.com"' in logged_in


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    """A provider with a user."""
    with running_provider({"1": {"upn": "alice@corp.example.com", "groups": ["vc-admins"]}}) as running:
        yield running


def test_the_page_on_oidc(provider: OidcProvider, tmp_path: Path) -> None:
    file = tmp_path / "identity-sources.yaml"
    file.write_text(file_of(OIDC, ("https://idp.example.com", provider.issuer)))
    with Server(tmp_path / "data", *flags_of(OIDC, file)) as server:
        listed, called, exchanged = run(OIDC, server, tmp_path, TOKEN=provider.token("1"))
        assert f"issuer {provider.issuer}" in listed
        assert '"config_tag":"Oidc"' in listed
        assert '"user":"alice@corp.example.com"' in called
        assert '"name":"web-001"' in exchanged
        assert '"user":"alice@corp.example.com"' in exchanged
