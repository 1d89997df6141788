"""Files that this server fetches itself into content libraries: each worker those that are given to it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from functools import partial

import msgspec

from resphere.contract.errors import ResourceInaccessible, VapiError
from resphere.contract.generated.content_library_item import TransferStatus
from resphere.contract.model import ByteStream
from resphere.fetching.errors import FetchError
from resphere.fetching.fetcher import Fetched, Fetcher, Wanted
from resphere.fetching.trust import Trust
from resphere.inventory.content.sessions import PullSource, PushedFile, UpdateSession
from resphere.libraries.files import LibraryFiles
from resphere.libraries.places import file_at, on_datastore
from resphere.libraries.receiving import Receiving
from resphere.libraries.refusals import left, no_file_there, not_transferred
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.content_packages import failed, import_failed
from resphere.store.base import ContentMissing

log = logging.getLogger(__name__)

MOST_AT_ONCE = 16
"""So many files a worker fetches at a time."""
MOST_OF_A_USER = 8
"""And of those so many for one user, so that nobody's hold up all others."""
MOST_WORKERS = 3
"""So many workers begin to fetch a file: what ends each of them is not tried for ever."""
AHEAD = timedelta(minutes=2)
"""So long before its end a session is prolonged in which something is fetched, or waits for that."""

Finish = Callable[[UpdateSession], Awaitable[None]]


class Pull(msgspec.Struct, frozen=True):
    """The file of that number in an update session, for its ``user``."""

    session: str
    user: str
    name: str
    number: int


class Pulls:
    """What a worker fetches: the files of update sessions whose sender it is.

    A session says by that who fetches; whoever puts it there begins so, and whoever takes it away ends it. ``finish``
    completes a session that was to be completed once its files have come. A file has at most ``most_bytes``.
    """

    def __init__(
        self,
        inventory: Replica,
        files: LibraryFiles,
        receiving: Receiving,
        fetcher: Fetcher,
        most_bytes: int,
        finish: Finish,
    ) -> None:
        self._inventory = inventory
        self._files = files
        self._receiving = receiving
        self._fetcher = fetcher
        self._most_bytes = most_bytes
        self._finish = finish
        self._waiting: dict[Pull, None] = {}
        self._running: dict[Pull, asyncio.Task[None]] = {}
        self._is_closed = False
        self._settling: set[Pull] = set()
        """Those of the running ones of which nothing more is fetched."""
        self._forget = inventory.subscribe(UpdateSession, self._heed)

    async def close(self) -> None:
        """Leave off: other workers go on with what has not come."""
        self._is_closed = True
        self._forget()
        self._waiting.clear()
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until nothing is fetched."""
        while self._running:
            await asyncio.wait(self._running.values())

    async def tend(self) -> None:
        """Take over what workers that died have begun, and end sessions whose files have come, or will not."""
        for session in list(self._inventory.all(UpdateSession).values()):
            if session.is_active and any(file.is_pulled for file in session.files):
                await self._take_over(session)
                await self._settle(session.id)
                self._heed(None, self._inventory.get(UpdateSession, session.id))

    # --- which are fetched -------------------------------------------------------------------------------------------

    def _heed(self, old: UpdateSession | None, new: UpdateSession | None) -> None:
        """Begin what a session gives to this worker, end what it has no more."""
        session = new if new is not None else old
        if session is None:
            return
        there = {} if new is None or not new.is_active else {pull_of(new, file): file for file in new.files}
        for pull in [pull for pull in self._waiting if pull.session == session.id and pull not in there]:
            del self._waiting[pull]
        for pull, task in self._running.items():
            if pull.session == session.id and pull not in there and pull not in self._settling:
                task.cancel()
        for pull, file in there.items():
            if file.is_coming and self._files.receives(file.sender) and pull not in self._running:
                self._waiting[pull] = None
        self._begin()

    def _begin(self) -> None:
        """Begin as many of those that wait as may be."""
        for pull in list(self._waiting):
            of_user = sum(running.user == pull.user for running in self._running)
            if len(self._running) < MOST_AT_ONCE and of_user < MOST_OF_A_USER:
                del self._waiting[pull]
                task = asyncio.get_running_loop().create_task(self._run(pull))
                self._running[pull] = task
                # A task that is canceled before it has begun does nothing at its end itself.
                task.add_done_callback(partial(self._ended, pull))

    async def _run(self, pull: Pull) -> None:
        try:
            await self._fetch(pull)
            self._settling.add(pull)
            await self._settle(pull.session)
        except Exception:
            log.exception("a file of a content library was not fetched; it will be tried again")

    def _ended(self, pull: Pull, task: asyncio.Task[None]) -> None:
        del self._running[pull]
        self._settling.discard(pull)
        if self._is_closed:
            return
        if task.cancelled():
            # Meanwhile it may have been given to this worker anew.
            self._heed(None, self._inventory.get(UpdateSession, pull.session))
        self._begin()

    # --- fetching ----------------------------------------------------------------------------------------------------

    async def _fetch(self, pull: Pull) -> None:
        """Fetch a file, or note why it does not come."""
        session = self._inventory.get(UpdateSession, pull.session)
        file = None if session is None else session.file(pull.name)
        source = None if session is None or file is None else session.source(file)
        if session is None or file is None or source is None or file.number != pull.number:
            return
        try:
            if on_datastore(source.uri):
                await self._copy(session, file, source)
            else:
                trust = Trust(thumbprint=source.thumbprint, certificate=source.certificate)
                async with self._fetcher.fetch(Wanted(source.uri, self._most_bytes, trust)) as answer:
                    await self._receive(session, file, Told(answer))
        except FetchError as error:
            await self._receiving.did_not_come(session, file, error.message)

    async def _copy(self, session: UpdateSession, file: PushedFile, source: PullSource) -> None:
        """Copy a file of a library, byte by byte."""
        found = file_at(self._inventory, source.uri)
        try:
            content = None if found is None else await self._files.content(found[1])
        except ContentMissing:
            content = None
        if content is None:
            await self._receiving.did_not_come(session, file, no_file_there())
        else:
            await self._receive(session, file, content)

    async def _receive(self, session: UpdateSession, file: PushedFile, content: ByteStream) -> None:
        try:
            await self._receiving.receive(session, file, content, None)
        except VapiError as error:
            # The session says why.
            log.info("a file of a content library was not fetched: %s", error)

    # --- what becomes of sessions ------------------------------------------------------------------------------------

    async def _take_over(self, session: UpdateSession) -> None:
        """Fetch what a worker has left that is no more, and keep a session going in which something is to come."""
        now, until = self._files.now(), self._files.until()

        def plan(edit: Edit) -> None:
            current = edit.get(UpdateSession, session.id)
            if current is None or not current.is_active:
                return
            new = current
            for file in current.files:
                if file.is_coming and self._files.is_gone(file.sender):
                    new = new.with_file(self._taken_over(file))
            coming = any(file.is_coming for file in new.files)
            if new is not current or (coming and current.expires - now < AHEAD):
                edit.put(msgspec.structs.replace(new, expires=until))

        await self._inventory.change(plan)

    def _taken_over(self, file: PushedFile) -> PushedFile:
        if file.pulls >= MOST_WORKERS:
            return failed(file, left())
        return msgspec.structs.replace(
            file,
            status=TransferStatus.WAITING_FOR_TRANSFER,
            sender=self._files.new_sender(),
            pulls=file.pulls + 1,
            transferred_bytes=0,
        )

    async def _settle(self, id: str) -> None:
        """End a session of which a file did not come, complete one that waits for nothing more."""
        session = self._inventory.get(UpdateSession, id)
        if session is None or not session.is_active:
            return
        if any(file.is_pulled and file.error is not None for file in session.files):
            await self._inventory.change(lambda edit: self._end_failed(edit, id))
        elif session.completed_by is not None and not any(file.is_coming for file in session.files):
            await self._finish(session)

    def _end_failed(self, edit: Edit, id: str) -> None:
        session = edit.get(UpdateSession, id)
        if session is None or not session.is_active:
            return
        lost = next(((file, file.error) for file in session.files if file.is_pulled and file.error is not None), None)
        if lost is not None:
            file, why = lost
            ended = import_failed(session, not_transferred(file.name, why))
            source = session.source(file)
            # It shows what failed as long as it is there.
            edit.put(
                msgspec.structs.replace(
                    ended,
                    files=(file,),
                    sources=() if source is None else (source,),
                    expires=self._files.until(),
                )
            )


def pull_of(session: UpdateSession, file: PushedFile) -> Pull:
    """What tells a file from all others."""
    return Pull(session.id, session.user, file.name, file.number)


class Told(msgspec.Struct, frozen=True):
    """What is fetched, for whoever takes it in: what goes wrong is told as errors of operations are."""

    answer: Fetched

    @property
    def size_bytes(self) -> int | None:
        return self.answer.size_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces.

        :raises ResourceInaccessible: it does not come to its end.
        """
        try:
            async for piece in self.answer:
                yield piece
        except FetchError as error:
            raise ResourceInaccessible(error.message) from error

    async def close(self) -> None:
        await self.answer.close()
