"""A connection to the server that a command means: logged in by what is kept, or by what is given."""

from __future__ import annotations

import argparse
import getpass
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, get_origin

import msgspec

from resphere.cli.exits import Ended, Exit
from resphere.cli.remote.chosen import PASSWORD, USER, Chosen, chosen
from resphere.cli.remote.contexts import Context, alone
from resphere.cli.remote.inputs import typed
from resphere.cli.remote.operations import operation
from resphere.cli.remote.secrets import Kept, Secrets, secrets_of
from resphere.client import Client
from resphere.client.errors import UnexpectedReply
from resphere.client.steps import Response
from resphere.contract.errors import NotFound, OperationNotFound, Unauthenticated, Unauthorized
from resphere.contract.generated.cis_task import Info
from resphere.contract.model import AnyOperation, Struct

Progress = Callable[[int, int, str], None]
ABSENT = (NotFound, OperationNotFound, Unauthorized, UnexpectedReply)
"""What a server says of paths that it does not have: vCenter's refuses some of them as not authorized."""


class Connection:
    """Calls by operations' ids, with plain values in and out. A session that has ended is begun anew where a password
    is kept, and kept in its place."""

    def __init__(self, server: Chosen, timeout_seconds: float) -> None:
        self._server = server
        self._timeout_seconds = timeout_seconds
        self._secrets: Secrets | None = None
        self._kept = Kept()
        if server.name is not None:
            self._secrets = secrets_of(server.context.keyring)
            self._kept = self._secrets.get(server.name)
        self._client = self._opened()

    @property
    def server(self) -> str:
        """The address of the server."""
        return self._server.context.server

    def call(self, id: str, input: Mapping[str, Any]) -> Any:
        """The result of an operation, as plain values.

        :raises VapiError: the server refuses it.
        :raises ClientError: there is no answer.
        :raises Ended: the input does not fit, or the server does not have what is resphere's own.
        """
        called = operation(id)
        return plain(self.invoke(called, typed(called.input, input, {})))

    def every(self, id: str, input: Mapping[str, Any]) -> Any:
        """The result of a list that is longer than servers give at once, as plain values; page by page where there are
        pages.

        :raises VapiError: there are none.
        """
        called = operation(id)
        made = typed(called.input, input, {})
        found = plain(self._authenticated(lambda: list(self._client.every(called, made))))
        return dict(found) if get_origin(called.output) is dict else found

    def invoke(self, called: AnyOperation, input: Struct) -> Any:
        """The result of an operation, as the contract has it."""
        try:
            return self._authenticated(lambda: self._client.call(called, input))
        except ABSENT as error:
            if called.is_extension and not self._client.is_resphere():
                raise Ended(
                    f"{called.id} is an operation of resphere's own, and {self.server} is no resphere: vCenter's API "
                    "has nothing in its place",
                    Exit.UNSUPPORTED,
                ) from error
            raise

    def stream(self, called: AnyOperation, input: Struct) -> Iterator[bytes]:
        """The bytes that an operation answers with."""
        pieces: Iterator[bytes] = self._authenticated(lambda: self._client.stream(called, input))
        return pieces

    def request(self, method: str, path: str, content: bytes | None) -> Response:
        """The answer to any request."""
        headers = {} if content is None else {"Content-Type": "application/json"}
        response: Response = self._authenticated(
            lambda: self._client.request(method, path, content=content or b"", headers=headers)
        )
        return response

    def wait(self, task: str, progress: Progress) -> Any:
        """The result of a task when it is over.

        :raises VapiError: it failed.
        """

        def told(info: Info) -> None:
            if info.progress is not None:
                progress(info.progress.completed, info.progress.total, info.progress.message.default_message)

        return plain(self._authenticated(lambda: self._client.wait(task, progress=told)).result)

    def close(self) -> None:
        """Close it; a session of a context goes on."""
        self._client.close()

    def _authenticated(self, ask: Callable[[], Any]) -> Any:
        """The answer; a session that has ended is begun anew, once, where that can be."""
        try:
            return ask()
        except Unauthenticated as error:
            if self._server.name is None:
                raise
            if self._kept.password is None or self._server.context.user is None:
                again = f"`resphere login --context {self._server.name}` begins another"
                raise Ended(f"the session at {self.server} has ended; {again}", Exit.NOT_ALLOWED) from error
        self._client.close()
        with alone():
            session = logged_in(self._server.context, self._kept.password, self._timeout_seconds)
            self._kept = msgspec.structs.replace(self._kept, session=session)
            assert self._secrets is not None
            self._secrets.set(self._server.name, self._kept)
        self._client = self._opened()
        return ask()

    def _opened(self) -> Client:
        """A client of what is known."""
        context = self._server.context
        if self._server.name is not None:
            if self._kept.session is None:
                again = f"`resphere login --context {self._server.name}` does that"
                raise Ended(f"nobody is logged in at {self.server}; {again}", Exit.NOT_ALLOWED)
            return client_of(context, self._timeout_seconds, session_id=self._kept.session)
        if context.user is None:
            raise Ended(f"nobody says who you are at {self.server}: --user, or the variable {USER}", Exit.NOT_ALLOWED)
        password = self._server.password
        if password is None:
            if not sys.stdin.isatty():
                raise Ended(f"there is no password for {self.server}: the variable {PASSWORD} has it", Exit.NOT_ALLOWED)
            password = getpass.getpass(f"Password of {context.user} at {self.server}: ")
        return client_of(context, self._timeout_seconds, user=context.user, password=password)


def client_of(
    context: Context,
    timeout_seconds: float,
    *,
    user: str | None = None,
    password: str | None = None,
    session_id: str | None = None,
) -> Client:
    """A client of a server; nothing is sent yet."""
    return Client(
        context.server,
        user=user,
        password=password,
        session_id=session_id,
        ca_file=None if context.insecure else context.ca_file,
        verify=not context.insecure,
        timeout_seconds=timeout_seconds,
    )


def logged_in(context: Context, password: str, timeout_seconds: float) -> str:
    """The id of a new session, which nobody ends here.

    :raises VapiError: the server lets nobody in by that.
    """
    credentials = b64encode(f"{context.user}:{password}".encode()).decode()
    with client_of(context, timeout_seconds) as client:
        by_password = client.with_options(headers={"Authorization": f"Basic {credentials}"})
        return str(by_password.call(operation("com.vmware.cis.session.create")))


@contextmanager
def connected(options: argparse.Namespace) -> Iterator[Connection]:
    """The server that the flags mean, for as long as a command runs."""
    connection = Connection(chosen(options), options.timeout_seconds)
    try:
        yield connection
    finally:
        connection.close()


def plain(value: Any) -> Any:
    """A value of the contract as JSON has it, always in the same order."""
    return msgspec.json.decode(msgspec.json.encode(value, order="deterministic"))
