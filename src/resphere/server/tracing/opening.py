"""Whether OpenTelemetry is wanted: asked of its own environment variables, and without its library where it is not."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import msgspec

from resphere.server.tracing.spans import NoTracing, Tracing

if TYPE_CHECKING:
    from resphere.server.tracing.otel import Telemetry

log = logging.getLogger(__name__)

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PROTOCOL = "http/protobuf"
NEEDED = "opentelemetry"


class Wanted(msgspec.Struct, frozen=True):
    """What is sent."""

    traces: bool
    logs: bool


def wanted(environment: Mapping[str, str]) -> Wanted:
    """What the variables ask for.

    :raises ValueError: they ask for what nobody does here; says which, and what is done.
    """
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return Wanted(False, False)
    return Wanted(is_wanted(environment, "TRACES"), is_wanted(environment, "LOGS"))


def is_wanted(environment: Mapping[str, str], signal: str) -> bool:
    """Whether one signal is to be sent.

    :raises ValueError: it is, in a way that is none here.
    """
    exporter = environment.get(f"OTEL_{signal}_EXPORTER", "").strip() or "otlp"
    endpoint = environment.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT") or environment.get(ENDPOINT)
    if exporter == "none" or not endpoint:
        return False
    if exporter != "otlp":
        raise ValueError(f"OTEL_{signal}_EXPORTER must be otlp or none, not {exporter}")
    name = f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL"
    for each in (name, "OTEL_EXPORTER_OTLP_PROTOCOL"):
        protocol = environment.get(each, "").strip()
        if protocol == PROTOCOL:
            return True
        if protocol:
            raise ValueError(f"{each} must be {PROTOCOL}, not {protocol}")
    return True


def open_tracing(environment: Mapping[str, str], version: str, stack: AsyncExitStack) -> Tracing:
    """What makes spans, until ``stack`` ends. That it cannot be is told in the log, and hinders nobody."""
    try:
        asked = wanted(environment)
        if not asked.traces and not asked.logs:
            return NoTracing()
        telemetry = make(asked, environment, version)
    except (ImportError, ValueError) as error:
        log.warning("nothing is sent to OpenTelemetry: %s", error)
        return NoTracing()
    stack.push_async_callback(telemetry.close)
    return telemetry


def make(asked: Wanted, environment: Mapping[str, str], version: str) -> Telemetry:
    """The part that speaks to OpenTelemetry's library.

    :raises ImportError: that is not here; says how it is had.
    :raises ValueError: a variable is none that it understands.
    """
    try:
        module: Any = import_module("resphere.server.tracing.otel")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith(NEEDED):
            raise
        raise ImportError("its library is not installed: pip install 'resphere[otel]'") from error
    return cast("Telemetry", module.Telemetry(asked, environment, version))
