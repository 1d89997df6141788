"""Where a store of this engine is: the rest of a URL, with two parameters of its own among those of the database."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

SCHEME = "postgresql"
FORM = "//USER@HOST:PORT/DATABASE?schema=SCHEMA&folder=FOLDER"
DEFAULT_SCHEMA = "resphere"
SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}\Z")


class Place(msgspec.Struct, frozen=True):
    """A database, as its clients have it, the ``schema`` in it, and the ``folder`` of contents and keys, which all
    servers on the store share; ``None``: none was named."""

    dsn: str
    schema: str
    folder: Path | None

    @property
    def shown(self) -> str:
        """What messages call it: without the password."""
        parts = urlsplit(self.dsn)
        host = parts.hostname or "localhost"
        return f"{host}{f':{parts.port}' if parts.port else ''}{parts.path} (schema {self.schema})"

    @property
    def needed_folder(self) -> Path:
        """The folder.

        :raises ValueError: none was named.
        """
        if self.folder is None:
            raise ValueError(f"the URL of the store {self.shown} names no folder for large contents: add folder=PATH")
        return self.folder


def place_of(rest: str) -> Place:
    """Read the part of a URL after the scheme.

    :raises ValueError: it is none.
    """
    parts = urlsplit(f"{SCHEME}:{rest}")
    if not rest.startswith("//") or not parts.path.strip("/"):
        raise ValueError(f"a store of {SCHEME} is named as {SCHEME}:{FORM}")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError(f"the port in the URL of the store is no number: {SCHEME}:{FORM}") from None
    parameters = parse_qsl(parts.query, keep_blank_values=True)
    own = {name: value for name, value in parameters if name in ("schema", "folder")}
    schema = own.get("schema", DEFAULT_SCHEMA)
    if not SCHEMA.match(schema):
        raise ValueError(f"a schema of the store has small letters, digits and underscores: {schema!r}")
    folder = own.get("folder")
    if folder == "":
        raise ValueError("the folder in the URL of the store is empty")
    others = [(name, value) for name, value in parameters if name not in own]
    return Place(
        urlunsplit(parts._replace(query=urlencode(others))), schema, Path(folder) if folder is not None else None
    )


def with_folder(rest: str, folder: Path) -> str:
    """The same with a folder, where it names none.

    :raises ValueError: it is none.
    """
    if place_of(rest).folder is not None:
        return rest
    return f"{rest}{'&' if '?' in rest else '?'}{urlencode({'folder': str(folder)})}"
