"""A client of OData that nobody here wrote builds the requests, and reads what ``/rest`` answers: its lists stand in
``value``, as OData's do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from odata import ODataService
from odata.property import IntegerProperty, StringProperty
from requests.adapters import BaseAdapter

from tests.support.calls import ApiCall
from tests.support.served import Served


class InProcess(BaseAdapter):
    """Sends requests to a server in the test's own process."""

    def __init__(self, served: Served) -> None:
        super().__init__()
        self._served = served

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        address = urlsplit(request.url or "")
        reply = self._served.ask(self._served.rest, ApiCall("GET", f"{address.path}?{address.query}", None))
        response = requests.Response()
        response.status_code, response._content, response.url = reply.status, reply.body, request.url or ""
        response.headers["content-type"] = reply.media_type or ""
        return response

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as made:
        yield made


@pytest.fixture(scope="module")
def service(served: Served) -> Any:
    session = requests.Session()
    session.mount("https://", InProcess(served))
    return ODataService("https://vcenter.example/rest/vcenter/", session=session)


@pytest.fixture(scope="module")
def machine(service: Any) -> Any:
    class Machine(service.Entity):  # type: ignore[misc] # the client carries no types
        __odata_type__ = "vcenter.VM.Summary"
        __odata_collection__ = "vm"

        vm = StringProperty("vm", primary_key=True)
        name = StringProperty("name")
        power_state = StringProperty("power_state")
        cpu_count = IntegerProperty("cpu_count")
        memory = IntegerProperty("memory_size_MiB")

    return Machine


@pytest.fixture(scope="module")
def every(served: Served) -> list[dict[str, Any]]:
    reply = served.ask(served.rest, ApiCall("GET", "/rest/vcenter/vm", None))
    found: list[dict[str, Any]] = json.loads(reply.body)["value"]
    return found


def test_filters(service: Any, machine: Any, every: list[dict[str, Any]]) -> None:
    query = service.query(machine).filter(machine.cpu_count >= 4).filter(machine.name.contains("app"))
    expected = [vm["name"] for vm in every if vm["cpu_count"] >= 4 and "app" in vm["name"]]
    assert [vm.name for vm in query] == expected != []
    either = query.or_(machine.name.startswith("db"), machine.name.endswith("4"))
    expected = [vm["name"] for vm in every if vm["name"].startswith("db") or vm["name"].endswith("4")]
    assert [vm.name for vm in service.query(machine).filter(either)] == expected != []
    assert service.query(machine).filter(machine.name == "it's").all() == []
    assert len(service.query(machine).filter(machine.power_state != "POWERED_ON").all()) < len(every)


def test_orders_and_pages(service: Any, machine: Any, every: list[dict[str, Any]]) -> None:
    ordered = service.query(machine).order_by(machine.memory.desc(), machine.name.asc())
    expected = [vm["vm"] for vm in sorted(every, key=lambda vm: (-vm["memory_size_MiB"], vm["name"]))]
    assert [vm.vm for vm in ordered] == expected
    assert [vm.vm for vm in ordered.limit(3).offset(2)] == expected[2:5]
    assert ordered.first().vm == expected[0]


def test_fields(service: Any, machine: Any, every: list[dict[str, Any]]) -> None:
    found = service.query(machine).select(machine.name, machine.vm).all()
    assert found == [{"vm": vm["vm"], "name": vm["name"]} for vm in every]
