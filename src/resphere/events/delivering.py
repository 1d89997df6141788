"""Sends events to webhooks: by one elected worker, in order, each until it is taken or was tried often enough.

What is sent is noted durably after it was taken, so after a crash the last one may come twice, and none is left out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

import msgspec

from resphere.access.principal import Principal
from resphere.access.view import Views
from resphere.events.cloud import cloud_event, signed
from resphere.events.event import Deed, Event, Kind, Subject
from resphere.events.feed import Feed
from resphere.events.heard import Heard, Part
from resphere.events.seeing import eyes_of
from resphere.events.webhooks import (
    MOST_DEAD_LETTERS,
    DeadLetter,
    Progress,
    Webhook,
    letter_id,
    letters_of,
    progress_of,
)
from resphere.fetching.errors import FetchError
from resphere.fetching.posting import Poster
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica

log = logging.getLogger(__name__)

PASSED_OVER = 500
"""After so many events that are not a webhook's, how far it is is noted all the same."""


class Backoff(msgspec.Struct, frozen=True):
    """Pauses between attempts: ``first_seconds``, then twice as long each time, up to ``most_seconds``."""

    first_seconds: float = 1.0
    most_seconds: float = 300.0

    def seconds(self, failures: int) -> float:
        """After so many failures in a row."""
        return min(self.first_seconds * 2.0 ** min(failures - 1, 30), self.most_seconds)


BACKOFF = Backoff()


class Deliveries:
    """All webhooks of a server. ``principal_of`` gives the local account of an owner, ``None``: it may not log in."""

    def __init__(
        self,
        replica: Replica,
        feed: Feed,
        poster: Poster,
        views: Views,
        principal_of: Callable[[str], Principal | None],
        now: Callable[[], datetime],
        source: str,
        backoff: Backoff = BACKOFF,
    ) -> None:
        self._replica = replica
        self._feed = feed
        self._poster = poster
        self._views = views
        self._principal_of = principal_of
        self._now = now
        self._source = source
        self._backoff = backoff

    async def run(self) -> None:
        """Send, until canceled: to be done by one worker at a time."""
        changed = asyncio.Event()
        ends = [
            self._replica.subscribe(Webhook, lambda old, new: changed.set()),
            self._replica.subscribe(DeadLetter, lambda old, new: changed.set() if new and new.waiting else None),
        ]
        running: dict[str, tuple[Webhook, asyncio.Task[None]]] = {}
        try:
            while True:
                changed.clear()
                await self._reconcile(running)
                await changed.wait()
        finally:
            for end in ends:
                end()
            await stop([task for _, task in running.values()])

    async def _reconcile(self, running: dict[str, tuple[Webhook, asyncio.Task[None]]]) -> None:
        """Have each webhook sent to as it is by now."""
        wanted = {id: hook for id, hook in self._replica.all(Webhook).items() if hook.enabled}
        over = [id for id, (hook, task) in running.items() if wanted.get(id) != hook or task.done()]
        await stop([running.pop(id)[1] for id in over])
        for id, hook in wanted.items():
            if id not in running or any(each.waiting for each in letters_of(self._replica, id)):
                if id in running:
                    await stop([running.pop(id)[1]])
                running[id] = hook, asyncio.get_running_loop().create_task(self._tend(hook))

    async def _tend(self, hook: Webhook) -> None:
        while True:
            try:
                await self._send_letters(hook)
                await self._follow(hook)
                return
            except Exception:
                log.exception("webhook %s failed and will go on", hook.id)
                await asyncio.sleep(self._backoff.most_seconds)

    async def _follow(self, hook: Webhook) -> None:
        noted = position = progress_of(self._replica, hook).position
        async for part in self._feed.follow(position):
            if part.misses(position):
                await self._send(hook, missing(part, position, self._now()))
            for each in part.events:
                if self._tells(hook, each):
                    await self._send(hook, each)
                    noted = each.number
                elif each.number - noted >= PASSED_OVER:
                    await self._note(hook, each.number)
                    noted = each.number
                position = each.number

    def _tells(self, hook: Webhook, heard: Heard) -> bool:
        """Whether the owner wants it, and sees it now. Reports are for the webhook that they name, and no other."""
        event = heard.event
        if event.report is not None:
            if event.target is None or event.target.id != hook.id:
                return False
        elif not hook.wanted.has(event):
            return False
        principal = self._principal_of(hook.owner)
        return principal is not None and eyes_of(self._replica, self._views.of(principal), principal).see(heard.event)

    async def _send(self, hook: Webhook, heard: Heard) -> None:
        """Send one, until it is taken or put aside."""
        failures = 0
        while True:
            error = await self._attempt(hook, heard)
            if error is None:
                await self._note(hook, heard.number)
                return
            failures += 1
            if failures >= hook.attempts:
                await self._put_aside(hook, heard, failures, error)
                return
            await self._note(hook, heard.number - 1, failures, error)
            await asyncio.sleep(self._backoff.seconds(failures))

    async def _attempt(self, hook: Webhook, heard: Heard) -> str | None:
        """Why it was not taken, ``None`` where it was."""
        sent = cloud_event(heard, self._source, hook.mode)
        try:
            await self._poster.post(hook.url, signed(sent, hook.secret, int(self._now().timestamp())), sent.body)
        except FetchError as error:
            return str(error)
        return None

    async def _send_letters(self, hook: Webhook) -> None:
        """Send those again that were put aside and wait for it: each once."""
        for letter in letters_of(self._replica, hook.id):
            if not letter.waiting:
                continue
            error = await self._attempt(hook, Heard(letter.number, letter.event))
            await self._replica.change(partial(settle_letter, letter=letter, error=error))

    async def _note(self, hook: Webhook, position: int, failures: int = 0, error: str | None = None) -> None:
        progress = Progress(id=hook.id, run=hook.runs, position=position, failures=failures, error=error)

        def plan(edit: Edit) -> None:
            if edit.get(Webhook, hook.id) is not None:
                edit.put(progress)

        await self._replica.change(plan)

    async def _put_aside(self, hook: Webhook, heard: Heard, attempts: int, error: str) -> None:
        log.warning("webhook %s: event %d was put aside: %s", hook.id, heard.number, error)

        def plan(edit: Edit) -> None:
            if edit.get(Webhook, hook.id) is None:
                return
            letters = letters_of(self._replica, hook.id)
            for each in letters[: max(len(letters) + 1 - MOST_DEAD_LETTERS, 0)]:
                edit.delete(DeadLetter, each.id)
            edit.put(
                DeadLetter(
                    id=letter_id(hook.id, heard.number),
                    webhook=hook.id,
                    number=heard.number,
                    event=heard.event,
                    time=self._now(),
                    attempts=attempts,
                    error=error,
                )
            )
            edit.put(Progress(id=hook.id, run=hook.runs, position=heard.number, error=error))

        await self._replica.change(plan)


def settle_letter(edit: Edit, letter: DeadLetter, error: str | None) -> None:
    """What becomes of a letter that was sent again."""
    current = edit.get(DeadLetter, letter.id)
    if current is None:
        return
    if error is None:
        edit.delete(DeadLetter, letter.id)
    else:
        edit.put(msgspec.structs.replace(current, attempts=current.attempts + 1, error=error, waiting=False))


def missing(part: Part, position: int, now: datetime) -> Heard:
    """An event that tells of events which are no longer kept, and were never sent."""
    last = part.first - 1 if part.first > position + 1 else part.last
    event = Event(
        time=round(now.timestamp() * 1000),
        type="resphere.events.gap",
        kind=Kind.ACCESS,
        deed=Deed.DELETED,
        object=Subject("Events", f"{position + 1}-{last}"),
    )
    return Heard(last, event)


async def stop(tasks: list[asyncio.Task[None]]) -> None:
    """Have tasks end. Whoever is canceled while they do is told that."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
