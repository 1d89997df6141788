"""ETags: of what is shown, by which server, in which dialect, to whom."""

from __future__ import annotations

from pathlib import Path

import msgspec

from resphere.dialects.base import Reply, Request
from resphere.inventory.model import VirtualMachine
from resphere.server.exchange import Exchange
from resphere.server.pipeline import Pipeline
from tests.support.served import GivenBody, Served


def listed(served: Served, pipeline: Pipeline, etag: str = "") -> Reply:
    """What asking for the VMs answers to somebody who knows the list of that ETag."""
    headers = {b"vmware-api-session-id": served.token.encode(), b"if-none-match": etag.encode()}
    request = Request("GET", "/api/vcenter/vm", b"", headers, "192.0.2.1")
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
