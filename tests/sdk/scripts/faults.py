"""What the official SDK makes of calls that fail on purpose."""

from __future__ import annotations

from typing import Any

import com.vmware.vapi.std.errors_client as errors
import requests

from tests.sdk.scripts.client import Check, Given, raises, run_checks

LIST = "com.vmware.vcenter.VM.list"


def put(given: Given, **fields: Any) -> None:
    """A rule for one call."""
    spec = {"operation": LIST, "times": 1, **fields}
    made = given.http.post(f"https://{given.server}/api/resphere/faults", json=spec)
    assert made.status_code == 201, made.text


def every_error(given: Given) -> None:
    for name in ("SERVICE_UNAVAILABLE", "RESOURCE_BUSY", "TIMED_OUT", "NOT_FOUND", "UNAUTHORIZED"):
        put(given, error=name, message=f"This is {name}.")
        with raises(getattr(errors, name.title().replace("_", ""))) as caught:
            given.client.vcenter.VM.list()
        (message,) = caught[0].messages
        assert (message.id, message.default_message) == ("resphere.fault_injected", f"This is {name}.")
        assert given.client.vcenter.VM.list()


def failing(given: Given) -> Exception:
    """What a call raises."""
    try:
        given.client.vcenter.VM.list()
    except Exception as error:
        return error
    raise AssertionError("it was answered")


def no_answer(given: Given) -> None:
    for fields in ({"drop": True}, {"drop": True, "carried_out": True}, {"truncate": True}):
        put(given, **fields)
        error = failing(given)
        assert isinstance(error, requests.RequestException), (fields, error)
        assert given.client.vcenter.VM.list()


def a_proxy(given: Given) -> None:
    put(given, page_status=502)
    assert "502" in str(failing(given))
    assert given.client.vcenter.VM.list()


def an_ended_session(given: Given) -> None:
    put(given, expire_session=True)
    for _ in range(2):
        with raises(errors.Unauthenticated):
            given.client.vcenter.VM.list()


CHECKS: list[Check] = [every_error, no_answer, a_proxy, an_ended_session]

if __name__ == "__main__":
    run_checks(CHECKS)
