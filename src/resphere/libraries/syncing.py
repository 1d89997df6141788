"""Subscribed libraries take what is new from their publishers.

What is asked for stands in the store, as :class:`SyncRequest`; one worker does it, and another one when that dies. Each
item changes in one transaction, when all that it needs is here: an update session like those of clients receives its
files, takes their room, and is cleaned up like those where somebody dies.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from weakref import WeakValueDictionary

import msgspec

from resphere.contract.errors import VapiError, message
from resphere.contract.generated import ids
from resphere.contract.generated.content_library_item import CertVerificationStatus
from resphere.contract.generated.content_library_item_updatesession import WarningType
from resphere.contract.mentions import nothing, told
from resphere.contract.model import LocalizableMessage
from resphere.fetching.errors import FetchError, too_large
from resphere.fetching.fetcher import Fetcher
from resphere.inventory.content.items import LibraryFile, LibraryItem, RemoteFile, RemoteItem, name_key
from resphere.inventory.content.libraries import Library, Subscription
from resphere.inventory.content.packages import METADATA, Part, part_of
from resphere.inventory.content.sessions import DownloadSession, PushedFile, UpdateSession
from resphere.inventory.content.settings import ContentConfiguration
from resphere.inventory.content.subscriptions import SyncRequest
from resphere.libraries.files import LibraryFiles
from resphere.libraries.package_trust import warnings_of
from resphere.libraries.publishers import (
    HttpPublisher,
    OwnPublisher,
    PublishedItem,
    PublishedItems,
    Publisher,
    own_library,
)
from resphere.libraries.receiving import Receiving
from resphere.replica.edit import Edit
from resphere.replica.noticing import noticing
from resphere.replica.replica import Replica
from resphere.rules.content_names import LONGEST_ITEM_NAME, is_descriptor
from resphere.rules.content_packages import signature_of, verification
from resphere.turns import heard, in_turns
from resphere.uuids import new_uuid

log = logging.getLogger(__name__)

LEASE = "library-sync"
"""What the worker holds that syncs."""
LOOK_SECONDS = 30.0
"""How often it is looked which libraries sync by themselves now."""
MOST_LIBRARIES = 4
"""So many sync at the same time: one whose publisher is slow holds up no others."""
MOST_FETCHES = 8
"""So often single items are synced at the same time: somebody waits for the contents of some."""
AT_ONCE = 200
"""So many items come or go in one transaction."""
SECRET_BYTES = 32
NOBODY = ""
"""The user of sessions that are no client's."""


Warnings = tuple[WarningType, ...]
Failures = dict[str, LocalizableMessage]
"""Why something did not come, by the id of the item here."""


class Overtaken(Exception):
    """The library is no more what it was when the sync began, or cannot change now."""


class Run(msgspec.Struct, frozen=True):
    """One sync of a library."""

    library: ids.ContentLibraryId
    subscription: Subscription
    publisher: Publisher
    names: dict[str, str]
    """What each item is to be called here, by its id there."""
    failures: Failures
    """Why items are not as they are there."""


class Batch(msgspec.Struct, frozen=True):
    """Requests for one library that are done together: for all of it, or for items of it."""

    library: str
    requests: tuple[SyncRequest, ...]

    @property
    def is_whole(self) -> bool:
        """Whether all of the library is asked for."""
        return any(request.item is None for request in self.requests)


class LibrarySync:
    """A worker's part in syncing libraries.

    No file has more than ``most_bytes``; ``verify`` tells whether a password is the one of a digest.
    """

    def __init__(
        self,
        inventory: Replica,
        files: LibraryFiles,
        receiving: Receiving,
        fetcher: Fetcher,
        most_bytes: int,
        verify: Callable[[str, str], bool],
        now: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._inventory = inventory
        self._files = files
        self._receiving = receiving
        self._fetcher = fetcher
        self._most_bytes = most_bytes
        self._verify = verify
        self._now = now
        self._random_bytes = random_bytes
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """Whose turn it is with an item."""

    def publisher(self, subscription: Subscription, password: str | None) -> Publisher:
        """Whom a library gets its items from."""
        own = own_library(subscription.url) if subscription.of_this_server else None
        if own is None:
            return HttpPublisher(self._fetcher, subscription, password)
        return OwnPublisher(self._inventory, self._files.opened, self._verify, own, password)

    def request(
        self,
        edit: Edit,
        library: ids.ContentLibraryId,
        item: ids.ContentLibraryItemId | None = None,
        *,
        with_content: bool = False,
        only_new: bool = False,
    ) -> None:
        """Have a library sync, or one item of it; what was asked for before is done too."""
        id = library if item is None else item
        before = edit.get(SyncRequest, id)
        edit.put(
            SyncRequest(
                id=id,
                library=library,
                item=item,
                with_content=with_content or (before is not None and before.with_content),
                only_new=only_new and (before is None or before.only_new),
                mark=new_uuid(self._random_bytes),
            )
        )

    # --- what is asked for -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Do what is asked for, and what is due, as long as this is not canceled."""
        running: dict[asyncio.Task[None], Batch] = {}
        try:
            with noticing(self._inventory, SyncRequest) as woken:
                while True:
                    woken.clear()
                    await self.request_due()
                    running = {task: batch for task, batch in running.items() if not task.done()}
                    for batch in self._batches(running.values()):
                        task = asyncio.create_task(self._work_off(batch))
                        task.add_done_callback(lambda _: woken.set())
                        running[task] = batch
                    await heard(woken, LOOK_SECONDS)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _batches(self, running: Collection[Batch]) -> list[Batch]:
        """What can be begun besides what is under way."""
        taken = {request.id for batch in running for request in batch.requests}
        free: dict[tuple[str, bool], list[SyncRequest]] = {}
        for request in list(self._inventory.all(SyncRequest).values()):
            if request.id not in taken and self._may_sync(request.library):
                free.setdefault((request.library, request.item is None), []).append(request)
        begun: list[Batch] = []
        for (library, is_whole), requests in free.items():
            alike = sum(batch.is_whole == is_whole for batch in (*running, *begun))
            if alike < (MOST_LIBRARIES if is_whole else MOST_FETCHES):
                begun.append(Batch(library, tuple(requests)))
        return begun

    async def request_due(self) -> None:
        """Ask for the sync of all libraries that sync by themselves, and have not for long."""
        settings = self._inventory.get(ContentConfiguration, ContentConfiguration().id) or ContentConfiguration()
        now = self._now()
        if not settings.automatic_sync_enabled or not is_within(now.hour, settings):
            return
        every = timedelta(minutes=settings.automatic_sync_refresh_interval)
        for id, library in list(self._inventory.all(Library).items()):
            if is_due(library, now, every):
                await self._inventory.change(partial(self._request_due, id, now, every))

    def _request_due(self, id: str, now: datetime, every: timedelta, edit: Edit) -> None:
        library = edit.get(Library, id)
        if library is not None and is_due(library, now, every):
            edit.put(msgspec.structs.replace(library, last_tried=now))
            self.request(edit, library.id, only_new=True)

    def _may_sync(self, id: str) -> bool:
        """Whether a library can change now; what is asked for of one in maintenance waits for its end."""
        library = self._inventory.get(Library, id)
        return library is not None and library.maintenance is None

    async def work_off(self, library: str) -> None:
        """Do what is asked for of a library. What does not succeed is tried again when it is asked for again."""
        if self._may_sync(library):
            await self._work_off(Batch(library, tuple(self._inventory.by(SyncRequest, "library", library).values())))

    async def _work_off(self, batch: Batch) -> None:
        failures: Failures = {}
        try:
            await self._sync(batch.library, batch.requests, failures)
        except (FetchError, Overtaken) as error:
            log.warning("the library %s was not synced: %s", batch.library, error)
            failures = dict.fromkeys((request.id for request in batch.requests), reason(error))
        except Exception as error:
            log.exception("the library %s was not synced", batch.library)
            failures = dict.fromkeys((request.id for request in batch.requests), reason(error))
        await self._inventory.change(lambda edit: settle(edit, batch.requests, failures))

    # --- a library ---------------------------------------------------------------------------------------------------

    async def _sync(self, id: str, requests: Iterable[SyncRequest], failures: Failures) -> None:
        library = self._inventory.get(Library, id)
        if library is None or library.subscription is None:
            return
        publisher = self.publisher(library.subscription, library.subscription_password)
        document = await publisher.library()
        whole = [request for request in requests if request.item is None]
        single = {request.item: request.with_content for request in requests if request.item is not None}
        only_new = not single and all(request.only_new for request in whole)
        version = str(document.version)
        began = self._now()
        run = Run(library.id, library.subscription, publisher, {}, failures)
        if only_new and version == library.synced_version:
            await self._note_synced(run, version, began, changed=False)
            return
        published = await publisher.items(document)
        run = msgspec.structs.replace(run, names=await asyncio.to_thread(names_of, published.items))
        changed = await self._forget_gone(run, published, None if whole else frozenset(single))
        if whole:
            changed |= await self._put_new(run, published.items)
        with_content = any(request.with_content for request in whole)
        wanted: list[tuple[LibraryItem, PublishedItem, bool]] = []
        async for piece in in_turns(published.items):
            wanted += [
                (item, each, with_content or single.get(item.id, False))
                for each in piece
                if (item := self._item(run, each.id)) is not None and (whole or item.id in single)
            ]
        outcomes = await self._take_all(run, wanted)
        await self._rename(run, {id for id, outcome in outcomes.items() if outcome is not None})
        if whole:
            good = None not in outcomes.values() and not published.unusable
            changed = changed or any(outcomes.values())
            await self._note_synced(run, version if good else None, began, changed=changed)

    def _item(self, run: Run, source: str) -> LibraryItem | None:
        """The item of the library that is the item ``source`` there."""
        found = self._inventory.by(LibraryItem, "source", source).values()
        return next((item for item in found if item.library == run.library), None)

    def _current(self, edit: Edit, run: Run) -> Library:
        """The library, which must be as it was when the sync began.

        :raises Overtaken: it is not.
        """
        library = edit.get(Library, run.library)
        if library is None or library.subscription is None or library.subscription.number != run.subscription.number:
            raise Overtaken("it is no more, or subscribes to another one by now")
        if library.maintenance is not None or library.lost_datastore is not None:
            raise Overtaken("it is in maintenance, or has lost its place")
        edit.rely_on(library)
        return library

    async def _forget_gone(self, run: Run, published: PublishedItems, among: frozenset[str] | None) -> bool:
        """Delete the items that are there no more, of all or of some; returns whether there are any."""
        there = {item.id for item in published.items} | published.unusable
        present = self._inventory.by(LibraryItem, "library", run.library).values()
        # Templates come by other ways: nothing says here whether they are there.
        files = [item for item in present if item.template is None]
        gone = [item.id for item in files if item.source not in there and (among is None or item.id in among)]
        async for piece in in_turns(gone, AT_ONCE):

            def plan(edit: Edit, piece: list[ids.ContentLibraryItemId] = piece) -> None:
                self._current(edit, run)
                for id in piece:
                    if edit.get(LibraryItem, id) is not None:
                        edit.delete(LibraryItem, id)

            await self._inventory.change(plan)
        return bool(gone)

    async def _put_new(self, run: Run, items: Iterable[PublishedItem]) -> bool:
        """Make the items that are not here yet, without their files; returns whether there are any."""
        new = [item for item in items if self._item(run, item.id) is None]
        async for piece in in_turns(new, AT_ONCE):

            def plan(edit: Edit, piece: list[PublishedItem] = piece) -> None:
                self._current(edit, run)
                for item in piece:
                    edit.put(self._new_item(run, item))

            await self._inventory.change(plan)
        return bool(new)

    def _new_item(self, run: Run, item: PublishedItem) -> LibraryItem:
        now = self._now()
        name = run.names[item.id]
        if self._inventory.by(LibraryItem, "library_name", name_key(run.library, name)):
            # Whoever has it here is to be called something else, which comes later.
            name = distinct_name(item)
        return LibraryItem(
            id=ids.ContentLibraryItemId(new_uuid(self._random_bytes)),
            library=run.library,
            name=name,
            description=item.description,
            type=item.type,
            created=now,
            modified=now,
            # The SDK's samples take an item for synced once it has the version that it has there.
            content_version=item.content_version if run.subscription.on_demand else 1,
            metadata_version=item.metadata_version,
            source=ids.ContentLibraryItemId(item.id),
            remote=remote_of(run, item),
        )

    async def _rename(self, run: Run, synced: set[str]) -> None:
        """Have those items be called as they are to be, where another one of the library had the name until now."""
        present = self._inventory.by(LibraryItem, "library", run.library).values()
        late = {
            item.id: name
            for item in present
            if item.id in synced and (name := run.names.get(item.source or "", item.name)) != item.name
        }
        if not late:
            return
        # Names may go round in a circle: all of them are free in between.
        for names in ({id: f"({id})" for id in late}, late):
            async for piece in in_turns(names.items(), AT_ONCE):
                await self._inventory.change(partial(self._put_names, run, dict(piece)))

    def _put_names(self, run: Run, names: Mapping[str, str], edit: Edit) -> None:
        self._current(edit, run)
        for id, name in names.items():
            item = edit.get(LibraryItem, id)
            others = self._inventory.by(LibraryItem, "library_name", name_key(run.library, name))
            if item is not None and not any(other != id for other in others):
                edit.put(msgspec.structs.replace(item, name=name))

    async def _note_synced(self, run: Run, version: str | None, began: datetime, *, changed: bool) -> None:
        """Note that everything is as it was there: all of ``version``, if that is said."""

        def plan(edit: Edit) -> None:
            library = self._current(edit, run)
            edit.put(
                msgspec.structs.replace(
                    library,
                    synced_version=version,
                    last_synced=began,
                    last_tried=began,
                    version=library.version + changed,
                )
            )

        await self._inventory.change(plan)

    # --- its items ---------------------------------------------------------------------------------------------------

    async def _take_all(
        self, run: Run, wanted: Iterable[tuple[LibraryItem, PublishedItem, bool]]
    ) -> dict[str, bool | None]:
        """Have items be as they are there, some at a time; whether each has changed, ``None`` where it failed."""
        settings = self._inventory.get(ContentConfiguration, ContentConfiguration().id) or ContentConfiguration()
        left: Iterator[tuple[LibraryItem, PublishedItem, bool]] = iter(list(wanted))
        outcomes: dict[str, bool | None] = {}

        async def work() -> None:
            for item, published, with_content in left:
                outcomes[item.id] = await self._try_to_take(run, item, published, with_content)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(settings.maximum_concurrent_item_syncs, MOST_ITEMS_AT_ONCE)):
                group.create_task(work())
        return outcomes

    async def _try_to_take(
        self, run: Run, item: LibraryItem, published: PublishedItem, with_content: bool
    ) -> bool | None:
        try:
            async with self._turns.setdefault(item.id, asyncio.Lock()):
                return await self._take(run, item.id, published, with_content)
        except (FetchError, VapiError, Overtaken) as error:
            why = run.failures[item.id] = reason(error)
            log.warning("the item %s of the library %s was not synced: %s", item.id, run.library, why.default_message)
            return None

    async def _take(self, run: Run, id: str, published: PublishedItem, with_content: bool) -> bool:
        """Have an item be as it is there; returns whether it has changed.

        :raises FetchError: a file cannot be had.
        :raises VapiError: a file is not what was told of it, or there is no room.
        :raises Overtaken: the item is no more.
        """
        # There may be very many of which nothing is new.
        await asyncio.sleep(0)
        item = self._inventory.get(LibraryItem, id)
        if item is None:
            raise Overtaken("it is no more")
        remote = remote_of(run, published)
        present = frozenset(file.name for file in still_good(item, remote))
        everything = with_content or not run.subscription.on_demand
        missing = [
            file for file in remote.files if file.name not in present and (everything or is_descriptor(file.name))
        ]
        if missing and item.is_package:
            # What comes is held against the manifest, whenever that came first.
            missing += [file for file in remote.files if file not in missing and part_of(file.name) in METADATA]
        if any(file.size_bytes > self._most_bytes for file in missing):
            raise too_large(self._most_bytes)
        if not missing and item.last_synced is not None and self._changed(run, item, published, remote, None) == item:
            return False
        session = await self._begin(run, item, missing) if missing else None
        try:
            if session is not None:
                for file, coming in zip(missing, session.files, strict=True):
                    async with run.publisher.file(file) as stream:
                        await self._receiving.receive(session, coming, stream, None)
            return await self._complete(run, item.id, published, remote, session, await self._warnings(session))
        except BaseException:
            if session is not None:
                await self._inventory.change(lambda edit: forget(edit, session.id))
            raise

    async def _begin(self, run: Run, item: LibraryItem, missing: Iterable[RemoteFile]) -> UpdateSession:
        """A session that receives those files."""
        files = tuple(
            [
                PushedFile(name=file.name, number=number, size_bytes=file.size_bytes)
                for number, file in enumerate(missing, 1)
            ]
        )
        session = UpdateSession(
            id=ids.ContentLibraryItemUpdateSessionId(f"{new_uuid(self._random_bytes)}:{new_uuid(self._random_bytes)}"),
            item=item.id,
            user=NOBODY,
            content_version=item.content_version,
            secret=self._random_bytes(SECRET_BYTES).hex(),
            expires=self._files.until(),
            files=files,
            next_number=len(files) + 1,
        )

        def plan(edit: Edit) -> None:
            self._current(edit, run)
            if edit.get(LibraryItem, item.id) is None:
                raise Overtaken("it is no more")
            # Nobody but who syncs begins sessions here: this one is of a worker that does so no more.
            for other in list(self._inventory.by(UpdateSession, "item", item.id)):
                edit.delete(UpdateSession, other)
            edit.put(session)

        await self._inventory.change(plan)
        return session

    async def _warnings(self, session: UpdateSession | None) -> Warnings:
        """What is to be said of who has signed the package that has come, if it is one."""
        received = None if session is None else self._inventory.get(UpdateSession, session.id)
        if received is None:
            return ()
        return tuple([each.type for each in await warnings_of(self._inventory, received, self._now())])

    async def _complete(
        self,
        run: Run,
        id: str,
        published: PublishedItem,
        remote: RemoteItem,
        session: UpdateSession | None,
        warnings: Warnings,
    ) -> bool:
        """Change the item, all at once; returns whether there was anything to change."""

        def plan(edit: Edit) -> bool:
            self._current(edit, run)
            item = edit.get(LibraryItem, id)
            received = None if session is None else edit.get(UpdateSession, session.id)
            if item is None or (session is not None and received is None):
                raise Overtaken("it was deleted, or another worker syncs it")
            new = self._changed(run, item, published, remote, received, warnings)
            if received is not None:
                edit.delete(UpdateSession, received.id)
            changed = new != item
            if changed or item.last_synced is None:
                edit.put(msgspec.structs.replace(new, last_synced=self._now()))
            if changed and new.is_cached:
                self._hand_over(edit, new)
            return changed

        return await self._inventory.change(plan)

    def _hand_over(self, edit: Edit, item: LibraryItem) -> None:
        """Give the content that has come to the download sessions that wait for it."""
        for id in list(self._inventory.by(DownloadSession, "item", item.id)):
            session = edit.get(DownloadSession, id)
            if session is not None and session.is_active and session.absent:
                edit.put(msgspec.structs.replace(session.with_item(item), expires=self._files.until()))

    def _changed(
        self,
        run: Run,
        item: LibraryItem,
        published: PublishedItem,
        remote: RemoteItem,
        received: UpdateSession | None,
        warnings: Warnings = (),
    ) -> LibraryItem:
        came = {} if received is None else {file.name: file.received for file in received.files if file.received}
        kept = {file.name: file for file in still_good(item, remote)}
        files = []
        for file in remote.files:
            coming = came.get(file.name)
            before = item.file(file.name)
            if file.name in kept:
                files.append(kept[file.name])
            elif coming is not None:
                files.append(msgspec.structs.replace(coming, version=1 if before is None else before.version + 1))
        name = run.names[published.id]
        others = self._inventory.by(LibraryItem, "library_name", name_key(item.library, name))
        new = msgspec.structs.replace(
            item,
            name=item.name if any(other != item.id for other in others) else name,
            description=published.description,
            type=published.type,
            content_version=published.content_version,
            metadata_version=published.metadata_version,
            remote=remote,
            files=tuple(files),
        )
        if received is not None or not any(part_of(file.name) is Part.CERTIFICATE for file in files):
            new = verified(new, received, warnings)
        if new == item:
            return item
        of_version = (new.name, new.description, new.type, new.metadata_version)
        is_told = of_version != (item.name, item.description, item.type, item.metadata_version)
        return msgspec.structs.replace(new, version=item.version + is_told, modified=self._now())


MOST_ITEMS_AT_ONCE = 20
"""However many the settings allow."""


def is_within(hour: int, settings: ContentConfiguration) -> bool:
    """Whether libraries may sync by themselves at that hour (UTC): from the first one on, before the second one."""
    start, stop = settings.automatic_sync_start_hour, settings.automatic_sync_stop_hour
    if start == stop:
        return True
    return start <= hour < stop if start < stop else hour >= start or hour < stop


def is_due(library: Library, now: datetime, every: timedelta) -> bool:
    """Whether a library is to sync by itself now."""
    if library.subscription is None or not library.subscription.automatic or library.maintenance is not None:
        return False
    return library.last_tried is None or now - library.last_tried >= every


def remote_of(run: Run, item: PublishedItem) -> RemoteItem:
    """What is kept of what the publisher has told."""
    return RemoteItem(version=item.version, files=item.files, number=run.subscription.number)


def still_good(item: LibraryItem, remote: RemoteItem) -> Iterator[LibraryFile]:
    """The files of an item that need not be had anew, as they are the same there by now.

    Where a publisher tells nothing by which contents differ, they are the same as long as the item has the same
    version.
    """
    before = item.remote
    if before is None or before.number != remote.number:
        return
    same_version = before.version == remote.version
    known = {file.name: file for file in before.files}
    for file in remote.files:
        old, present = known.get(file.name), item.file(file.name)
        if old is None or present is None or old.size_bytes != file.size_bytes:
            continue
        told = (file.etag, file.generation)
        if told == (old.etag, old.generation) and (same_version or told != ("", "")):
            yield present


def names_of(items: Iterable[PublishedItem]) -> dict[str, str]:
    """What items are to be called here, where no two have the same name: the later ones get part of their ids."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for item in sorted(items, key=lambda item: item.id):
        name = item.name if item.name not in taken else distinct_name(item)
        taken.add(name)
        names[item.id] = name
    return names


def distinct_name(item: PublishedItem) -> str:
    """A name that no other item has."""
    mark = f" ({item.id[: LONGEST_ITEM_NAME // 2]})"
    return item.name[: LONGEST_ITEM_NAME - len(mark)] + mark


def verified(item: LibraryItem, received: UpdateSession | None, warnings: Warnings) -> LibraryItem:
    """The item with what is known of who has made it, if it is a package, by what has come."""
    signature = None if received is None or not item.is_package else signature_of(received)
    if received is None or signature is None:
        return msgspec.structs.replace(item, verification=CertVerificationStatus.NOT_AVAILABLE, certificates=())
    # Of subscribed items manifest and certificate are kept: they vouch for the others, and nobody for them.
    others = tuple([file for file in item.files if part_of(file.name) not in METADATA])
    status = verification(msgspec.structs.replace(item, files=others), received, warnings)
    return msgspec.structs.replace(item, verification=status, certificates=signature.chain)


def settle(edit: Edit, requests: Iterable[SyncRequest], failures: Failures) -> None:
    """What was asked for is done, but for what was asked for anew meanwhile; whoever waits for contents is told why
    they did not come."""
    for request in requests:
        current = edit.get(SyncRequest, request.id)
        if current is None or current.mark != request.mark:
            continue
        edit.delete(SyncRequest, request.id)
        item = None if request.item is None else edit.get(LibraryItem, request.item)
        if item is not None and request.with_content:
            why = failures.get(item.id)
            if why != item.not_fetched:
                edit.put(msgspec.structs.replace(item, not_fetched=why))


def forget(edit: Edit, session: str) -> None:
    """Delete a session that is of no use, with what came in it."""
    if edit.get(UpdateSession, session) is not None:
        edit.delete(UpdateSession, session)


def reason(error: Exception) -> LocalizableMessage:
    """Why something was not synced; whoever reads of it later may know of fewer objects than are named."""
    if isinstance(error, FetchError):
        return error.message
    if isinstance(error, VapiError) and error.messages:
        return told(error.messages[0], nothing)
    if isinstance(error, Overtaken):
        return message("resphere.content.sync_overtaken", "{0}.", error)
    return message("resphere.content.sync_failed", "The sync failed; the log of the server says why.")
