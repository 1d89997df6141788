"""Calls operations by name through the bindings' stubs, which decode and check every reply."""

from __future__ import annotations

import json
import sys
import traceback
from datetime import datetime
from typing import Any

import requests
from com.vmware.vapi.std.errors_client import Error
from vmware.vapi.lib.connect import get_requests_connector
from vmware.vapi.security.client.security_context_filter import LegacySecurityContextFilter
from vmware.vapi.security.session import create_session_security_context
from vmware.vapi.stdlib.client.factories import StubConfigurationFactory

from tests.sdk.scripts.finding import stub_class


def outcome(configuration: Any, service: str, operation: str, arguments: dict[str, Any]) -> dict[str, str]:
    """``absent``, ``returned``, the ``error`` that was raised, or what was wrong with the reply (``broken``)."""
    found = stub_class(service)
    if found is None or not hasattr(found, operation):
        return {"absent": ""}
    try:
        returned = getattr(found(configuration), operation)(**arguments)
    except Error as error:
        return {"error": type(error).__name__}
    except Exception:
        return {"broken": traceback.format_exc()}
    return {"returned": repr(returned)[:80]}


def with_values(found: dict[str, Any]) -> Any:
    """JSON knows no sets and no times: ``{"set": [...]}`` is one, ``{"time": "2026-01-31T12:00:00"}`` the other."""
    if found.keys() == {"time"}:
        return datetime.fromisoformat(found["time"])
    return set(found["set"]) if found.keys() == {"set"} else found


def main() -> None:
    """Make every call that standard input lists; standard output gets the outcomes, in their order."""
    given = json.load(sys.stdin, object_hook=with_values)
    session = requests.Session()
    session.verify = given["ca"]
    chain = [LegacySecurityContextFilter(security_context=create_session_security_context(given["session_id"]))]
    configuration = StubConfigurationFactory.new_std_configuration(
        get_requests_connector(session=session, url=given["url"], provider_filter_chain=chain)
    )
    sys.stdout.write(json.dumps([outcome(configuration, *call) for call in given["calls"]]))


if __name__ == "__main__":
    main()
