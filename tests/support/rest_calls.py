"""An operation's input as the ``/rest`` request that carries it: the reverse of what the dialect decodes."""

from __future__ import annotations

import json
import re
import typing
from typing import Any
from urllib.parse import urlencode

from resphere.contract.model import AnyOperation, Struct
from tests.support.calls import ApiCall, segment, text_of
from tests.support.from_contract import wire, without_none
from tests.support.struct_fields import fields_of


def rest_call(operation: AnyOperation, value: Struct, *, numbered: bool = False) -> ApiCall:
    """The request on ``/rest``; ``numbered`` writes lists of the query as ``names.1=a&names.2=b``."""
    route = operation.rest
    assert route is not None
    fields = {field.encode_name: field for field in fields_of(operation.input)}
    values = {name: getattr(value, field.name) for name, field in fields.items()}
    in_path = re.findall(r"\{(\w+)\}", route.path)
    path = re.sub(r"\{(\w+)\}", lambda found: segment(values[found[1]]), route.path)
    query = [(key, text or "") for key, text in route.dispatch]
    for name in fields:
        if name not in in_path and name not in route.body and values[name] is not None:
            query = [pair for pair in query if pair[0] != name] + list(parts(name, values[name], numbered))
    body = None
    if route.body:
        given = {name: document(values[name], fields[name].type) for name in route.body if values[name] is not None}
        body = json.dumps(given).encode()
    return ApiCall(route.method, path + (f"?{urlencode(query)}" if query else ""), body)


def parts(name: str, value: Any, numbered: bool) -> typing.Iterator[tuple[str, str]]:
    """A value of the query, structures and lists taken apart."""
    if isinstance(value, Struct):
        for field in fields_of(type(value)):
            inner = getattr(value, field.name)
            if inner is not None:
                yield from parts(f"{name}.{field.encode_name}", inner, numbered)
    elif isinstance(value, (tuple, frozenset)):
        elements = sorted(value) if isinstance(value, frozenset) else value
        for number, element in enumerate(elements, 1):
            apart = numbered or isinstance(element, Struct)
            yield from parts(f"{name}.{number}" if apart else name, element, numbered)
    else:
        yield name, text_of(value)


def document(value: Any, expected: Any) -> Any:
    """A value of the body: like ``/api``, with maps as lists of entries."""
    expected = without_none(expected)[0]
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if value is None or (origin is dict and arguments[1] is Any):
        return value
    if origin is dict:
        return [{"key": wire(key), "value": document(inner, arguments[1])} for key, inner in value.items()]
    if origin in (tuple, frozenset):
        elements = sorted(value) if isinstance(value, frozenset) else value
        return [document(inner, arguments[0]) for inner in elements]
    if isinstance(value, Struct):
        fields = fields_of(type(value))
        return {f.encode_name: document(inner, f.type) for f in fields if (inner := getattr(value, f.name)) is not None}
    return wire(value)
