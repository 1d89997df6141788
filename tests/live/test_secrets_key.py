"""The key of secrets: where it is from, and how one takes another's place, be it that somebody is killed meanwhile."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.live.test_secrets_at_rest import PASSWORD, SPECS, kept_password
from tests.support.cli import resphere
from tests.support.customizations import windows
from tests.support.server import Server, clean_environment

OLD, NEW = "11" * 32, "22" * 32


def key_file(path: Path, key: str) -> Path:
    path.write_text(key + "\n")
    path.chmod(0o600)
    return path


def keep(server: Server) -> None:
    with server.session() as client:
        spec = msgspec.to_builtins(windows(PASSWORD))
        made = client.post(SPECS, json={"name": "win", "description": "kept", "spec": spec})
        assert made.status_code == 201, made.text


def kept_keys(data: Path) -> list[Path]:
    """The files of keys of secrets. Those of the audit log and of tokens are beside them, whatever is given."""
    return list(data.glob("secrets*.key"))


def opens(server: Server) -> bool:
    server.start()
    with server.session() as client:
        found = kept_password(client) == PASSWORD
    server.stop()
    return found


@pytest.mark.parametrize("way", ["file", "environment", "command"])
def test_the_key_is_given_and_another_one_opens_nothing(tmp_path: Path, way: str) -> None:
    flags: list[str] = []
    environment = {}
    key = key_file(tmp_path / "key", OLD)
    if way == "file":
        flags = ["--secrets-key-file", str(key)]
    elif way == "command":
        flags = ["--secrets-key-command", f"cat '{key}'"]
    else:
        environment = {"RESPHERE_SECRETS_KEY": OLD}
    server = Server(tmp_path / "data", "--vms", "5", *flags, environment=environment)
    server.start()
    keep(server)
    server.stop()
    assert not kept_keys(tmp_path / "data")
    other = Server(tmp_path / "data", "--vms", "5", environment={"RESPHERE_SECRETS_KEY": NEW})
    with pytest.raises(RuntimeError, match="the key of secrets is not the one"):
        other.start()
    with pytest.raises(RuntimeError, match="the key of secrets is not the one"):
        Server(tmp_path / "data", "--vms", "5").start()
    (tmp_path / "data" / "secrets.key").unlink()
    assert opens(server)


def test_keys_rotate_between_a_file_of_the_store_s_and_one_that_is_given(tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = Server(data, "--vms", "5")
    with server:
        keep(server)
        refused = resphere("secrets", "rotate", "--data-dir", str(data))
        assert refused.returncode == 1
        assert "in use" in refused.stderr or "another server" in refused.stderr
    first = (data / "secrets.key").read_text()
    done = resphere("secrets", "rotate", "--data-dir", str(data))
    # The specification, and the key that signs tokens.
    assert done.stdout == "2 documents are encrypted by the new key\n", done.stderr
    second = (data / "secrets.key").read_text()
    assert first != second
    assert opens(server)
    new = key_file(tmp_path / "new", NEW)
    done = resphere("secrets", "rotate", "--new-key-file", str(new), "--data-dir", str(data))
    assert done.returncode == 0, done.stderr
    assert not kept_keys(data)
    given = Server(data, "--vms", "5", "--secrets-key-file", str(new))
    assert opens(given)
    # A key that was replaced is of no use any more.
    stale = resphere("inventory", "export", "--data-dir", str(data), RESPHERE_SECRETS_KEY=OLD)
    assert stale.returncode == 1
    assert "the key of secrets is not the one" in stale.stderr
    (data / "secrets.key").unlink(missing_ok=True)
    assert resphere("inventory", "export", "--data-dir", str(data), RESPHERE_SECRETS_KEY=NEW).returncode == 0
    back = resphere("secrets", "rotate", "--data-dir", str(data), RESPHERE_SECRETS_KEY=NEW)
    assert back.returncode == 0, back.stderr
    assert opens(server)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--secrets-key-file", "/nowhere"], "cannot read /nowhere"),
        (["--secrets-key-command", "/nowhere/at-all"], "cannot run it"),
        (["--secrets-key-command", "sh -c 'echo DEADBEEF; exit 3'"], "it ended with status 3"),
        (["--secrets-key-command", "echo DEADBEEF"], "64 hexadecimal digits"),
        (["--secrets-key-command", "true"], "64 hexadecimal digits"),
        (["--secrets-key-command", "true", "--secrets-key-file", "x"], "exclude each other"),
    ],
)
def test_what_is_no_key_is_refused_and_not_told(tmp_path: Path, flags: list[str], words: str) -> None:
    refused = resphere("serve", "--port", "0", "--data-dir", str(tmp_path / "data"), *flags)
    assert refused.returncode == 1
    assert words in refused.stderr
    assert "DEADBEEF" not in refused.stderr


@pytest.mark.parametrize(("old", "new"), [("own", "own"), ("own", NEW), (NEW, "own"), (OLD, NEW)])
def test_a_rotation_may_be_killed_at_any_step(tmp_path: Path, old: str, new: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.server.killed_rotations", str(tmp_path), old, new],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
