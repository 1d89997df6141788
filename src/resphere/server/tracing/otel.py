"""Spans and logs by OpenTelemetry's SDK, sent by OTLP over HTTP; all else its environment variables say.

Imported only where they do, see :mod:`resphere.server.tracing.opening`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextvars import Token

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from resphere.audit.escape import bounded, encodable
from resphere.audit.server_log import MOST_MESSAGE_CHARACTERS
from resphere.server.exchange import Exchange, Span
from resphere.server.record import CLIENT_GONE
from resphere.server.tracing.opening import Wanted
from resphere.tracing.context import TRACE, Trace

SCOPE = "resphere"
USUAL_NAME = "resphere"
NO_OPERATION = "no operation"
FAULT = 500
"""The least status that is the server's own doing."""
OF_HEADERS = "opentelemetry.trace.span"
"""The logger that tells what is wrong with a ``tracestate``, with all of it: anybody could fill the log."""
THEIRS = ("opentelemetry", "urllib3", "requests")
"""Loggers of those who send: what goes wrong there is not sent the same way."""
SEVERITIES = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}


class Telemetry:
    """What one worker sends; see :class:`~resphere.server.tracing.spans.Tracing`, which this is."""

    def __init__(self, wanted: Wanted, environment: Mapping[str, str], version: str) -> None:
        """:raises ValueError: a variable of the environment is none that the SDK understands."""
        resource = Resource.create(attributes(environment, version))
        logging.getLogger(OF_HEADERS).setLevel(logging.ERROR)
        self._propagator = TraceContextTextMapPropagator()
        self._tracers: TracerProvider | None = None
        self._tracer: Tracer | None = None
        self._loggers: LoggerProvider | None = None
        self._handler: SentLogs | None = None
        if wanted.traces:
            self._tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
            self._tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
            self._tracer = self._tracers.get_tracer(SCOPE, version)
        if wanted.logs:
            self._loggers = LoggerProvider(resource=resource, shutdown_on_exit=False)
            self._loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
            self._handler = SentLogs(self._loggers, version)
            logging.root.addHandler(self._handler)

    def begin(self, exchange: Exchange) -> Span | None:
        """A span of a request, in the trace that its headers tell of."""
        if self._tracer is None:
            return None
        carrier = {
            name: value
            for name in self._propagator.fields
            if (value := exchange.request.header(name.encode())) is not None
        }
        span = self._tracer.start_span(
            exchange.request.method, self._propagator.extract(carrier), SpanKind.SERVER, record_exception=False
        )
        return RequestSpan(span)

    async def close(self) -> None:
        """Send what is left, beside the event loop."""
        if self._handler is not None:
            logging.root.removeHandler(self._handler)
        await asyncio.to_thread(self._shut_down)

    def _shut_down(self) -> None:
        if self._tracers is not None:
            self._tracers.shutdown()
        if self._loggers is not None:
            self._loggers.shutdown()


class RequestSpan:
    """A request's span, and all that goes on in this context is its doing until it ends."""

    def __init__(self, span: OtelSpan) -> None:
        self._span = span
        context = span.get_span_context()
        self._trace = Trace(
            f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}",
            context.trace_state.to_header(),
        )
        self._before: Token[Trace | None] = TRACE.set(self._trace)

    @property
    def trace_id(self) -> str:
        """The trace's."""
        return self._trace.trace_id

    def end(self, exchange: Exchange) -> None:
        """Say what became of the request. Never what its address has, which may be secret: only the operation's."""
        TRACE.reset(self._before)
        if self._span.is_recording():
            resolved, reply, error = exchange.resolved, exchange.reply, exchange.error
            status = CLIENT_GONE if reply is None else reply.status
            given: dict[str, AttributeValue] = {
                "http.request.method": exchange.request.method,
                "http.response.status_code": status,
                "url.scheme": exchange.request.scheme,
                "resphere.dialect": exchange.dialect.name,
                "resphere.request_id": exchange.request_id,
            }
            if resolved is not None:
                self._span.update_name(resolved.operation.id)
                given["rpc.system"] = "vapi"
                given["rpc.service"] = resolved.operation.service
                given["rpc.method"] = resolved.operation.name
                route = resolved.operation.rest if exchange.dialect.name == "rest" else resolved.operation.api
                if route is not None and exchange.dialect.name in ("api", "rest"):
                    given["http.route"] = route.path
            else:
                self._span.update_name(NO_OPERATION)
            if error is not None:
                given["error.type"] = error.error_type
            if status >= FAULT:
                self._span.set_status(Status(StatusCode.ERROR))
            self._span.set_attributes(given)
        self._span.end()


class SentLogs(logging.Handler):
    """Hands what the server logs to OpenTelemetry."""

    def __init__(self, loggers: LoggerProvider, version: str) -> None:
        super().__init__()
        self._logger = loggers.get_logger(SCOPE, version)
        self._formatter = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.split(".", 1)[0] in THEIRS:
            return
        try:
            self._logger.emit(self._sent(record))
        except Exception:
            self.handleError(record)

    def _sent(self, record: logging.LogRecord) -> LogRecord:
        given: dict[str, AttributeValue] = {"logger.name": record.name}
        for name in ("request_id", "reference"):
            value = getattr(record, name, None)
            if value is not None:
                given[f"resphere.{name}"] = str(value)
        if record.exc_info and record.exc_info[0] is not None:
            given["exception.type"] = record.exc_info[0].__qualname__
            given["exception.stacktrace"] = encodable(self._formatter.formatException(record.exc_info))
        trace = TRACE.get()
        context = None
        if trace is not None:
            context = TraceContextTextMapPropagator().extract(trace.headers)
        return LogRecord(
            timestamp=int(record.created * 1e9),
            observed_timestamp=int(record.created * 1e9),
            context=context,
            severity_number=SEVERITIES.get(record.levelno, SeverityNumber.INFO),
            severity_text=record.levelname,
            body=encodable(bounded(record.getMessage(), MOST_MESSAGE_CHARACTERS)),
            attributes=given,
        )


def attributes(environment: Mapping[str, str], version: str) -> dict[str, AttributeValue]:
    """What the server says of itself, where the variables do not."""
    said = environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    found: dict[str, AttributeValue] = {}
    if not environment.get("OTEL_SERVICE_NAME") and f"{SERVICE_NAME}=" not in said:
        found[SERVICE_NAME] = USUAL_NAME
    if f"{SERVICE_VERSION}=" not in said:
        found[SERVICE_VERSION] = version
    return found
