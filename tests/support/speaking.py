"""Asks any operation of a running server in any dialect, and reads results and failures as the contract's types."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from resphere.contract.model import AnyOperation
from tests.support.calls import ApiCall, api_call
from tests.support.jsonrpc import SECURITY, JsonRpcClient, session_context
from tests.support.rest_calls import rest_call
from tests.support.served import fields_of, told_by_api, told_by_jsonrpc, told_by_rest
from tests.support.server import ADMINISTRATOR, PASSWORD, Client, Server


class Dialect(StrEnum):
    """How a client speaks."""

    API = "/api"
    REST = "/rest"
    JSONRPC = "JSON-RPC"

    def speaks(self, operation: AnyOperation) -> bool:
        """Whether an operation can be asked so."""
        return self is Dialect.JSONRPC or (operation.api if self is Dialect.API else operation.rest) is not None


class Speaker:
    """Somebody who asks in one dialect, with a session unless there is no ``user``."""

    def __init__(
        self, server: Server, dialect: Dialect, user: str | None = ADMINISTRATOR, password: str = PASSWORD
    ) -> None:
        self.dialect = dialect
        self.client = Client(server, user, password)
        self.jsonrpc = JsonRpcClient(server, log_in=False)
        if user is not None:
            self.jsonrpc.security = session_context(self.client.token)

    def ask(self, operation: AnyOperation, **fields: Any) -> Any:
        """The result, or the failure. ``login``, a name and a password, stands in for the session."""
        login: tuple[str, str] | None = fields.pop("login", None)
        value = operation.input(**fields)
        if self.dialect is Dialect.JSONRPC:
            security = None if login is None else user_pass(*login)
            given = fields_of(operation, value)
            reply = self.jsonrpc.call(operation.service, operation.name, given, security)
            return told_by_jsonrpc(operation, reply)
        call = api_call(operation, value) if self.dialect is Dialect.API else rest_call(operation, value)
        told = told_by_api if self.dialect is Dialect.API else told_by_rest
        status, content = self._send(call, login)
        return told(operation, status, content)

    def _send(self, call: ApiCall, login: tuple[str, str] | None) -> tuple[int, bytes]:
        headers: dict[str, str | None] = {**call.headers}
        if login is not None:
            headers["vmware-api-session-id"] = None
        reply = self.client.request(call.method, call.target, data=call.body, headers=headers, auth=login)
        return reply.status_code, reply.content

    def __enter__(self) -> Speaker:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.jsonrpc.http.close()


def user_pass(user: str, password: str) -> dict[str, str]:
    """The security context of a name and a password."""
    return {"schemeId": SECURITY + "user_pass", "userName": user, "password": password}
