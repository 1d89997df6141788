"""Keys that others may read: nothing starts with them."""

from __future__ import annotations

import asyncio
import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from resphere.certificates.files import TlsError, ensure_certificates, given_certificates
from resphere.store.base import StoreError
from resphere.store.keys import KeyFiles

EXPOSED = (0o604, 0o644, 0o660, 0o620, 0o606, 0o601)
PRIVATE = (0o600, 0o400, 0o640, 0o440)


def now() -> datetime:
    return datetime.now(UTC)


def advice(path: Path) -> str:
    return f"chmod 600 {shlex.quote(str(path))}"


@pytest.mark.parametrize("mode", EXPOSED)
@pytest.mark.parametrize("name", ["ca.key", "server.key"])
def test_one_of_our_own_is_refused_and_the_advice_helps(tmp_path: Path, name: str, mode: int) -> None:
    folder = tmp_path / "a folder"
    ensure_certificates(folder, (), now)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / name).chmod(mode)
    with pytest.raises(TlsError) as refusal:
        ensure_certificates(folder, (), now)
    assert advice(folder / name) in str(refusal.value)
    subprocess.run(str(refusal.value).rpartition("by: ")[2], shell=True, check=True)
    ensure_certificates(folder, (), now)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("mode", EXPOSED)
def test_one_that_was_given_is_refused(tmp_path: Path, mode: int) -> None:
    files = ensure_certificates(tmp_path / "given", (), now)
    files.key.chmod(mode)
    with pytest.raises(TlsError, match=f"mode {mode:04o}"):
        given_certificates(files.certificate, files.key, tmp_path / "tls", now)


@pytest.mark.parametrize("mode", PRIVATE)
def test_the_owner_s_and_a_chosen_group_s_are_taken(tmp_path: Path, mode: int) -> None:
    files = ensure_certificates(tmp_path / "given", (), now)
    files.key.chmod(mode)
    assert given_certificates(files.certificate, files.key, tmp_path / "tls", now).key == files.key


def test_the_key_of_secrets_is_refused(tmp_path: Path) -> None:
    keys = KeyFiles(tmp_path, bytes)
    first = asyncio.run(keys.get("secrets", 32))
    (tmp_path / "secrets.key").chmod(0o644)
    with pytest.raises(StoreError, match="chmod 600"):
        asyncio.run(keys.get("secrets", 32))
    (tmp_path / "secrets.key").chmod(0o600)
    assert asyncio.run(keys.get("secrets", 32)) == first
