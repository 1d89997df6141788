"""What offline commands share: the store of a server."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from resphere.access.wiring import WIRING as ACCESS
from resphere.auth.wiring import WIRING as AUTH
from resphere.contract.errors import VapiError
from resphere.events.telling import Teller
from resphere.inventory.tables import FOLDERS
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.sealing import open_sealing
from resphere.replica.table import Table
from resphere.server.environment import from_environment
from resphere.server.forms.record import require_present_form
from resphere.server.present import now
from resphere.server.secrets_key import given_key
from resphere.server.settings import SECRETS_KEYS, Settings, flag, from_strings, variable
from resphere.store.base import Store, StoreMissing
from resphere.store.engines import DEFAULT_URL, open_store

R = TypeVar("R")


def add_store(to: argparse.ArgumentParser) -> None:
    """The flags that say where the data are."""
    default = os.environ.get(variable("data_dir"), str(Settings().data_dir))
    to.add_argument(
        "--data-dir", type=Path, default=Path(default), help=f"where the server keeps its data (default: {default})"
    )
    to.add_argument(
        "--store",
        metavar="URL",
        default=os.environ.get(variable("store")) or None,
        help=f"the server's store (default: {DEFAULT_URL})",
    )


def add_secrets_key(to: argparse.ArgumentParser) -> None:
    """The flags that say by which key secrets are encrypted, as those of ``resphere serve``."""
    for name in ("secrets_key_file", "secrets_key_command"):
        metavar = name.rpartition("_")[2].upper()
        to.add_argument(flag(name), metavar=metavar, help=f"as of `resphere serve` [{variable(name)}]")


def secrets_key(options: argparse.Namespace) -> bytes | None:
    """The key that the flags give, or the environment; ``None`` where the store keeps its own.

    :raises ValueError: it cannot be had.
    """
    given = {name: getattr(options, name) for name in SECRETS_KEYS if getattr(options, name, None) is not None}
    if not given:
        variables = from_environment(os.environ)
        given = {name: str(variables[name]) for name in SECRETS_KEYS if name in variables}
    return given_key(from_strings(given))


def store_url(options: argparse.Namespace) -> str:
    """The URL of the store that the flags name.

    :raises ValueError: it names no engine, or a variable of the environment begins as ours and is none.
    """
    from_environment(os.environ)
    return Settings(data_dir=options.data_dir, store=options.store).store_url


async def access_opened(store: Store, tables: Iterable[Table[Any]] = (FOLDERS,)) -> Replica:
    """The accounts of a store with their sessions, what they may do, and ``tables``.

    Changes follow their rules, and make events.
    """
    sealing = await open_sealing(store, secrets.token_bytes, given_key(from_strings(from_environment(os.environ))))
    kinds = (*tables, *ACCESS.tables, *AUTH.tables)
    replica = Replica(store, kinds, sealing=sealing, rules=AUTH.rules, tells=Teller(now))
    await replica.load()
    return replica


def asked(options: argparse.Namespace, ask: Callable[[Replica], R], tables: Iterable[Table[Any]] = (FOLDERS,)) -> R:
    """What accounts and permissions of a store answer, and the documents of ``tables``."""

    async def answer() -> R:
        async with opened_store(store_url(options)) as store:
            return ask(await access_opened(store, tables))

    return asyncio.run(answer())


def changed(
    options: argparse.Namespace,
    plan: Callable[[Edit, Replica], R],
    tables: Iterable[Table[Any]] = (FOLDERS,),
    before: Callable[[Replica], Awaitable[object]] | None = None,
) -> R:
    """The result of a change of the same, which a running server shows at once; what takes time is done ``before``.

    :raises ValueError: says why it is refused.
    """

    async def change() -> R:
        async with changing(), opened_store(store_url(options)) as store:
            replica = await access_opened(store, tables)
            if before is not None:
                await before(replica)
            return await replica.change(lambda edit: plan(edit, replica))

    return asyncio.run(change())


@asynccontextmanager
async def changing() -> AsyncIterator[None]:
    """A change that rules may refuse, as they do when it comes by the API.

    :raises ValueError: says what the refusal does.
    """
    try:
        yield
    except VapiError as refusal:
        raise ValueError(" ".join(each.default_message for each in refusal.messages)) from refusal


@asynccontextmanager
async def opened_store(url: str) -> AsyncIterator[Store]:
    """The store of a server, which may be running.

    :raises ValueError: there is none.
    :raises StoreError: it cannot be used, or another release wrote it.
    """
    try:
        store = await open_store(url, make=False)
    except StoreMissing as missing:
        raise ValueError(f"{missing}; --data-dir or --store says where the server keeps its data") from missing
    try:
        await require_present_form(store, url)
        yield store
    finally:
        await store.close()
