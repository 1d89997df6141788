"""Which engine keeps a store: the scheme of its URL says so. A further engine gets its line here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from resphere.store.base import LOG_ROWS_KEPT, Engine, Store
from resphere.store.sqlite.engine import SQLITE

ENGINES: Mapping[str, Engine] = MappingProxyType({"sqlite": SQLITE})
DEFAULT = "sqlite"
DEFAULT_URL = f"{DEFAULT}:{ENGINES[DEFAULT].place_in('<data dir>')}"
"""What stands for the URL in help and documentation where none is set."""


def default_url(data_dir: Path) -> str:
    """The URL of the store that a data directory has where none is set."""
    return f"{DEFAULT}:{ENGINES[DEFAULT].place_in(str(data_dir))}"


def check_url(url: str) -> None:
    """Refuse what names no engine.

    :raises ValueError: says which there are.
    """
    _parts(url)


async def open_store(url: str, *, make: bool = True, log_rows_kept: int = LOG_ROWS_KEPT) -> Store:
    """Open the store of that URL, such as ``sqlite:/var/lib/resphere/resphere.db``; ``make``: make it where there is
    none.

    ``log_rows_kept``: the change log reaches back at least so many changes of documents.

    :raises ValueError: the URL names no engine.
    :raises StoreMissing: there is none, and none is to be made.
    :raises StoreError: it cannot be used, is of something else, or has a schema that this version does not know.
    """
    engine, place = _parts(url)
    return await engine.open(place, make=make, log_rows_kept=log_rows_kept)


def _parts(url: str) -> tuple[Engine, str]:
    scheme, colon, place = url.partition(":")
    engine = ENGINES.get(scheme)
    if engine is None or not colon or not place:
        known = ", ".join(f"{name}:{each.form}" for name, each in ENGINES.items())
        raise ValueError(f"{url} is no URL of a store that this server knows: {known}")
    return engine, place
