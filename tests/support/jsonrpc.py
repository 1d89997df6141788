"""Requests of vAPI's JSON-RPC, as the official SDK writes them, and what comes back."""

from __future__ import annotations

from typing import Any

import msgspec
import requests

from tests.support.server import ADMINISTRATOR, PASSWORD, Server

SECURITY = "com.vmware.vapi.std.security."
SESSION = "com.vmware.cis.session"
USER_PASS = {"schemeId": SECURITY + "user_pass", "userName": ADMINISTRATOR, "password": PASSWORD}


def session_context(session_id: str) -> dict[str, str]:
    """The security context of a session."""
    return {"schemeId": SECURITY + "session_id", "sessionId": session_id}


def invocation(
    service: str, operation: str, fields: Any = None, security: dict[str, Any] | None = None, identity: Any = "0"
) -> dict[str, Any]:
    """A request of ``operation`` with the encoded input ``fields``."""
    context: dict[str, Any] = {"appCtx": {"opId": "test"}}
    if security is not None:
        context["securityCtx"] = security
    params = {
        "serviceId": service,
        "operationId": operation,
        "input": {"STRUCTURE": {"operation-input": fields or {}}},
        "ctx": context,
    }
    return {"jsonrpc": "2.0", "method": "invoke", "id": identity, "params": params}


def error_of(reply: dict[str, Any]) -> tuple[str, list[str]]:
    """Name (without its package) and message ids of a vAPI error."""
    [(name, fields)] = reply["result"]["error"]["ERROR"].items()
    messages = [message["STRUCTURE"]["com.vmware.vapi.std.localizable_message"] for message in fields["messages"]]
    return name.rpartition(".")[2], [message["id"] for message in messages]


def said(value: Any) -> Any:
    """What a value of the contract says, whatever the Python types: its JSON document, without members that are null.

    In structures whose type the contract leaves open, unset and absent are the same.
    """
    # Maps may have numbers for keys, which JSON and the order of sets want as text.
    in_order = msgspec.to_builtins(value, str_keys=True, order="deterministic")
    return without_null(msgspec.json.decode(msgspec.json.encode(in_order)))


def without_null(value: Any) -> Any:
    """A document without members that are null."""
    if isinstance(value, dict):
        return {name: without_null(inner) for name, inner in value.items() if inner is not None}
    return [without_null(inner) for inner in value] if isinstance(value, list) else value


class JsonRpcClient:
    """Speaks JSON-RPC to a server over one connection, with a session unless told otherwise."""

    def __init__(self, server: Server, log_in: bool = True) -> None:
        self.url = server.url + "/api"
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = server.verify
        self.security: dict[str, str] | None = None
        self.session_id = ""
        if log_in:
            self.session_id = self.call(SESSION, "create", security=USER_PASS)["result"]["output"]["SECRET"]
            self.security = session_context(self.session_id)

    def call(
        self, service: str, operation: str, fields: Any = None, security: dict[str, str] | None = None, **options: Any
    ) -> dict[str, Any]:
        """The reply to one invocation; everything rides status 200."""
        reply = self.send(json=invocation(service, operation, fields, security or self.security), **options)
        assert reply.status_code == 200, reply.text
        decoded: dict[str, Any] = reply.json()
        return decoded

    def send(self, **options: Any) -> requests.Response:
        """POST something."""
        return self.http.post(self.url, timeout=60, **options)

    def __enter__(self) -> JsonRpcClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
