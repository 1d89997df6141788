"""No list by its options holds the loop for long, over a large inventory with the options at their largest: what is
bounded, and how it is measured, is that of :mod:`tests.server.test_held_loop`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

import pytest

from resphere.contract.generated import cis_tagging, ids, vapi_std
from resphere.inventory.model import VirtualMachine
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.sizes import Sizes
from resphere.queries.compiling import MOST_CLAUSES
from resphere.queries.options import MOST_TOP
from resphere.queries.ordering import MOST_KEYS
from resphere.queries.tokens import MOST_CHARACTERS, MOST_DEPTH
from tests.server.test_held_loop import MOST_SECONDS, Scene
from tests.support.calls import ApiCall
from tests.support.jsonrpc import invocation, session_context
from tests.support.loop_times import no_collection

SIZES = Sizes(datacenters=2, clusters=4, hosts=40, vms=4000)
VMS = "/api/vcenter/vm"
TAGS_EACH = 20
"""Of a quarter of the VMs."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with closing(Scene(tmp_path_factory.mktemp("scene"), generate(SIZES, 1))) as scene:
        attach_tags(scene)
        yield scene


def attach_tags(scene: Scene) -> None:
    """Give many VMs many tags."""
    world, tags = scene.served.world, scene.real["CisTaggingTagId"]
    vms = [
        vapi_std.DynamicID(type=VirtualMachine.resource_type, id=vm)
        for vm in list(world.inventory.all(VirtualMachine))[::4]
    ]
    for tag in tags[:TAGS_EACH]:
        done = world.call(
            cis_tagging.TagAssociation.attach_tag_to_multiple_objects, ids.CisTaggingTagId(tag), tuple(vms)
        )
        assert done.success


def joined(condition: str, word: str = "or", most: int = MOST_CLAUSES) -> str:
    """So many conditions as there may be, none of them true; each ``{n}`` is another number."""
    found = ""
    for n in range(most):
        more = f" {word} " * bool(found) + condition.replace("{n}", str(n))
        if len(found) + len(more) > MOST_CHARACTERS:
            break
        found += more
    return found


DEEP = "(" * MOST_DEPTH + "name eq 'x'" + ")" * MOST_DEPTH
FULL = {"full": "true"}
LARGE: dict[str, dict[str, str]] = {
    "clauses": {"$filter": joined("contains(name,'none {n}')")},
    "clauses on case": {"$filter": joined("contains(tolower(name),'none{n}')")},
    "clauses of two fields": {"$filter": joined("cpu_count gt memory_size_MiB")},
    "clauses that are not": {"$filter": joined("not (cpu_count gt {n}0000)", "and")},
    "clauses that count": {"$filter": joined("cpu_count gt 1000{n}"), "$count": "true"},
    "deep": {"$filter": joined(DEEP)},
    "a text": {"$filter": f"name eq '{'x' * (MOST_CHARACTERS - 10)}'"},
    "apostrophes": {"$filter": f"name eq '{chr(39) * 2 * 2000}'"},
    "values": {"$filter": f"name in ({','.join(chr(39) + str(n) + chr(39) for n in range(560))})"},
    "tags": {"$filter": joined("tags/any(t: t/name eq 'none{n}')", most=MOST_CLAUSES // 10)},
    "all tags": {"$filter": joined("tags/all(t: t/name ne 'none{n}')", "and", most=MOST_CLAUSES // 10)},
    "orders": {"$orderby": ",".join(["power_state,cpu_count desc,vm,tolower(name) desc"] * (MOST_KEYS // 4))},
    "orders and a filter": {
        "$filter": joined("not contains(tolower(name),'none{n}')", "and"),
        "$orderby": ",".join(["name desc"] * MOST_KEYS),
        "$top": "100",
    },
    "the largest page": {"$top": str(MOST_TOP), "$count": "true", "$orderby": "memory_size_MiB,name"},
    "skipped": {"$skip": "10000000", "$top": "10000"},
    "fields": {"$select": ",".join(["vm", "name", "power_state", "cpu_count", "memory_size_MiB"] * 20)},
    "a cursor": {"$skiptoken": "A" * 60_000},
    "all of each": {**FULL, "$filter": joined("disks/any(d: d/capacity lt {n})", most=MOST_CLAUSES // 10)},
    "all of each, within each other": {
        **FULL,
        "$filter": "disks/all(d: nics/all(n: n/mac_address ne 'x'))",
    },
    "all of each in order": {**FULL, "$orderby": ",".join(["memory/size_MiB desc,cpu/count,name,guest_OS"] * 2)},
    "all of each, fields": {
        **FULL,
        "$select": "vm,name,cpu/count,memory/size_MiB,disks,nics,boot/delay,hardware/version",
    },
}


def told(options: Mapping[str, str]) -> ApiCall:
    """The list by these options."""
    return ApiCall("GET", f"{VMS}?{urlencode(options)}", None)


@pytest.mark.parametrize("what", LARGE)
@pytest.mark.parametrize("dialect", ["api", "rest", "jsonrpc"])
def test_options_at_their_largest(scene: Scene, what: str, dialect: str) -> None:
    served, options = scene.served, LARGE[what]
    if dialect == "jsonrpc":
        context: dict[str, Any] = session_context(served.token)
        context["appCtx"] = {**context.get("appCtx", {}), **options}
        body = invocation("com.vmware.vcenter.VM", "list", {}, context)
        call, spoken = ApiCall("POST", "/api", json.dumps(body).encode()), served.jsonrpc
    elif dialect == "rest":
        call, spoken = ApiCall("GET", f"/rest/vcenter/vm?{urlencode(options)}", None), served.rest
    else:
        call, spoken = told(options), served.api
    with no_collection():
        # What is asked for again may be answered from what is kept: an order, and all of the answer.
        for _ in range(2):
            assert scene.holds(spoken, call, MOST_SECONDS) is None


def test_the_options_at_their_largest_are_understood(scene: Scene) -> None:
    """All but the cursor: else they would be refused, and nothing would have been measured."""
    for what, options in LARGE.items():
        reply = scene.served.ask(scene.served.api, told(options))
        assert (reply.status == 200) == (what != "a cursor"), (what, reply.body[:300])
