"""Whether anything is sent to OpenTelemetry, by its own environment variables."""

from __future__ import annotations

import asyncio
import builtins
import logging
import sys
from contextlib import AsyncExitStack

import pytest

from resphere.server.tracing.opening import Wanted, open_tracing, wanted
from resphere.server.tracing.spans import NoTracing

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Wanted(False, False)),
        ({"OTEL_SERVICE_NAME": "x", "OTEL_TRACES_SAMPLER": "always_on"}, Wanted(False, False)),
        (ENDPOINT, Wanted(True, True)),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "true"}, Wanted(False, False)),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "false"}, Wanted(True, True)),
        ({**ENDPOINT, "OTEL_LOGS_EXPORTER": "none"}, Wanted(True, False)),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, Wanted(False, True)),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, Wanted(True, False)),
        ({"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://collector:4318/v1/logs"}, Wanted(False, True)),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, Wanted(True, True)),
        (
            {
                **ENDPOINT,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
                "OTEL_LOGS_EXPORTER": "none",
            },
            Wanted(True, False),
        ),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, Wanted(False, False)),
    ],
)
def test_the_variables_say_what_is_sent(environment: dict[str, str], expected: Wanted) -> None:
    assert wanted(environment) == expected


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, not grpc"),
        (
            {"OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "http/json"},
            "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL must be http/protobuf, not http/json",
        ),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER must be otlp or none, not zipkin"),
    ],
)
def test_what_nobody_does_here_is_told(environment: dict[str, str], why: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match=why):
        wanted({**ENDPOINT, **environment})
    with caplog.at_level(logging.WARNING):
        assert isinstance(open_tracing({**ENDPOINT, **environment}, "1", AsyncExitStack()), NoTracing)
    assert caplog.messages == [f"nothing is sent to OpenTelemetry: {why}"]


def test_that_the_library_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    for name in [name for name in sys.modules if name.startswith(("opentelemetry", "resphere.server.tracing.otel"))]:
        monkeypatch.delitem(sys.modules, name)
    found = builtins.__import__

    def missing(name: str, *rest: object) -> object:
        if name.startswith("opentelemetry"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return found(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", missing)
    with caplog.at_level(logging.WARNING):
        assert isinstance(open_tracing(ENDPOINT, "1", AsyncExitStack()), NoTracing)
    assert caplog.messages == [
        "nothing is sent to OpenTelemetry: its library is not installed: pip install 'resphere[otel]'"
    ]


def test_where_nothing_is_asked_for_nothing_is_loaded() -> None:
    async def opened() -> None:
        async with AsyncExitStack() as stack:
            assert isinstance(open_tracing({}, "1", stack), NoTracing)

    asyncio.run(opened())
