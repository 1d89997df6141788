"""What opens servers: ids of sessions, and passwords where somebody wants them kept. In the system's keyring where the
library ``keyring`` is installed and finds one, else in a file that nobody else may read."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Protocol

import msgspec

from resphere.cli.exits import Ended, Exit
from resphere.cli.remote.contexts import folder, write_private
from resphere.private_files import Exposed, require_private

SERVICE = "resphere"
FILE = "secrets.json"


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of one context."""

    session: str | None = None
    password: str | None = None


class Secrets(Protocol):
    """A place for secrets."""

    place: str
    """Where they are, in words."""

    def get(self, context: str) -> Kept:
        """What is kept of a context; nothing where nothing is."""

    def set(self, context: str, kept: Kept) -> None:
        """Keep it in place of what was kept; of nothing, nothing is left."""


class InFile:
    """Secrets in a file of mode 0600."""

    def __init__(self) -> None:
        self._path = folder() / FILE
        self.place = str(self._path)

    def get(self, context: str) -> Kept:
        """As in :class:`Secrets`."""
        return self._all().get(context, Kept())

    def set(self, context: str, kept: Kept) -> None:
        """As in :class:`Secrets`."""
        found = {name: other for name, other in self._all().items() if name != context}
        if kept != Kept():
            found[context] = kept
        if found or self._path.exists():
            write_private(self._path, msgspec.json.encode(found))

    def _all(self) -> dict[str, Kept]:
        try:
            require_private(self._path)
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, Kept])
        except FileNotFoundError:
            return {}
        except Exposed as error:
            raise Ended(str(error)) from error
        except msgspec.DecodeError as error:
            raise Ended(f"{self._path} is not a file of secrets: {error}") from error


class Keyring(Protocol):
    """What is used of the library ``keyring``."""

    def get_password(self, service: str, name: str) -> str | None:
        """The secret."""

    def set_password(self, service: str, name: str, secret: str) -> None:
        """Keep a secret."""

    def delete_password(self, service: str, name: str) -> None:
        """Forget a secret."""


class InKeyring:
    """Secrets in the keyring of the system."""

    def __init__(self, keyring: Keyring, place: str, failure: type[Exception]) -> None:
        self._keyring = keyring
        self._failure = failure
        self.place = place

    def get(self, context: str) -> Kept:
        """As in :class:`Secrets`."""
        try:
            text = self._keyring.get_password(SERVICE, context)
        except self._failure as error:
            raise Ended(f"the keyring cannot be read: {error}") from error
        try:
            return Kept() if text is None else msgspec.json.decode(text, type=Kept)
        except msgspec.DecodeError as error:
            raise Ended(f"the keyring has something else under {SERVICE}, {context}: {error}") from error

    def set(self, context: str, kept: Kept) -> None:
        """As in :class:`Secrets`."""
        try:
            if kept != Kept():
                self._keyring.set_password(SERVICE, context, msgspec.json.encode(kept).decode())
            elif self._keyring.get_password(SERVICE, context) is not None:
                self._keyring.delete_password(SERVICE, context)
        except self._failure as error:
            raise Ended(f"the keyring cannot be written: {error}") from error


def secrets_of(keyring: bool) -> Secrets:
    """Where they were kept: looking for keyrings takes longer than most commands do, so that it is done once.

    :raises Ended: the keyring is not there any more.
    """
    if not keyring:
        return InFile()
    found = found_keyring()
    if found is None:
        raise Ended("what opens the server is in a keyring that is not here; log in again", Exit.NOT_ALLOWED)
    return found


def found_keyring() -> Secrets | None:
    """The keyring, where there is one that keeps anything."""
    if importlib.util.find_spec("keyring") is None:
        return None
    library = importlib.import_module("keyring")
    backend = library.get_keyring()
    if backend.priority <= 0:  # those that refuse everything, or forget it
        return None
    return InKeyring(library, f"the keyring ({backend.name})", importlib.import_module("keyring.errors").KeyringError)
