"""What a server tells of itself: true, bounded, and nobody's secret."""

from __future__ import annotations

import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from resphere.contract.generated.vcenter_vm import Power
from resphere.dialects.base import Reply
from resphere.inventory.model import VirtualMachine
from resphere.limits.policy import Party, Policy, RateRule
from resphere.server.metrics.access import MetricsAccess
from resphere.server.metrics.families import FAMILIES
from tests.support.calls import ApiCall
from tests.support.served import Served
from tests.support.server import ADMINISTRATOR, PASSWORD

METRICS = ApiCall("GET", "/metrics", b"")
Samples = dict[tuple[str, tuple[str, ...]], float]


def read(reply: Reply) -> Samples:
    """By name and values of labels, these in the order of their names."""
    assert reply.status == 200, reply.body
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(reply.body.decode())
        for sample in family.samples
    }


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """For tests that ask who is let in, and no more."""
    with Served(tmp_path_factory.mktemp("asked")) as served:
        yield served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


def scraped(served: Served) -> Samples:
    return read(served.ask_api(METRICS))


def login(served: Served, user: str, password: str) -> Reply:
    return served.send(
        served.api,
        ApiCall("POST", "/api/session", b""),
        {b"authorization": b"Basic " + basic(user, password), b"content-type": b"application/json"},
    )


def basic(user: str, password: str) -> bytes:
    return b64encode(f"{user}:{password}".encode())


def test_requests_are_counted_by_operation_dialect_and_status(served: Served) -> None:
    assert served.ask_api(ApiCall("GET", "/api/vcenter/vm", b"")).status == 200
    assert served.ask_api(ApiCall("GET", "/api/vcenter/vm/vm-none", b"")).status == 404
    assert served.ask_api(ApiCall("GET", "/api/nothing/of/the/kind/secret-word", b"")).status == 404
    found = scraped(served)
    assert found["resphere_http_requests_total", ("api", "com.vmware.vcenter.VM.list", "200")] == 1
    assert found["resphere_http_requests_total", ("api", "com.vmware.vcenter.VM.get", "404")] == 1
    assert found["resphere_http_requests_total", ("api", "none", "404")] == 1
    assert found["resphere_http_request_duration_seconds_count", ("com.vmware.vcenter.VM.list",)] == 1
    assert found["resphere_http_errors_total", ("NOT_FOUND",)] == 2
    assert found["resphere_http_requests_in_flight", ()] == 1
    # The scrape before is counted, too.
    assert scraped(served)["resphere_http_requests_total", ("api", "resphere.metrics.get", "200")] == 1


def test_logins_are_counted_by_what_proved_them(served: Served) -> None:
    assert login(served, ADMINISTRATOR, PASSWORD).status == 201
    assert login(served, ADMINISTRATOR, "wrong").status == 401
    assert login(served, "nobody@vsphere.local", "wrong").status == 401
    found = scraped(served)
    assert found["resphere_logins_total", ("password", "accepted")] == 1
    assert found["resphere_logins_total", ("password", "refused")] == 2
    assert found["resphere_http_errors_total", ("UNAUTHENTICATED",)] == 2


def test_refusals_are_counted_by_the_limit_that_refused(tmp_path: Path) -> None:
    rule = RateRule(name="few", per=Party.USER, per_second=0.001, burst=2)
    with Served(tmp_path, policy=Policy(rates=(rule,)), metrics_access=MetricsAccess.ANYBODY) as served:
        statuses = [served.ask_api(ApiCall("GET", "/api/vcenter/vm", b"")).status for _ in range(3)]
        assert statuses == [200, 200, 429]
        found = read(served.send(served.api, METRICS, {}))
        assert found["resphere_limit_refusals_total", ("few",)] == 1


def test_the_inventory_is_told_as_it_is(served: Served) -> None:
    inventory = served.world.inventory
    found = scraped(served)
    vms = inventory.all(VirtualMachine).values()
    for state in Power.State:
        expected = sum(vm.power_state is state for vm in vms)
        assert found["resphere_inventory_vms", (state.value.lower(),)] == expected
    assert found["resphere_inventory_objects", ("virtual_machine",)] == len(vms)
    assert found["resphere_store_sequence", ()] == inventory.sequence
    assert found["resphere_store_size_bytes", ()] > 0
    assert found["resphere_sessions", ()] == 1
    assert found["resphere_workers", ()] == 1
    assert found["resphere_process_resident_memory_bytes", ("worker-1",)] > 1_000_000
    stopped = next(vm for vm in vms if vm.power_state is Power.State.POWERED_OFF)
    before = found["resphere_tasks", ("succeeded",)]
    assert served.ask_api(ApiCall("POST", f"/api/vcenter/vm/{stopped.id}/power?action=start", b"")).status == 204
    again = scraped(served)
    assert again["resphere_inventory_vms", ("powered_on",)] == found["resphere_inventory_vms", ("powered_on",)] + 1
    assert again["resphere_tasks", ("succeeded",)] == before + 1


def test_nothing_in_it_names_anybody_or_opens_anything(served: Served) -> None:
    session = login(served, ADMINISTRATOR, PASSWORD).body.decode().strip('"')
    served.ask_api(ApiCall("GET", f"/api/vcenter/vm/{session}", b""))
    served.send(served.api, ApiCall("GET", f"/{session}?{session}", b""), {b"user-agent": session.encode()})
    body = served.ask_api(METRICS).body.decode()
    for secret in (session, served.token, PASSWORD, ADMINISTRATOR, "administrator", "192.0.2.1"):
        assert secret not in body
    for vm in served.world.inventory.all(VirtualMachine).values():
        assert f'"{vm.id}"' not in body
        assert vm.name not in body


def test_each_family_is_declared(served: Served) -> None:
    body = served.ask_api(METRICS).body.decode()
    assert {family.name for family in text_string_to_metric_families(body)} <= set(FAMILIES)


@pytest.mark.parametrize(
    ("access", "client", "headers", "status"),
    [
        (MetricsAccess.TOKEN, "127.0.0.1", {}, 401),
        (MetricsAccess.TOKEN, "192.0.2.1", {}, 401),
        (MetricsAccess.LOCAL, "127.0.0.1", {}, 200),
        (MetricsAccess.LOCAL, "::1", {}, 200),
        (MetricsAccess.LOCAL, "::ffff:127.0.0.1", {}, 200),
        (MetricsAccess.LOCAL, "127.0.0.1", {b"x-forwarded-for": b"127.0.0.1"}, 401),
        (MetricsAccess.LOCAL, "127.0.0.1", {b"forwarded": b"for=127.0.0.1"}, 401),
        (MetricsAccess.LOCAL, "192.0.2.1", {}, 401),
        (MetricsAccess.LOCAL, "", {}, 401),
        (MetricsAccess.ANYBODY, "192.0.2.1", {}, 200),
        (MetricsAccess.OFF, "127.0.0.1", {}, 401),
    ],
)
def test_who_has_not_logged_in_reads_it_where_the_setting_says_so(
    asked: Served, access: MetricsAccess, client: str, headers: dict[bytes, bytes], status: int
) -> None:
    asked.pipeline = msgspec.structs.replace(asked.pipeline, metrics_access=access)
    assert asked.send(asked.api, METRICS, headers, client).status == status


@pytest.mark.parametrize("access", list(MetricsAccess))
def test_who_has_logged_in_reads_it_unless_there_are_none(asked: Served, access: MetricsAccess) -> None:
    asked.pipeline = msgspec.structs.replace(asked.pipeline, metrics_access=access)
    reply = asked.ask_api(METRICS)
    assert reply.status == (404 if access is MetricsAccess.OFF else 200)
    assert access is not MetricsAccess.OFF or b"--metrics off" in reply.body


def test_nobody_else_is_let_in_by_the_setting(tmp_path: Path) -> None:
    with Served(tmp_path, metrics_access=MetricsAccess.ANYBODY) as served:
        for path in ("/api/vcenter/vm", "/api/metrics", "/metrics/x"):
            assert served.send(served.api, ApiCall("GET", path, b""), {}, "127.0.0.1").status in (401, 404), path
        assert served.send(served.api, ApiCall("POST", "/metrics", b""), {}, "127.0.0.1").status in (401, 404, 405)


def test_prometheus_finds_nothing_to_blame(served: Served) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("there is no promtool here (Debian: prometheus)")
    served.ask_api(ApiCall("GET", "/api/vcenter/vm", b""))
    login(served, ADMINISTRATOR, "wrong")
    body = served.ask_api(METRICS).body
    checked = subprocess.run([promtool, "check", "metrics"], input=body, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
