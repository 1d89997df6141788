"""Takes the steps of flows: by blocking, or by awaiting. The only place where the two clients differ."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import AsyncIterator, Generator, Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx2

from resphere.client.connections import Target, told
from resphere.client.steps import Exclusive, Flow, Opened, Pause, Request, Response, Send, Step

R = TypeVar("R")


FAULTS = (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError, UnicodeError)
"""What goes wrong on the way, or with a request that cannot be written."""


def no_cookies() -> CookieJar:
    """A jar that takes none: a vCenter sets one with the session, which must not outlast that, nor go where nobody says
    who calls."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def read_whole(answer: httpx2.Response) -> Response:
    """The answer, of which everything was read."""
    return Response(answer.status_code, headers_of(answer), answer.content)


def headers_of(answer: httpx2.Response) -> dict[str, str]:
    """Headers by their names in small letters; several of one name are joined."""
    return {name.lower(): value for name, value in answer.headers.items()}


def built(client: httpx2.Client | httpx2.AsyncClient, target: Target, request: Request) -> httpx2.Request:
    """The request as httpx has it."""
    return client.build_request(
        request.method,
        target.address(request),
        headers=list(request.headers),
        content=request.content,
        timeout=httpx2.Timeout(request.seconds, connect=min(request.seconds, target.connect_seconds)),
    )


class Blocking:
    """Takes steps in the caller's thread. Any number of threads may do so at once."""

    def __init__(self, target: Target, tls: ssl.SSLContext | bool, transport: httpx2.BaseTransport | None) -> None:
        self._target = target
        self._http = httpx2.Client(verify=tls, transport=transport, limits=target.limits, cookies=no_cookies())
        self._lock = threading.Lock()

    def run(self, flow: Flow[R]) -> R:
        """Go through a flow to its end; returns what it returns and raises what it raises."""
        return run_by(flow, self._take)

    def pieces(self, opened: Opened) -> Iterator[bytes]:
        """The body of an answer, piece by piece; closed at the end, and when nobody wants more."""
        answer: httpx2.Response = opened.held
        try:
            yield from answer.iter_bytes()
        except httpx2.HTTPError as error:
            raise told(error, self._target) from error
        finally:
            answer.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _take(self, step: Step) -> Any:
        match step:
            case Send(request=request, opened=opened):
                return self._send(request, opened)
            case Pause(seconds=seconds):
                time.sleep(seconds)
            case Exclusive(flow=flow):
                with self._lock:
                    return self.run(flow)
        return None

    def _send(self, request: Request, opened: bool) -> Response | Opened:
        try:
            answer = self._http.send(built(self._http, self._target, request), stream=opened)
            if opened and answer.is_success:
                return Opened(answer.status_code, headers_of(answer), answer)
            answer.read()
        except FAULTS as error:
            raise told(error, self._target) from error
        return read_whole(answer)


def run_by(flow: Generator[Step, Any, R], take: Any) -> R:
    """Go through a flow; ``take`` takes each step and returns what comes of it."""
    try:
        step = next(flow)
        while True:
            try:
                result = take(step)
            except Exception as error:
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as end:
        returned: R = end.value
        return returned


class Awaiting:
    """Takes steps on the event loop of the caller. Any number of tasks of one loop may do so at once."""

    def __init__(self, target: Target, tls: ssl.SSLContext | bool, transport: httpx2.AsyncBaseTransport | None) -> None:
        self._target = target
        self._http = httpx2.AsyncClient(verify=tls, transport=transport, limits=target.limits, cookies=no_cookies())
        self._lock = asyncio.Lock()

    async def run(self, flow: Flow[R]) -> R:
        """Go through a flow to its end; returns what it returns and raises what it raises."""
        try:
            step = next(flow)
            while True:
                try:
                    result = await self._take(step)
                except Exception as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(result)
        except StopIteration as end:
            returned: R = end.value
            return returned

    async def pieces(self, opened: Opened) -> AsyncIterator[bytes]:
        """The body of an answer, piece by piece; closed at the end, and when nobody wants more."""
        answer: httpx2.Response = opened.held
        try:
            async for piece in answer.aiter_bytes():
                yield piece
        except httpx2.HTTPError as error:
            raise told(error, self._target) from error
        finally:
            await answer.aclose()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _take(self, step: Step) -> Any:
        match step:
            case Send(request=request, opened=opened):
                return await self._send(request, opened)
            case Pause(seconds=seconds):
                await asyncio.sleep(seconds)
            case Exclusive(flow=flow):
                async with self._lock:
                    return await self.run(flow)
        return None

    async def _send(self, request: Request, opened: bool) -> Response | Opened:
        try:
            answer = await self._http.send(built(self._http, self._target, request), stream=opened)
            if opened and answer.is_success:
                return Opened(answer.status_code, headers_of(answer), answer)
            await answer.aread()
        except FAULTS as error:
            raise told(error, self._target) from error
        return read_whole(answer)
