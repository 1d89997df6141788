"""A server with OpenTelemetry's variables: its spans and logs arrive, in the traces of those who ask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.collector import Collector, attributes
from tests.support.server import ADMINISTRATOR, PASSWORD, Server, wait_until

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT_ID = "00f067aa0ba902b7"
TRACEPARENT = {"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-01", "tracestate": "rojo=00f067aa0ba902b7"}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Server]:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_SERVICE_NAME": "vcenter-of-the-test",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
        "OTEL_TRACES_SAMPLER": "parentbased_always_on",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_BLRP_SCHEDULE_DELAY": "50",
    }
    folder = tmp_path_factory.mktemp("telemetry") / "data"
    arguments = ("--no-tls", "--webhook-to", "127.0.0.1", "--vms", "5")
    with Server(folder, *arguments, environment=environment) as server:
        yield server


def test_a_request_is_a_span_in_the_trace_of_who_asks(server: Server, collector: Collector) -> None:
    with server.session() as client:
        reply = client.get("/api/vcenter/vm?names=secret-name", headers=TRACEPARENT)
        assert reply.status_code == 200
        request = reply.headers["x-request-id"]
        client.get("/api/no/such/path/secret-path")
        [span] = wait_until(
            lambda: [each for each in collector.spans if each.trace_id.hex() == TRACE_ID], "the span comes"
        )
    assert span.name == "com.vmware.vcenter.VM.list"
    assert span.parent_span_id.hex() == PARENT_ID
    assert span.trace_state == TRACEPARENT["tracestate"]
    assert attributes(span.attributes) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/api/vcenter/vm",
        "url.scheme": "http",
        "rpc.system": "vapi",
        "rpc.service": "com.vmware.vcenter.VM",
        "rpc.method": "list",
        "resphere.dialect": "api",
        "resphere.request_id": request,
    }
    resource = attributes(collector.traces[0].resource_spans[0].resource.attributes)
    assert resource["service.name"] == "vcenter-of-the-test"
    assert resource["deployment.environment.name"] == "test"
    # It stands in the audit log, too.
    with server.session() as client:
        [record] = client.read(f"/api/resphere/audit?request_ids={request}")["records"]
    assert record["trace_id"] == TRACE_ID
    login = next(each for each in collector.spans if each.name == "com.vmware.cis.session.create")
    assert not login.parent_span_id
    assert login.trace_id.hex() != TRACE_ID


def test_what_the_server_logs_arrives(server: Server, collector: Collector) -> None:
    wait_until(lambda: any("serves" in each.body.string_value for each in collector.records), "the log comes")


def test_who_gets_an_event_goes_on_with_the_trace_that_has_caused_it(server: Server, collector: Collector) -> None:
    with server.session() as client:
        given = {"name": "traced", "url": f"{collector.url}/hook", "filter": {"types": ["VmPoweredOnEvent"]}}
        assert client.post("/api/resphere/webhooks", json=given).status_code == 201
        vm = next(each["vm"] for each in client.read("/api/vcenter/vm") if each["power_state"] == "POWERED_OFF")
        started = client.post(f"/api/vcenter/vm/{vm}/power?action=start", headers=TRACEPARENT)
        assert started.status_code == 204
        [headers] = wait_until(lambda: list(collector.others), "the webhook is called")
        assert headers["traceparent"].split("-")[1] == TRACE_ID
        [span] = wait_until(
            lambda: [each for each in collector.spans if each.name == "com.vmware.vcenter.vm.power.start"],
            "the span comes",
        )
    assert headers["traceparent"].split("-")[2] == span.span_id.hex()


def test_no_secret_is_sent(server: Server, collector: Collector) -> None:
    with server.session() as client:
        token = client.token
        client.delete("/api/session")
    # All that was asked for before has been answered, and is sent by then.
    wait_until(
        lambda: any(each.name == "com.vmware.cis.session.delete" for each in collector.spans), "the last span comes"
    )
    sent = b"".join(collector.bodies)
    for secret in (token, PASSWORD, ADMINISTRATOR, "secret-name", "secret-path"):
        assert secret.encode() not in sent


def test_without_a_receiver_or_with_bad_words_it_serves_all_the_same(tmp_path: Path) -> None:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    with Server(tmp_path / "data", "--no-tls", "--vms", "1", environment=environment) as server:
        with server.session() as client:
            assert client.get("/api/vcenter/vm", headers=TRACEPARENT).status_code == 200
        lines = [json.loads(line) for line in (server.data_dir / "log" / "resphere.log").read_text().splitlines()]
    [told] = [line["message"] for line in lines if "OpenTelemetry" in line["message"]]
    assert told == ("nothing is sent to OpenTelemetry: OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, not grpc")
