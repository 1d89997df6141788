"""Calls that are sent again: only where that is safe, or where the server says so; and sessions that have ended."""

from __future__ import annotations

import pytest

from resphere.client import ConnectionLost, TooSlow, Unreachable, UntrustedServer
from resphere.client.errors import NoAnswer
from resphere.client.forms import input_of
from resphere.client.options import Identity, Options
from resphere.contract import errors as e
from resphere.contract.generated.vcenter import VM
from resphere.contract.generated.vcenter_vm import Power
from tests.client.stepping import (
    LOGGED_IN,
    NO_RESPHERE,
    RESPHERE,
    SESSION,
    UNAUTHENTICATED,
    Stepper,
    header,
    reply,
)

LIST = input_of(VM.list, None, {})
START = input_of(Power.start, None, {"vm": "vm-1"})
TWICE = Options(retries=1)
OF_A_SESSION = Identity(session_id=SESSION)
NO_VMS = reply(200, [])
DONE = reply(204, b"")


def test_a_user_is_logged_in_by_the_first_call() -> None:
    stepper = Stepper(LOGGED_IN, NO_VMS, NO_VMS)
    for _ in range(2):
        assert stepper.run(stepper.calls.call(VM.list, LIST, TWICE)) == ()
    assert stepper.sent == ["POST /api/session", "GET /api/vcenter/vm", "GET /api/vcenter/vm"]
    assert header(stepper.requests[0], "Authorization") == "Basic YWxpY2U6d29uZGVyIGxhbmQ="
    assert [header(each, "vmware-api-session-id") for each in stepper.requests] == [None, SESSION, SESSION]


def test_a_session_that_has_ended_is_begun_anew_once() -> None:
    stepper = Stepper(LOGGED_IN, UNAUTHENTICATED, reply(201, "another"), DONE)
    stepper.run(stepper.calls.call(Power.start, START, TWICE))
    assert header(stepper.requests[-1], "vmware-api-session-id") == "another"
    stepper = Stepper(LOGGED_IN, UNAUTHENTICATED, reply(201, "another"), UNAUTHENTICATED)
    with pytest.raises(e.Unauthenticated):
        stepper.run(stepper.calls.call(Power.start, START, TWICE))
    assert not stepper.answers


def test_a_session_that_another_call_has_begun_meanwhile_is_taken() -> None:
    stepper = Stepper(LOGGED_IN, UNAUTHENTICATED, DONE)
    stepper.run(stepper.calls.login(TWICE))
    flow = stepper.calls.call(Power.start, START, TWICE)
    flow.send(None)  # sent under the first session
    renewed = stepper.calls._begun(SESSION, TWICE)
    stepper.answers[0] = reply(201, "another")
    stepper.run(renewed)
    exclusive = flow.send(UNAUTHENTICATED)
    assert stepper.run(exclusive.flow) == "another"  # type: ignore[union-attr]
    assert stepper.sent == ["POST /api/session"] * 2


def test_without_credentials_nobody_is_logged_in_again() -> None:
    stepper = Stepper(UNAUTHENTICATED, identity=OF_A_SESSION)
    with pytest.raises(e.Unauthenticated):
        stepper.run(stepper.calls.call(VM.list, LIST, TWICE))


def test_a_wrong_password_is_told_at_once() -> None:
    stepper = Stepper(UNAUTHENTICATED)
    with pytest.raises(e.Unauthenticated):
        stepper.run(stepper.calls.call(VM.list, LIST, TWICE))
    assert stepper.sent == ["POST /api/session"]


def test_a_server_without_the_api() -> None:
    stepper = Stepper(reply(404, b"404 page not found"))
    with pytest.raises(e.OperationNotFound, match=r"no POST /api/session here.*7\.0 U2.*404 page not found"):
        stepper.run(stepper.calls.login(TWICE))


def test_a_token_needs_no_session() -> None:
    stepper = Stepper(NO_VMS, identity=Identity(token="t0ken"))
    stepper.run(stepper.calls.call(VM.list, LIST, TWICE))
    assert header(stepper.requests[0], "Authorization") == "Bearer t0ken"


@pytest.mark.parametrize(
    ("error", "operation", "is_repeated"),
    [
        (Unreachable("x"), VM.list, True),
        (Unreachable("x"), Power.start, True),
        (ConnectionLost("x"), VM.list, True),
        (ConnectionLost("x"), Power.start, False),
        (TooSlow("x"), VM.list, False),
        (TooSlow("x"), Power.start, False),
        (UntrustedServer("x"), VM.list, False),
    ],
    ids=lambda value: value.id if hasattr(value, "id") else type(value).__name__,
)
def test_what_was_not_answered_is_sent_again_where_that_is_safe(
    error: NoAnswer, operation: object, is_repeated: bool
) -> None:
    stepper = Stepper(error, NO_VMS if operation is VM.list else DONE, identity=OF_A_SESSION)
    flow = (
        stepper.calls.call(VM.list, LIST, TWICE)
        if operation is VM.list
        else stepper.calls.call(Power.start, START, TWICE)
    )
    if is_repeated:
        stepper.run(flow)
        assert stepper.pauses == [0.25]
    else:
        with pytest.raises(type(error)):
            stepper.run(flow)
        assert len(stepper.sent) == 1


def test_no_more_often_than_is_said() -> None:
    lost = ConnectionLost("x")
    stepper = Stepper(lost, lost, lost, identity=OF_A_SESSION)
    with pytest.raises(ConnectionLost):
        stepper.run(stepper.calls.call(VM.list, LIST, Options(retries=2)))
    assert stepper.pauses == [0.25, 0.5]
    stepper = Stepper(lost, identity=OF_A_SESSION)
    with pytest.raises(ConnectionLost):
        stepper.run(stepper.calls.call(VM.list, LIST, Options(retries=0)))


@pytest.mark.parametrize("is_resphere", [True, False])
def test_under_a_key_resphere_is_asked_again_and_a_vcenter_is_not(is_resphere: bool) -> None:
    keyed = Options(retries=1, idempotency_key="k-1")
    about = RESPHERE if is_resphere else NO_RESPHERE
    stepper = Stepper(ConnectionLost("x"), about, DONE, identity=OF_A_SESSION)
    if is_resphere:
        stepper.run(stepper.calls.call(Power.start, START, keyed))
    else:
        with pytest.raises(ConnectionLost):
            stepper.run(stepper.calls.call(Power.start, START, keyed))
    first, asked = stepper.requests[:2]
    assert (asked.method, asked.path) == ("GET", "/api")
    assert (header(first, "Idempotency-Key"), header(asked, "Idempotency-Key")) == ("k-1", None)


def test_the_first_error_counts_where_the_server_cannot_be_asked_either() -> None:
    keyed = Options(retries=1, idempotency_key="k-1")
    stepper = Stepper(ConnectionLost("first"), TooSlow("second"), identity=OF_A_SESSION)
    with pytest.raises(ConnectionLost, match="first"):
        stepper.run(stepper.calls.call(Power.start, START, keyed))


def test_a_server_that_cannot_answer_now_may_still_be_resphere() -> None:
    busy = reply(500, {"error_type": "INTERNAL_SERVER_ERROR", "messages": []})
    stepper = Stepper(busy, RESPHERE, identity=OF_A_SESSION)
    with pytest.raises(e.InternalServerError):
        stepper.run(stepper.calls.is_resphere(TWICE))
    assert stepper.run(stepper.calls.is_resphere(TWICE)) is True
    assert stepper.run(stepper.calls.is_resphere(TWICE)) is True
    assert len(stepper.sent) == 2


@pytest.mark.parametrize(
    ("status", "after", "seconds"),
    [
        (503, "3", 3.0),
        (429, "1", 1.0),
        (503, "Wed, 04 Mar 2026 05:06:17 GMT", 10.0),
        (503, "Wed, 04 Mar 2026 05:06:00 GMT", 0.0),
        (503, "61", None),
        (503, "soon", None),
        (500, "1", None),
    ],
)
def test_when_the_server_says_when(status: int, after: str, seconds: float | None) -> None:
    busy = reply(status, {"error_type": "SERVICE_UNAVAILABLE", "messages": []}, retry_after=after)
    stepper = Stepper(busy, DONE, identity=OF_A_SESSION)
    flow = stepper.calls.call(Power.start, START, TWICE)
    if seconds is None:
        with pytest.raises(e.ServiceUnavailable):
            stepper.run(flow)
    else:
        stepper.run(flow)
        assert stepper.pauses == [seconds]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_that_does_not_reach_the_server_is_asked_again_for_what_changes_nothing(status: int) -> None:
    stepper = Stepper(reply(status, b"<html>Bad</html>"), NO_VMS, identity=OF_A_SESSION)
    assert stepper.run(stepper.calls.call(VM.list, LIST, TWICE)) == ()
    stepper = Stepper(reply(status, b"<html>Bad</html>"), identity=OF_A_SESSION)
    with pytest.raises(e.VapiError):
        stepper.run(stepper.calls.call(Power.start, START, TWICE))


def test_only_its_own_session_is_ended() -> None:
    stepper = Stepper(LOGGED_IN, DONE)
    stepper.run(stepper.calls.login(TWICE))
    stepper.run(stepper.calls.logout(TWICE))
    assert stepper.sent == ["POST /api/session", "DELETE /api/session"]
    stepper.run(stepper.calls.logout(TWICE))
    other = Stepper(identity=OF_A_SESSION)
    other.run(other.calls.logout(TWICE))
    assert other.sent == []


def test_leaving_a_server_that_is_gone_is_no_error() -> None:
    stepper = Stepper(LOGGED_IN, Unreachable("x"))
    stepper.run(stepper.calls.login(TWICE))
    stepper.run(stepper.calls.logout(TWICE))
    assert stepper.calls.session_id is None
