"""What 10,000 live sessions cost: to open one among them, to find each, and to hold them; and a password's digest."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

import msgspec

from bench.result import Outcome, at_most, told
from bench.rounds import Effort
from resphere.access.principal import Principal, Scope
from resphere.access.wiring import WIRING as ACCESS
from resphere.auth.accounts import LocalAccounts
from resphere.auth.by_session import BySession
from resphere.auth.by_token import ByToken
from resphere.auth.credentials import Credentials
from resphere.auth.passwords import Digests
from resphere.auth.sessions import Session, SessionLimits, Sessions, digest
from resphere.auth.tokens import Tokens
from resphere.auth.wiring import WIRING
from resphere.inventory.tables import FOLDERS
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.store.engines import default_url, open_store

SESSIONS = 10_000
USERS = 100
LOGINS = 200
MOST_FIND_MICROSECONDS = 10.0
MOST_OPEN_MS = 10.0
MOST_BYTES = 2_000.0
TOKENS = 100


class Figures(msgspec.Struct, frozen=True):
    """What was measured."""

    open_ms: float
    find_microseconds: float
    token_microseconds: float
    bytes_each: float
    digest_ms: float


def measure_sessions(effort: Effort) -> Outcome:
    """In this process, on a store of its own: the sessions of 100 users, found by their ids as requests do."""
    folder = Path(tempfile.mkdtemp(prefix="bench-sessions-"))
    try:
        found = [asyncio.run(figures(empty(folder, number))) for number in range(min(3, effort.rounds))]
    finally:
        shutil.rmtree(folder)

    def middle(name: str) -> float:
        return float(median(getattr(each, name) for each in found))

    among = f"among {SESSIONS:,} live sessions"
    return Outcome(
        (
            at_most(f"who calls, by session, {among}", middle("find_microseconds"), MOST_FIND_MICROSECONDS, " µs"),
            told(f"who calls, by API token, {among}", f"{middle('token_microseconds'):.2f} µs"),
            at_most(f"a session opened, durable, {among}", middle("open_ms"), MOST_OPEN_MS, " ms"),
            at_most("memory for a session in a worker", middle("bytes_each"), MOST_BYTES, " bytes", 0),
            told("a password's digest (argon2id), in a thread of its own", f"{middle('digest_ms'):.1f} ms"),
        ),
        notes=("Sessions: CPU of one process; what a session is opened for has been let in already.",),
    )


def empty(folder: Path, number: int) -> Path:
    """A new folder in a folder."""
    made = folder / str(number)
    made.mkdir()
    return made


async def figures(folder: Path) -> Figures:
    """One round, in an empty folder."""
    store = await open_store(default_url(folder))
    try:
        replica = Replica(store, (FOLDERS, *ACCESS.tables, *WIRING.tables))
        await replica.load()
        return await measured(replica)
    finally:
        await store.close()


async def measured(replica: Replica) -> Figures:
    """The figures of a replica that has nothing in it."""
    randomness = random.Random(1)  # noqa: S311 - nothing is kept from anybody here
    moment = datetime.now(UTC)
    accounts = LocalAccounts(replica, randomness.randbytes)
    names = [f"user{number}@vsphere.local" for number in range(USERS)]
    for name in names:
        await accounts.put(name, "Secret-2026")
    sessions = Sessions(replica, SessionLimits(), lambda: moment, randomness.randbytes)
    tokens = Tokens(replica, timedelta(days=1), lambda: moment, randomness.randbytes)
    secrets = [randomness.randbytes(32).hex() for _ in range(SESSIONS - LOGINS)]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    made = [
        Session(id=digest(secret), user=names[number % USERS], created_time=moment, last_accessed_time=moment)
        for number, secret in enumerate(secrets)
    ]
    await put(replica, made)
    del made
    bytes_each = (tracemalloc.get_traced_memory()[0] - before) / len(secrets)
    tracemalloc.stop()
    began = time.perf_counter()
    secrets += [await sessions.open(Principal(names[number % USERS]), "password") for number in range(LOGINS)]
    open_ms = (time.perf_counter() - began) / LOGINS * 1e3
    by_session = BySession(sessions, accounts, tokens)
    find = await asked(by_session, [Credentials(secret) for secret in secrets], moment)
    api = [(await tokens.make(names[0], f"token {n}", Scope(frozenset()), None)).secret for n in range(TOKENS)]
    shown = [Credentials(bearer=api[number % TOKENS]) for number in range(SESSIONS)]
    by_token = await asked(ByToken(tokens, accounts), shown, moment)
    await tokens.finish()
    await accounts.finish()
    return Figures(open_ms, find, by_token, bytes_each, await digest_ms(randomness))


async def put(replica: Replica, sessions: list[Session]) -> None:
    """Write sessions, some thousand at a time."""
    for first in range(0, len(sessions), 2000):
        await replica.change(partial(put_some, sessions[first : first + 2000]))


def put_some(sessions: list[Session], edit: Edit) -> None:
    """Write sessions."""
    for session in sessions:
        edit.put(session)


async def asked(method: BySession | ByToken, shown: list[Credentials], moment: datetime) -> float:
    """CPU microseconds for each caller that is let in."""
    began = time.process_time()
    for credentials in shown:
        await method.identify(credentials, moment)
    return (time.process_time() - began) / len(shown) * 1e6


async def digest_ms(randomness: random.Random) -> float:
    """Milliseconds for a digest."""
    digests = Digests(randomness.randbytes)
    stored = await digests.make("Secret-2026")
    began = time.perf_counter()
    for _ in range(10):
        await digests.verify("Secret-2026", stored)
    took = (time.perf_counter() - began) / 10 * 1e3
    digests.close()
    return took
