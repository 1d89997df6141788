"""A receiver of OTLP over HTTP: what OpenTelemetry's SDK sends, as the protocol's own messages."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """Receives while within; ``others`` are the headers of requests to other paths, such as
    a webhook's; ``bodies`` is all that OpenTelemetry has sent."""

    def __init__(self) -> None:
        self.traces: list[ExportTraceServiceRequest] = []
        self.logs: list[ExportLogsServiceRequest] = []
        self.bodies: list[bytes] = []
        self.others: list[dict[str, str]] = []
        self._arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def spans(self) -> list[Span]:
        """All spans that have come."""
        scopes = [s for each in list(self.traces) for of in each.resource_spans for s in of.scope_spans]
        return [span for scope in scopes for span in scope.spans]

    @property
    def records(self) -> list[LogRecord]:
        """All log records that have come."""
        scopes = [s for each in list(self.logs) for of in each.resource_logs for s in of.scope_logs]
        return [record for scope in scopes for record in scope.log_records]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.receive(self.path, body, {name.lower(): value for name, value in self.headers.items()})
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler

    def receive(self, path: str, body: bytes, headers: dict[str, str]) -> None:
        """Take what has come."""
        with self._arrived:
            if path.startswith("/v1/"):
                self.bodies.append(body)
            if path == "/v1/traces":
                self.traces.append(ExportTraceServiceRequest.FromString(body))
            elif path == "/v1/logs":
                self.logs.append(ExportLogsServiceRequest.FromString(body))
            else:
                self.others.append(headers)
            self._arrived.notify_all()

    def __enter__(self) -> Collector:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def attributes(pairs: Iterable[KeyValue]) -> dict[str, object]:
    """Attributes of a span, a record or a resource, as plain values."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value") for pair in pairs}
