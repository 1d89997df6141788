"""``resphere.events``: what has happened."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec

from resphere.contract.errors import InvalidArgument, ResourceInaccessible, VapiError, message
from resphere.contract.extensions.events import Events
from resphere.contract.model import ByteStream
from resphere.events.feed import READ_AT_ONCE
from resphere.events.filters import Wanted
from resphere.events.heard import Heard, Part
from resphere.events.infos import info
from resphere.events.seeing import Eyes, eyes_of
from resphere.events.stream import EventStream
from resphere.services.call import Call
from resphere.services.checks.event_filters import wanted_of
from resphere.services.registry import implements

USUAL_SIZE = 100
MOST_SIZE = 1000
MOST_WAIT_SECONDS = 60
MOST_LOOKED_AT = 10_000
"""So many events are looked at for a page."""
MOST_NUMBER = 2**63 - 1
GONE = 410


@implements(Events.list)
async def list_events(call: Call, filter: Events.FilterSpec | None, wait: int | None, size: int | None) -> Events.Page:
    """The events after one that the caller has; where there are none yet, it may be waited for some.

    :raises InvalidArgument: a number is out of range.
    :raises NotFound: the caller sees no such branch.
    :raises ResourceInaccessible: what is asked for is no longer kept.
    """
    seconds = within("wait", 0 if wait is None else wait, 0, MOST_WAIT_SECONDS)
    most = within("size", USUAL_SIZE if size is None else size, 1, MOST_SIZE)
    wanted, span = wanted_of(call, filter), await span_of(call, filter, 0)
    until = span.until
    page = await page_of(call, wanted, span, most)
    if page.events or not seconds or page.next < page.latest or page.next >= until:
        return page
    readers, user = call.environment.readers, call.session.user
    readers.require_room(user)
    with readers.seat(user):
        return await page_in_time(call, wanted, page, Span(page.next, until), most, seconds)


class Span(msgspec.Struct, frozen=True):
    """Events with numbers above ``after``, up to ``until``."""

    after: int
    until: int


async def page_in_time(
    call: Call, wanted: Wanted, page: Events.Page, span: Span, most: int, seconds: int
) -> Events.Page:
    """The page that follows, as soon as there is anything on it, or as it is after so many seconds."""
    feed, until = call.environment.feed, span.until
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    with feed.listening():
        while not page.events and page.next < until and not feed.stopping and (left := end - loop.time()) > 0:
            if await feed.wait(page.next, left):
                page = await page_of(call, wanted, Span(page.next, until), most)
    return page


async def page_of(call: Call, wanted: Wanted, span: Span, most: int) -> Events.Page:
    """The events that the caller sees, up to so many."""
    feed, eyes = call.environment.feed, await eyes_now(call)
    found: list[Heard] = []
    after = span.after
    while True:
        part = await feed.since(after, READ_AT_ONCE)
        require_kept(part, after)
        latest = part.last
        for each in part.events:
            if each.number > span.until:
                break
            after = each.number
            if wanted.has(each.event) and eyes.see(each.event):
                found.append(each)
                if len(found) == most:
                    break
        is_over = len(part.events) < READ_AT_ONCE or after >= span.until
        if len(found) == most or is_over or after - span.after >= MOST_LOOKED_AT:
            return Events.Page(events=tuple(map(info, found)), next=after, latest=latest)
        await asyncio.sleep(0)


@implements(Events.follow)
async def follow(call: Call, filter: Events.FilterSpec | None, last_event_id: str | None) -> ByteStream:
    """The events after one that the caller has, and those to come, until the caller goes or may see nothing more.

    :raises InvalidArgument: what the caller has is no number of an event.
    :raises NotFound: the caller sees no such branch.
    :raises ResourceInaccessible: what is asked for is no longer kept.
    :raises ServiceUnavailable: too many streams are open.
    """
    feed, readers, user = call.environment.feed, call.environment.readers, call.session.user
    wanted = wanted_of(call, filter)
    if filter is not None and filter.end_time is not None and filter.end_time > call.environment.present():
        raise InvalidArgument(
            message("resphere.events.end_time", "end_time: must not lie ahead; a stream ends at what is past.")
        )
    if last_event_id:
        filter = msgspec.structs.replace(filter or Events.FilterSpec(), after=number_of(last_event_id))
    readers.require_room(user)
    span = await span_of(call, filter, None)
    require_kept(await feed.since(span.after, 1), span.after)
    return EventStream(feed, readers, user, wanted, span.after, span.until, lambda: eyes_now(call))


def after_of(filter: Events.FilterSpec | None) -> int | None:
    """The number of the last event that the caller has.

    :raises InvalidArgument: it is none.
    """
    if filter is None or filter.after is None:
        return None
    return within("after", filter.after, 0, MOST_NUMBER)


async def span_of(call: Call, filter: Events.FilterSpec | None, usual: int | None) -> Span:
    """The events that are wanted, by their numbers; they begin after ``usual`` where nothing is said of that, ``None``:
    after the latest.

    :raises InvalidArgument: a number is none, or the last comes before the first.
    """
    feed, after = call.environment.feed, after_of(filter)
    begin = None if filter is None else filter.begin_time
    end = None if filter is None else filter.end_time
    if begin is not None:
        after = max(after or 0, await feed.latest_before(milliseconds(begin)))
    if after is None:
        after = await feed.latest() if usual is None else usual
    until = until_of(filter, after if begin is None else 0)
    if end is not None and end < call.environment.present():
        until = min(until, await feed.latest_before(milliseconds(end) + 1))
    return Span(after, max(after, until))


def milliseconds(moment: datetime) -> int:
    """A moment in milliseconds of Unix time."""
    return round(moment.timestamp() * 1000)


def until_of(filter: Events.FilterSpec | None, after: int) -> int:
    """The number of the last event that the caller wants.

    :raises InvalidArgument: the caller has more.
    """
    if filter is None or filter.until is None:
        return MOST_NUMBER
    return within("until", filter.until, after, MOST_NUMBER)


def number_of(last_event_id: str) -> int:
    """The number in ``Last-Event-ID``.

    :raises InvalidArgument: it is none.
    """
    if not last_event_id.isascii() or not last_event_id.isdecimal() or len(last_event_id) > len(str(2**62)):
        raise InvalidArgument(
            message("resphere.events.last_event_id", "Last-Event-ID: must be the number of an event of this server.")
        )
    return int(last_event_id)


def within(name: str, value: int, least: int, most: int) -> int:
    """The value.

    :raises InvalidArgument: it is out of range.
    """
    if not least <= value <= most:
        raise InvalidArgument(
            message("resphere.events.range", "{0}: must be from {1} to {2}, not {3}.", name, least, most, value)
        )
    return value


def require_kept(part: Part, after: int) -> None:
    """Refuse to go on where nobody knows any more what has come since.

    :raises ResourceInaccessible: with the status 410.
    """
    if part.misses(after):
        raise gone(part, after)


def gone(part: Part, after: int) -> VapiError:
    """What follows an event is no longer kept, or that was one of another server's."""
    if after > part.last:
        return ResourceInaccessible(
            message(
                "resphere.events.unknown",
                "There is no event {0}: the latest is {1}. The server's data may be from a backup; look at everything "
                "anew, and go on after {1}.",
                after,
                part.last,
            )
        ).http(GONE)
    return ResourceInaccessible(
        message(
            "resphere.events.gone",
            "The events after {0} are no longer kept: the oldest is {1}. Look at everything anew, and go on after {2}.",
            after,
            part.first,
            part.last,
        )
    ).http(GONE)


async def eyes_now(call: Call) -> Eyes:
    """What the caller sees at this moment.

    :raises Unauthenticated: the session has ended, or what else let the caller in.
    """
    view = call.view if call.look_again is None else await call.look_again()
    return eyes_of(call.unfiltered, view, call.session.principal)
