"""Virtual machines that come and go, and large ones: each is on disk before it is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any

import msgspec

from bench.client import ask, request
from bench.result import Outcome, Row, at_least, at_most, told
from bench.rounds import Effort, Entrant, same, take_turns
from bench.servers import Inventory, fresh, log_in, resphere
from bench.site import Site

FEW, MANY = Inventory(100), Inventory(20_000, hosts=100, clusters=10)
CONNECTIONS, WORKERS = 32, 2
PAIRS_TARGET = 700
MANY_TARGET = 1.2
DEVICES = 20
DEVICES_TARGET = 1.3
CREATED, DELETED = 201, 204


class Place(msgspec.Struct, frozen=True):
    """A folder, cluster and datastore to create VMs in."""

    folder: str
    cluster: str
    datastore: str


def measure_create(effort: Effort) -> Outcome:
    """Each connection creates a VM of the smallest spec and deletes it, beside few VMs and beside many."""
    with ExitStack() as stack:
        few = stack.enter_context(vcenter("create-few", FEW))
        many = stack.enter_context(vcenter("create-many", MANY))
        speeds = take_turns([pairs("few", few), pairs("many", many)], effort)
        plain, large = (vm_of(few, devices) for devices in (0, DEVICES))
        gets = take_turns(
            [
                same("plain", few.server, few.request(f"/api/vcenter/vm/{plain}"), CONNECTIONS),
                same("large", few.server, few.request(f"/api/vcenter/vm/{large}"), CONNECTIONS),
            ],
            effort,
        )
    asked = f"VM create and delete, {CONNECTIONS} connections, {WORKERS} workers"
    got = f"GET vm/{{vm}}, {CONNECTIONS} connections, {WORKERS} workers"
    ratio = speeds["few"].per_second / speeds["many"].per_second
    devices = gets["plain"].per_second / gets["large"].per_second
    return Outcome(
        (
            at_least(f"{asked}: durable pairs", speeds["few"].per_second / 2, PAIRS_TARGET, "/s", 0),
            told(f"{asked}, with 20,000 VMs: durable pairs", f"{speeds['many'].per_second / 2:,.0f}/s"),
            at_most(f"{asked}: times slower with 20,000 VMs than with 100", ratio, MANY_TARGET),
            at_most(f"{got}: times slower with {DEVICES} devices than with a disk alone", devices, DEVICES_TARGET),
        ),
        (
            Row(asked, "100 VMs", speeds["few"]),
            Row(asked, "20,000 VMs", speeds["many"]),
            Row(got, "a disk alone", gets["plain"]),
            Row(got, f"{DEVICES} devices", gets["large"]),
        ),
        ("A pair is two operations: the speeds in the second table are operations, each with a task and audit trail.",),
    )


@contextmanager
def vcenter(name: str, inventory: Inventory) -> Iterator[Site]:
    """A vCenter with a session."""
    with resphere(fresh(name), inventory, WORKERS) as server:
        yield Site(server, log_in(server), ())


def pairs(name: str, found: Site) -> Entrant:
    """Every connection with names of its own, in one cluster and on one datastore."""
    place, numbers = place_of(found), count()
    scripts = tuple((creation(found, place, numbers), deletion(found)) for _ in range(CONNECTIONS))
    return Entrant(name, found.server, scripts, (CREATED, DELETED))


def creation(found: Site, place: Place, numbers: count[int]) -> Callable[[bytes], bytes]:
    """Makes the request for the next VM."""
    return lambda _: create(found, place, f"new-{next(numbers)}", {})


def create(found: Site, place: Place, name: str, more: dict[str, object]) -> bytes:
    """The request for a VM; ``more`` of its spec."""
    spec = {"guest_OS": "RHEL_8_64", "name": name, "placement": msgspec.to_builtins(place), **more}
    headers = {**found.session, "content-type": "application/json"}
    return request("POST", "/api/vcenter/vm", headers, msgspec.json.encode(spec))


def deletion(found: Site) -> Callable[[bytes], bytes]:
    """Makes the request to delete the VM whose id was answered."""
    return lambda body: found.request(f"/api/vcenter/vm/{msgspec.json.decode(body, type=str)}", method="DELETE")


def place_of(found: Site) -> Place:
    """The first cluster, the datastore there with the most room, and a folder of its datacenter."""
    cluster = listed(found, "cluster")[0]["cluster"]
    host = decoded(found, f"host/{listed(found, f'host?clusters={cluster}')[0]['host']}")
    stores = [store for store in listed(found, "datastore") if store["datastore"] in host["datastores"]]
    folder = listed(found, f"folder?type=VIRTUAL_MACHINE&datacenters={host['datacenter']}")[0]["folder"]
    return Place(folder, cluster, max(stores, key=lambda store: store["free_space"])["datastore"])


def decoded(found: Site, path: str) -> dict[str, Any]:
    """What a GET answers."""
    return msgspec.json.decode(found.get(f"/api/vcenter/{path}").body, type=dict[str, Any])


def listed(found: Site, path: str) -> list[dict[str, Any]]:
    """What a GET of a list answers."""
    return msgspec.json.decode(found.get(f"/api/vcenter/{path}").body, type=list[dict[str, Any]])


def vm_of(found: Site, devices: int) -> str:
    """The id of a new VM with so many devices, or with a disk alone."""
    nics, disks = devices // 4, devices // 2
    more: dict[str, object] = {
        "nics": [{} for _ in range(nics)],
        "disks": [{"new_vmdk": {"capacity": 1 << 20}} for _ in range(disks)],
        "cdroms": [{} for _ in range(4)],
        "serial_ports": [{} for _ in range(devices - nics - disks - 4)],
    }
    answer = ask(found.server.address, create(found, place_of(found), f"with-{devices}", more if devices else {}))
    if answer.status != CREATED:
        raise RuntimeError(f"no VM with {devices} devices: {answer.status} {answer.body[:300]!r}")
    return msgspec.json.decode(answer.body, type=str)
