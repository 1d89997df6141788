"""Which engine keeps a store: the scheme of its URL says so. A further engine gets its line here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

import msgspec

from resphere.store.base import LOG_ROWS_KEPT, Store
from resphere.store.copies import Copy, Extent, Placing, Sizes
from resphere.store.engine import Engine


class Offered(msgspec.Struct, frozen=True):
    """An engine that is loaded when a URL asks for it: ``ENGINE`` of its ``module``, which may need a library that
    nobody else has to install."""

    form: str
    module: str
    library: str | None = None


ENGINES: Mapping[str, Offered] = MappingProxyType(
    {
        "sqlite": Offered("PATH", "resphere.store.sqlite.engine"),
        "postgresql": Offered("//USER@HOST:PORT/DATABASE", "resphere.store.postgresql.engine", "asyncpg"),
    }
)
DEFAULT = "sqlite"
PASSWORD = re.compile(r"(//[^/@:]*:)[^@]*(@)")


def default_url(data_dir: Path | str) -> str:
    """The URL of the store that a data directory has where none is set."""
    return f"{DEFAULT}:{_engine(DEFAULT).place_in(str(data_dir))}"


def completed_url(url: str, data_dir: Path) -> str:
    """The URL, with what the store needs besides where it names none: a place in the data directory.

    :raises ValueError: the URL names no engine.
    """
    engine, place = _parts(url)
    return f"{url.partition(':')[0]}:{engine.completed(place, str(data_dir))}"


def check_url(url: str) -> None:
    """Refuse what names no engine, or no place of its.

    :raises ValueError: says which there are, or what it needs.
    """
    engine, place = _parts(url)
    engine.check(place)


def one_server_on(url: str) -> AbstractContextManager[None]:
    """Be the only server on the store of that URL while within, unless its engine takes several. Whoever only opens it
    for a command is no server.

    Processes that are forked within belong to the server.

    :raises ValueError: the URL names no engine.
    :raises InUse: another server has the store.
    :raises StoreError: that cannot be told.
    """
    engine, place = _parts(url)
    return engine.one_server(place)


async def is_served(url: str) -> bool:
    """Whether another server has the store of that URL at the moment, of an engine that takes several; one that was
    killed may be taken for alive for some seconds.

    :raises ValueError: the URL names no engine.
    :raises StoreError: that cannot be told.
    """
    engine, place = _parts(url)
    return await engine.is_served(place)


async def open_store(url: str, *, make: bool = True, log_rows_kept: int = LOG_ROWS_KEPT) -> Store:
    """Open the store of that URL, such as ``sqlite:/var/lib/resphere/resphere.db``; ``make``: make it where there is
    none, and bring one of an earlier schema up.

    ``log_rows_kept``: the change log reaches back at least so many changes of documents.

    :raises ValueError: the URL names no engine.
    :raises StoreMissing: there is none, and none is to be made.
    :raises StoreError: it cannot be used, is of something else, or has a schema that this version does not know.
    """
    engine, place = _parts(url)
    return await engine.open(place, make=make, log_rows_kept=log_rows_kept)


def folder_of(url: str) -> Path | None:
    """The folder that the store of that URL takes room in; ``None`` where that is on another machine.

    :raises ValueError: the URL names no engine.
    """
    engine, place = _parts(url)
    return engine.folder_of(place)


async def size_bytes(url: str) -> int:
    """How much the store of that URL takes at the moment, without its contents.

    :raises ValueError: the URL names no engine.
    :raises StoreError: nobody can tell.
    """
    engine, place = _parts(url)
    return await engine.size_bytes(place)


def engine_of(url: str) -> str:
    """The name of the engine that keeps the store of that URL.

    :raises ValueError: the URL names no engine.
    """
    _parts(url)
    return url.partition(":")[0]


def shown_url(url: str) -> str:
    """The URL as logs and messages may show it: without any password.

    :raises ValueError: the URL names no engine.
    """
    engine, place = _parts(url)
    return f"{engine_of(url)}:{engine.shown(place)}"


def copying(url: str, folder: Path, extent: Extent) -> AbstractAsyncContextManager[Copy]:
    """A copy of the store of that URL, see :meth:`resphere.store.engine.Engine.copying`.

    :raises ValueError: the URL names no engine.
    """
    engine, place = _parts(url)
    return engine.copying(place, folder, extent)


def placing(url: str, extent: Extent, *, replace: bool) -> AbstractAsyncContextManager[Placing]:
    """Room for a copy at that URL, see :meth:`resphere.store.engine.Engine.placing`.

    :raises ValueError: the URL names no engine.
    """
    engine, place = _parts(url)
    return engine.placing(place, extent, replace=replace)


async def sizes(url: str, extent: Extent) -> Sizes:
    """How much the store of that URL takes, see :meth:`resphere.store.engine.Engine.sizes`.

    :raises ValueError: the URL names no engine.
    """
    engine, place = _parts(url)
    return await engine.sizes(place, extent)


def _parts(url: str) -> tuple[Engine, str]:
    scheme, colon, place = url.partition(":")
    if scheme not in ENGINES or not colon or not place:
        known = ", ".join(f"{name}:{each.form}" for name, each in ENGINES.items())
        raise ValueError(f"{without_password(url)} is no URL of a store that this server knows: {known}")
    return _engine(scheme), place


def _engine(scheme: str) -> Engine:
    """:raises ValueError: the library is missing that it needs."""
    offered = ENGINES[scheme]
    try:
        engine: Engine = import_module(offered.module).ENGINE
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != offered.library:
            raise
        raise ValueError(f"a store of {scheme} needs {offered.library}: pip install 'resphere[{scheme}]'") from None
    return engine


def without_password(url: str) -> str:
    """Whatever was meant by it, without what stands where a password would."""
    return PASSWORD.sub(r"\1***\2", url)


DEFAULT_URL = default_url("<data dir>")
"""What stands for the URL in help and documentation where none is set."""
