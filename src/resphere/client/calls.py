"""Calls as flows: with a session, again where that is safe, and waited for. One source of both clients."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from resphere import __version__
from resphere.client.errors import (
    ClientError,
    ConnectionLost,
    NoAnswer,
    NotFinished,
    TooSlow,
    Unreachable,
    UntrustedServer,
    error_with,
)
from resphere.client.forms import OCTETS, SESSION_HEADER, Form, api_form, form_of
from resphere.client.options import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Identity, Options
from resphere.client.replies import failure_in
from resphere.client.steps import Exclusive, Flow, Opened, Pause, Request, Response, Send
from resphere.contract.errors import ERRORS, OperationNotFound, Unauthenticated, VapiError, message
from resphere.contract.generated import cis, cis_task
from resphere.contract.generated.ids import CisTaskId
from resphere.contract.model import AnyOperation, NoInput, Struct

USER_AGENT = ("User-Agent", f"resphere-client/{__version__}")
NO_API = "There is no POST /api/session here, which a vCenter has since release 7.0 U2. {0}"
AS_IT_IS = ("Accept-Encoding", "identity")
WAIT_SECONDS = 20
"""So long a resphere is asked to wait with an answer until a task is over; with progress, ``LOOK_SECONDS``."""
LOOK_SECONDS = 1
FIRST_LOOK_SECONDS = 0.25
LONGEST_LOOK_SECONDS = 5.0
OVER = (cis_task.Status.SUCCEEDED, cis_task.Status.FAILED)

Progress = Callable[[cis_task.Info], None]
Make = Callable[[str | None], Request]
Fails = Callable[[Response], VapiError | None]


class Surroundings(msgspec.Struct, frozen=True):
    """What a client takes from outside: the time, for dates in answers; seconds that pass; chance, between 0 and 1."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    chance: Callable[[], float]


class Calls:
    """The flows of one client. It knows its session, and once it was asked, whether the server is resphere."""

    def __init__(self, identity: Identity, surroundings: Surroundings) -> None:
        self._identity = identity
        self._surroundings = surroundings
        self._session_id = identity.session_id
        self._is_resphere: bool | None = None

    @property
    def session_id(self) -> str | None:
        """The session, where there is one."""
        return self._session_id

    # --- sessions ----------------------------------------------------------------------------------------------------

    def login(self, options: Options) -> Flow[str | None]:
        """Begin a session unless there is one; returns its id, ``None`` for who needs none."""
        if self._session_id is not None or not self._identity.can_log_in:
            return self._session_id
        session_id: str = yield Exclusive(self._begun(None, options))
        return session_id

    def _begun(self, stale: str | None, options: Options) -> Flow[str]:
        """A session other than ``stale``: that which somebody else has begun meanwhile, or a new one."""
        if self._session_id is not None and self._session_id != stale:
            return self._session_id
        operation = cis.Session.create
        form = api_form(operation)
        given = f"{self._identity.user}:{self._identity.password}".encode()
        request = form.request(NoInput(), (), None)
        credentials = ("Authorization", f"Basic {base64.b64encode(given).decode()}")
        # A session more does no harm, so that it may be asked for again.
        request = msgspec.structs.replace(request, headers=(*request.headers, credentials), is_safe=True)
        plain = msgspec.structs.replace(options, headers=(), query=(), idempotency_key=None)
        response = whole((yield from self._repeated(request, plain)))
        failure = form.failure(response)
        if isinstance(failure, OperationNotFound):
            raise OperationNotFound(message("resphere.client.no_api", NO_API, str(failure)))
        raise_for(failure)
        self._session_id = str(form.result(response))
        return self._session_id

    def logout(self, options: Options) -> Flow[None]:
        """End the session that the client has begun. One that cannot be ended now ends by itself, when nobody uses it:
        whoever leaves is not kept by that."""
        if self._session_id is None or self._identity.session_id is not None:
            return
        request = api_form(cis.Session.delete).request(NoInput(), (), self._session_id)
        self._session_id = None
        try:
            yield Send(msgspec.structs.replace(request, seconds=options.timeout_seconds))
        except NoAnswer:
            return

    # --- calls -------------------------------------------------------------------------------------------------------

    def call(self, operation: AnyOperation, value: Struct, options: Options) -> Flow[Any]:
        """The result of a call.

        :raises VapiError: the server refuses it.
        :raises ClientError: there is no answer, or none of vSphere's.
        """
        form = form_of(operation, value)
        response = yield from self.answered(form, value, options)
        return form.result(response)

    def answered(self, form: Form, value: Struct, options: Options) -> Flow[Response]:
        """A good answer of an operation."""
        response = yield from self._within_session(
            lambda session_id: form.request(value, options.query, session_id), form.failure, options
        )
        return whole(response)

    def opened(self, operation: AnyOperation, value: Struct, options: Options) -> Flow[Opened]:
        """A good answer whose body is to be read piece by piece."""
        form = api_form(operation)
        options = msgspec.structs.replace(options, headers=(*options.headers, AS_IT_IS))
        opened = yield from self._within_session(
            lambda session_id: form.request(value, options.query, session_id), form.failure, options, opened=True
        )
        if not isinstance(opened, Opened):
            raise TypeError("a good answer is handed out unread")
        return opened

    def uploaded(self, request: Request, content: Any, options: Options) -> Flow[None]:
        """Send a file to the address that a server has given for it."""
        sent = msgspec.structs.replace(
            request, method="PUT", content=content, headers=(*request.headers, OCTETS), is_safe=False
        )
        response = whole((yield from self._repeated(sent, options)))
        raise_for(failure_in(response))

    def downloaded(self, request: Request, options: Options) -> Flow[Opened]:
        """A file at the address that a server has given for it, to be read piece by piece."""
        asked = msgspec.structs.replace(request, headers=(*request.headers, AS_IT_IS), is_safe=True)
        opened = yield from self._repeated(asked, options, opened=True)
        if isinstance(opened, Response):
            raise_for(failure_in(opened))
            raise TypeError("a good answer is handed out unread")
        return opened

    def request(self, request: Request, options: Options) -> Flow[Response]:
        """The answer to any request, whatever it is, within the session."""

        def made(session_id: str | None) -> Request:
            header = () if session_id is None else ((SESSION_HEADER, session_id),)
            return msgspec.structs.replace(
                request, headers=(*request.headers, *header), query=(*request.query, *options.query)
            )

        response = yield from self._within_session(made, failure_in, options, refuse=False)
        return whole(response)

    def _within_session(
        self, make: Make, fails: Fails, options: Options, opened: bool = False, refuse: bool = True
    ) -> Flow[Response | Opened]:
        """The answer within a session, which is begun anew, once, where it has ended."""
        session_id = yield from self.login(options)
        request = make(session_id)
        response = yield from self._repeated(request, options, opened)
        failure = fails(response) if isinstance(response, Response) else None
        if isinstance(failure, Unauthenticated) and self._identity.can_log_in and request.can_be_repeated:
            session_id = yield Exclusive(self._begun(session_id, options))
            response = yield from self._repeated(make(session_id), options, opened)
            failure = fails(response) if isinstance(response, Response) else None
        if refuse:
            raise_for(failure)
        return response

    # --- again -------------------------------------------------------------------------------------------------------

    def _repeated(self, request: Request, options: Options, opened: bool = False) -> Flow[Response | Opened]:
        """The answer; asked for again where that is safe, and where the server says when."""
        request = self._dressed(request, options)
        tried = 0
        while True:
            try:
                response: Response | Opened = yield Send(request, opened)
            except NoAnswer as error:
                if tried >= options.retries or not (yield from self._may_repeat(request, error, options)):
                    raise
                pause = self._backoff_seconds(tried)
            else:
                wanted = None if tried >= options.retries else self._pause_before(request, response, tried)
                if wanted is None:
                    return response
                pause = wanted
            tried += 1
            yield Pause(pause)

    def _dressed(self, request: Request, options: Options) -> Request:
        """The request with what all of the client's have."""
        headers = [USER_AGENT, *request.headers, *options.headers]
        if self._identity.token is not None and not request.is_anonymous:
            headers.append(("Authorization", f"Bearer {self._identity.token}"))
        if options.idempotency_key is not None and not request.is_safe:
            headers.append(("Idempotency-Key", options.idempotency_key))
        return msgspec.structs.replace(request, headers=tuple(headers), seconds=options.timeout_seconds)

    def _may_repeat(self, request: Request, error: NoAnswer, options: Options) -> Flow[bool]:
        """Whether a call that was not answered may be sent again: where it changes nothing, where nothing was sent, or
        where the server makes it once. Not what took too long, which would take as long again."""
        if isinstance(error, UntrustedServer | TooSlow) or not request.can_be_repeated:
            return False
        if isinstance(error, Unreachable) or request.is_safe:
            return True
        if not isinstance(error, ConnectionLost) or options.idempotency_key is None:
            return False
        try:
            return (yield from self.is_resphere(options))
        except (ClientError, VapiError):
            # What counts is the error that is at hand: the call is not repeated, and it is raised.
            return False

    def _pause_before(self, request: Request, response: Response | Opened, tried: int) -> float | None:
        """How long to wait before a call is sent again that was answered; ``None``: it is not."""
        if isinstance(response, Opened) or not request.can_be_repeated:
            return None
        if response.status in (429, 503) and "retry-after" in response.headers:
            seconds = self._seconds_in(response.headers["retry-after"])
            return seconds if seconds is not None and seconds <= LONGEST_PAUSE_SECONDS else None
        if response.status in (502, 503, 504) and request.is_safe:
            return self._backoff_seconds(tried)
        return None

    def _backoff_seconds(self, tried: int) -> float:
        """Longer and longer, and not for all clients alike."""
        return min(FIRST_PAUSE_SECONDS * 2.0**tried, LONGEST_PAUSE_SECONDS) * (0.5 + self._surroundings.chance())

    def _seconds_in(self, header: str) -> float | None:
        """What ``Retry-After`` says: seconds, or a date."""
        if header.strip().isdecimal():
            return float(header)
        try:
            date = parsedate_to_datetime(header)
        except ValueError:
            return None
        date = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
        return max(0.0, (date - self._surroundings.now()).total_seconds())

    # --- the server --------------------------------------------------------------------------------------------------

    def is_resphere(self, options: Options) -> Flow[bool]:
        """Whether the server is resphere, which says so at ``GET /api``; asked once.

        :raises VapiError: it cannot answer now.
        """
        if self._is_resphere is None:
            plain = msgspec.structs.replace(options, headers=(), query=(), idempotency_key=None)
            response = yield from self.request(Request("GET", "/api", is_safe=True), plain)
            if response.status == 429 or response.status >= 500:
                raise_for(failure_in(response))
            self._is_resphere = response.is_good and b'"server_version"' in response.content
        return self._is_resphere

    # --- tasks -------------------------------------------------------------------------------------------------------

    def wait(
        self, task: str, progress: Progress | None, longest_seconds: float | None, options: Options
    ) -> Flow[cis_task.Info]:
        """A task as it is when it is over.

        :raises VapiError: it failed; its error.
        :raises NotFinished: it is not over in ``longest_seconds``.
        """
        monotonic = self._surroundings.monotonic
        end = None if longest_seconds is None else monotonic() + longest_seconds
        look = FIRST_LOOK_SECONDS
        while True:
            left = None if end is None else end - monotonic()
            info, waited = yield from self._looked(task, progress is not None, left, options)
            if progress is not None:
                progress(info)
            if info.status in OVER:
                raise_for(None if info.status is cis_task.Status.SUCCEEDED else failure_of(info))
                return info
            if end is not None and monotonic() >= end:
                raise NotFinished(f"The task {task} is {info.status} after {longest_seconds:g} s; it goes on.")
            if not waited:
                yield Pause(look if end is None else max(0.0, min(look, end - monotonic())))
                look = min(look * 1.5, LONGEST_LOOK_SECONDS)

    def _looked(
        self, task: str, with_progress: bool, left: float | None, options: Options
    ) -> Flow[tuple[cis_task.Info, bool]]:
        """A task as it is, and whether the server has waited with the answer; others than resphere pass over that."""
        operation = cis.Tasks.get
        form = api_form(operation)
        wanted = LOOK_SECONDS if with_progress else WAIT_SECONDS
        seconds = wanted if left is None else max(0, min(wanted, int(left)))
        prefer = ((("Prefer", f"wait={seconds}"),)) if seconds else ()
        asked = msgspec.structs.replace(
            options, headers=(*options.headers, *prefer), timeout_seconds=options.timeout_seconds + seconds
        )
        response = yield from self.answered(form, operation.input(task=CisTaskId(task)), asked)
        info: cis_task.Info = form.result(response)
        return info, "preference-applied" in response.headers


def whole(response: Response | Opened) -> Response:
    """An answer that was read."""
    if not isinstance(response, Response):
        raise TypeError("the answer was asked for whole")
    return response


def raise_for(failure: VapiError | None) -> None:
    """Raise it, if it is one."""
    if failure is not None:
        raise failure


def failure_of(info: cis_task.Info) -> VapiError:
    """The error of a task that failed; some of vCenter's tell none but what they were."""
    if info.error is None:
        return VapiError(info.description)
    kind = ERRORS.get(info.error.error_type) or error_with(info.error.error_type)
    return kind(*info.error.messages, data=info.error.data)
