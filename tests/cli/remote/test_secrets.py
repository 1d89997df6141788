"""What opens servers is kept in a keyring, or in a file that nobody else may read."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from resphere.cli.exits import Ended
from resphere.cli.remote.secrets import InFile, InKeyring, Kept, Secrets

FILE = "secrets.json"


class Locked(Exception):
    """The keyring is locked."""


class Ring:
    """A keyring in memory, as the library has them."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, name: str) -> str | None:
        self._look()
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, secret: str) -> None:
        self._look()
        self.kept[service, name] = secret

    def delete_password(self, service: str, name: str) -> None:
        self._look()
        del self.kept[service, name]

    def _look(self) -> None:
        if self.locked:
            raise Locked("unlock it first")


@pytest.fixture(params=["file", "keyring"])
def secrets(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Secrets:
    """A place for secrets, of each kind."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "resphere").mkdir()
    return InFile() if request.param == "file" else InKeyring(Ring(), "memory", Locked)


def test_what_is_kept_comes_back_and_goes(secrets: Secrets) -> None:
    assert secrets.get("a") == Kept()
    secrets.set("a", Kept())
    secrets.set("a", Kept("session", "pass word"))
    secrets.set("b", Kept("other"))
    assert secrets.get("a") == Kept("session", "pass word")
    secrets.set("a", Kept("anew"))
    secrets.set("b", Kept())
    assert (secrets.get("a"), secrets.get("b")) == (Kept("anew"), Kept())


def test_a_file_is_private_whole_and_one_of_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "resphere").mkdir()
    InFile().set("a", Kept("session"))
    file = tmp_path / "resphere" / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == [FILE]
    file.write_text("[]")
    with pytest.raises(Ended, match="is not a file of secrets"):
        InFile().get("a")
    file.chmod(0o640)
    with pytest.raises(Ended, match="is not a file of secrets"):
        InFile().get("a")
    file.chmod(0o604)
    with pytest.raises(Ended, match="chmod 600"):
        InFile().get("a")


def test_a_locked_keyring_is_told() -> None:
    ring = Ring()
    secrets = InKeyring(ring, "memory", Locked)
    ring.kept["resphere", "b"] = "of another program"
    with pytest.raises(Ended, match="has something else"):
        secrets.get("b")
    ring.locked = True
    with pytest.raises(Ended, match="unlock it first"):
        secrets.get("a")
    with pytest.raises(Ended, match="unlock it first"):
        secrets.set("a", Kept("session"))
