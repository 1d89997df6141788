"""An operation's input as the ``/api`` request that carries it: the reverse of what the dialect decodes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from resphere.contract.model import AnyOperation, ByteStream, Route, Struct, WholeBytes
from resphere.limits.classes import OperationClass, class_of
from tests.support.from_contract import Real, from_contract, minimal, wire, without_none
from tests.support.struct_fields import fields_of

OF_CERTIFICATES = "com.vmware.vcenter.certificate_management.vcenter"
ALL_SESSIONS_END = frozenset(
    {
        *(f"com.vmware.appliance.shutdown.{name}" for name in ("poweroff", "reboot")),
        "resphere.faults.vcenter.restart",
    }
)
"""Operations that end everybody's sessions."""
NEW_CERTIFICATES = frozenset(
    f"{OF_CERTIFICATES}.{name}" for name in ("tls.renew", "tls.replace_vmca_signed", "tls.set", "vmca_root.create")
)
"""Operations after which workers start anew, and clients may trust the server no longer: no part of sweeps over a
server that others use; ``tests/live/test_certificates.py`` and ``test_security_in_dialects.py`` have them."""


def is_endless(operation: AnyOperation) -> bool:
    """Whether the reply goes on as long as somebody reads it."""
    return operation.output is ByteStream and class_of(operation) is OperationClass.LONG_POLL


class ApiCall(msgspec.Struct, frozen=True):
    """One request: ``target`` is path and query, percent-encoded; ``body`` is ``None`` where there is none, and a
    ``document`` of JSON unless it is sent as it is; ``accept`` is what no JSON is answered as."""

    method: str
    target: str
    body: bytes | None
    document: bool = True
    accept: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What belongs to the body and the answer."""
        sent = {} if self.body is None or not self.document else {"Content-Type": "application/json"}
        return sent if self.accept is None else sent | {"Accept": self.accept}


def api_call(operation: AnyOperation, value: Struct, path: str | None = None) -> ApiCall:
    """The request on ``/api`` that means ``operation`` with the input ``value``; ``path`` for an alias of its path."""
    route = operation.api
    assert route is not None
    fields = {field.encode_name: getattr(value, field.name) for field in fields_of(type(value))}
    place = re.sub(r"\{(.*?)\}", lambda found: segment(fields[found[1]]), path or route.path)
    query = query_of(route, fields)
    if path is None:
        query = [(key, text or "") for key, text in route.dispatch if key not in dict(query)] + query
    target = place + (f"?{urlencode(query)}" if query else "")
    return ApiCall(route.method, target, body_of(route, fields), not operation.takes_stream, operation.media_type)


def inputs(operation: AnyOperation, real: Real | None = None) -> SearchStrategy[Any]:
    """Valid inputs of an operation that ``/api`` can carry."""
    return st.builds(
        operation.input,
        **{
            name: from_contract(expected, real, least=least).filter(is_segment if in_path else lambda _: True)
            for name, (expected, least, in_path) in carried(operation).items()
        },
    )


def minimal_input(operation: AnyOperation, real: Real | None = None) -> Any:
    """The least valid input of an operation that ``/api`` can carry."""
    fields = carried(operation)
    return operation.input(
        **{name: minimal(expected, real, least=least) for name, (expected, least, _) in fields.items()}
    )


def aimed(value: Any, real: Real, draw: Callable[[SearchStrategy[Any]], Any]) -> Any:
    """The input with what it is about, where that is an id of its own, being something that is there."""
    names = {field.name: getattr(field.type, "__name__", "") for field in fields_of(type(value))}
    chosen = {name: draw(st.sampled_from(real[kind])) for name, kind in names.items() if real.get(kind)}
    return msgspec.structs.replace(value, **chosen)


def carried(operation: AnyOperation) -> dict[str, tuple[Any, int, bool]]:
    """The input's fields: type, ``least`` as in :func:`from_contract`, and whether the path carries it."""
    route = operation.api or operation.rest
    assert route is not None
    in_query = {path.partition(".")[0] for path in route.query}
    # A key that selects the operation by being there must be there.
    present = {key for key, value in route.dispatch if value is None}
    found: dict[str, tuple[Any, int, bool]] = {}
    # What is a header of HTTP is optional, and not any text.
    in_headers = dict(route.headers)
    for field in fields_of(operation.input):
        if field.encode_name in in_headers:
            continue
        expected = without_none(field.type)[0] if field.encode_name in present else field.type
        in_path = f"{{{field.encode_name}}}" in route.path
        found[field.name] = (expected, int(in_path or field.encode_name in in_query), in_path)
    return found


def is_segment(value: Any) -> bool:
    """Whether clients leave the value alone in a path: they resolve dots."""
    return str(value) not in (".", "..")


def segment(value: Any) -> str:
    """A value as a segment of a path."""
    return quote(text_of(value), safe="")


def query_of(route: Route, fields: dict[str, Any]) -> list[tuple[str, str]]:
    """What travels in the query, lists and sets as repeated keys."""
    found: list[tuple[str, str]] = []
    for path in route.query:
        parameter, _, member = path.partition(".")
        value = fields[parameter]
        if member and value is not None:
            value = next(getattr(value, field.name) for field in fields_of(type(value)) if field.encode_name == member)
        if value is None:
            continue
        values = sorted(value) if isinstance(value, frozenset) else value if isinstance(value, tuple) else (value,)
        found += [(member or parameter, text_of(each)) for each in values]
    return found


def body_of(route: Route, fields: dict[str, Any]) -> bytes | None:
    """The body: the only parameter itself, or an object keyed by parameter."""
    if not route.body:
        return None
    if route.flat:
        value = fields[route.body[0]]
        if isinstance(value, WholeBytes):
            return value.content
        if isinstance(value, bytes):
            return value
        return None if value is None else json.dumps(wire(value)).encode()
    given = {name: wire(fields[name]) for name in route.body if fields[name] is not None}
    return json.dumps(given).encode()


def text_of(value: Any) -> str:
    """A scalar as path and query write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        encoded: str = msgspec.to_builtins(value)
        return encoded
    return str(value)
