"""Spans by OpenTelemetry's SDK: whatever a request's headers have."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.contract.lookup import api_routes
from resphere.dialects.api import ApiDialect
from resphere.dialects.base import Request
from resphere.server.exchange import Exchange
from resphere.server.tracing.opening import Wanted
from resphere.server.tracing.otel import Telemetry, attributes
from resphere.tracing.context import TRACE, outgoing
from tests.support.collector import Collector
from tests.support.served import GivenBody

GOOD = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(scope="module")
def telemetry() -> Iterator[Telemetry]:
    with Collector() as collector, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        made = Telemetry(Wanted(traces=True, logs=False), os.environ, "1")
        yield made
        asyncio.run(made.close())


def exchange(headers: dict[bytes, bytes]) -> Exchange:
    request = Request("GET", "/api/vcenter/vm", b"", headers, "192.0.2.1")
    return Exchange(request, "request-1", ApiDialect(api_routes()), GivenBody(b""))


def altered() -> st.SearchStrategy[bytes]:
    """What nearly is a ``traceparent``."""
    place = st.integers(0, len(GOOD) - 1)
    return st.lists(st.tuples(place, st.binary(min_size=1, max_size=1)), max_size=3).map(with_changes)


def with_changes(changes: list[tuple[int, bytes]]) -> bytes:
    content = bytearray(GOOD)
    for place, byte in changes:
        content[place : place + 1] = byte
    return bytes(content)


@settings(deadline=None)
@given(parent=st.one_of(altered(), st.binary(max_size=80)), state=st.binary(max_size=600))
def test_whatever_headers_have_what_goes_on_is_well_formed(telemetry: Telemetry, parent: bytes, state: bytes) -> None:
    one = exchange({b"traceparent": parent, b"tracestate": state})
    span = telemetry.begin(one)
    assert span is not None
    told = outgoing()
    assert set(told) <= {"traceparent", "tracestate"}
    assert all(value.isascii() and value.isprintable() for value in told.values())
    assert told["traceparent"].split("-")[1] == span.trace_id
    span.end(one)
    assert outgoing() == {}


def test_nobody_fills_the_log_by_headers(telemetry: Telemetry, caplog: pytest.LogCaptureFixture) -> None:
    one = exchange({b"traceparent": GOOD, b"tracestate": b"secret secret, =,;:"})
    with caplog.at_level(logging.INFO):
        span = telemetry.begin(one)
        assert span is not None
        span.end(one)
    assert not caplog.messages


def test_what_is_under_way_beside_each_other_is_told_apart(telemetry: Telemetry) -> None:
    async def call() -> str:
        one = exchange({})
        span = telemetry.begin(one)
        assert span is not None
        for _ in range(3):
            await asyncio.sleep(0)
            trace = TRACE.get()
            assert trace is not None
            assert trace.trace_id == span.trace_id
        span.end(one)
        return span.trace_id

    async def many() -> list[str]:
        return await asyncio.gather(*(call() for _ in range(20)))

    assert len(set(asyncio.run(many()))) == 20


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, {"service.name": "resphere", "service.version": "1"}),
        ({"OTEL_SERVICE_NAME": "mine"}, {"service.version": "1"}),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=mine,service.version=2"}, {}),
    ],
)
def test_the_variables_say_what_the_server_is_called(environment: dict[str, str], expected: dict[str, str]) -> None:
    assert attributes(environment, "1") == expected
