"""ETags: of what is shown, by which server, in which dialect, to whom."""

from __future__ import annotations

from pathlib import Path

import msgspec

from resphere.dialects.base import Reply, Request
from resphere.inventory.model import VirtualMachine
from resphere.server.exchange import Exchange
from resphere.server.pipeline import Pipeline
from tests.support.served import GivenBody, Served

LIST = "/api/vcenter/vm"


def listed(served: Served, pipeline: Pipeline, etag: str = "", path: str = LIST, query: bytes = b"") -> Reply:
    """What asking for the VMs, or for something else, answers to somebody who knows that ETag."""
    headers = {b"vmware-api-session-id": served.token.encode(), b"if-none-match": etag.encode()}
    request = Request("GET", path, query, headers, "192.0.2.1")
    return served.world.run(pipeline.handle(Exchange(request, "test", served.api, GivenBody(b""))))


def tag(reply: Reply) -> str:
    return dict(reply.headers)["ETag"]


def test_a_change_makes_another(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        before = tag(listed(served, served.pipeline))
        assert listed(served, served.pipeline, before).status == 304
        vm = next(iter(served.world.inventory.all(VirtualMachine).values()))
        served.world.change(vm, name="renamed")
        after = listed(served, served.pipeline, before)
        assert after.status == 200
        assert tag(after) != before


def test_a_server_that_says_something_else_of_itself_has_others(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        before = tag(listed(served, served.pipeline))
        environment = served.pipeline.environment
        for changed in (
            {"version": "7.0.3"},
            {"host_name": "other"},
            {"provider": "other"},
            {"api_releases": ("7.0",)},
        ):
            product = msgspec.structs.replace(environment.product, **changed)
            other = msgspec.structs.replace(environment, product=product)
            pipeline = msgspec.structs.replace(served.pipeline, environment=other)
            assert listed(served, pipeline, before).status == 200, changed


def test_that_of_one_address_is_good_there_alone(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        vms = [f"{LIST}/{vm}" for vm in list(served.world.inventory.all(VirtualMachine))[:2]]
        addresses = [(LIST, b""), (LIST, b"power_states=POWERED_OFF"), (vms[0], b""), (vms[1], b"")]
        tags = [tag(listed(served, served.pipeline, path=path, query=query)) for path, query in addresses]
        assert len(set(tags)) == len(tags)
        for own, (path, query) in zip(tags, addresses, strict=True):
            for known in tags:
                reply = listed(served, served.pipeline, known, path, query)
                assert reply.status == (304 if known == own else 200)


def test_none_is_good_where_nothing_is(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        known = tag(listed(served, served.pipeline))
        for path, status in ((f"{LIST}/vm-404", 404), ("/api/vcenter/nothing", 404), (f"{LIST}/vm-404/power", 404)):
            reply = listed(served, served.pipeline, known, path)
            assert (reply.status, "ETag" in dict(reply.headers)) == (status, False), path
        assert listed(served, served.pipeline, known, query=b"names=1&nothing=2").status == 400
