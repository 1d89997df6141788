"""Lets the bindings read encoded values, check them, and write them again in their own way."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any

from vmware.vapi.bindings.converter import TypeConverter
from vmware.vapi.bindings.stub import StubConfiguration
from vmware.vapi.data.serializers.jsonrpc import JsonRpcDictToVapi, VAPIJsonEncoder

from tests.sdk.scripts.finding import stub_class


class NoConnection:
    """A connector that is never used: only the types are read."""

    def get_api_provider(self) -> object:
        return object()


CONFIGURATION = StubConfiguration(NoConnection())


def converted(service: str, operation: str, side: str, value: Any) -> dict[str, Any]:
    """``absent``, the value as the bindings write it (``written``), or what was wrong with it (``broken``)."""
    found = stub_class(service)
    information = found and found(CONFIGURATION)._api_interface._operations.get(operation)
    if not information:
        return {"absent": None}
    expected = information[f"{side}_type"]
    try:
        native = TypeConverter.convert_to_python(JsonRpcDictToVapi.data_value(value), expected, CONFIGURATION.resolver)
        again = TypeConverter.convert_to_vapi(native, expected)
        return {"written": json.loads(json.dumps(again, check_circular=False, cls=VAPIJsonEncoder))}
    except Exception:
        return {"broken": traceback.format_exc()}


def main() -> None:
    """Convert every value that standard input lists; standard output gets the outcomes, in their order."""
    sys.stdout.write(json.dumps([converted(*given) for given in json.load(sys.stdin)]))


if __name__ == "__main__":
    main()
