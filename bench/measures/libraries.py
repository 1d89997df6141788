"""Content libraries: large files in and out beside constant bytes, packages with a large disk, and very many items."""

from __future__ import annotations

import http.client
import ssl
import statistics
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import msgspec

from bench.client import PATIENCE_SECONDS, Address, ask, request
from bench.measures.create import FEW, decoded, listed, place_of, vcenter
from bench.measures.transfers import answered, pieces
from bench.processes import cpu_seconds, peak_bytes
from bench.result import Outcome, Row, at_least, at_most, told
from bench.rounds import Effort, Entrant, same, take_turns
from bench.site import Site, constant

MIB = 1 << 20
SIZE_BYTES = 1024 * MIB
PACKAGE = b"""<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
  xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData">
  <References><File ovf:href="disk.vmdk" ovf:id="file1"/></References>
  <DiskSection><Info/><Disk ovf:capacity="2" ovf:capacityAllocationUnits="byte * 2^30" ovf:diskId="disk1"
    ovf:fileRef="file1"/></DiskSection>
  <VirtualSystem ovf:id="large"><Info/><VirtualHardwareSection><Info/>
    <Item><rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceSubType>VirtualSCSI</rasd:ResourceSubType>
      <rasd:ResourceType>6</rasd:ResourceType></Item>
    <Item><rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:HostResource>ovf:/disk/disk1</rasd:HostResource>
      <rasd:InstanceID>4</rasd:InstanceID><rasd:Parent>3</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType></Item>
  </VirtualHardwareSection></VirtualSystem>
</Envelope>"""
DEPLOYMENTS = 20
DEPLOY_TARGET_MS = 20.0
TRANSFER_TARGET = 0.5
GROWN_TARGET_MB = 64.0
FEW_ITEMS, MANY_ITEMS = 10, 10_000
MANY_TARGET = 1.2
CONNECTIONS = 16
ROUNDS = 3
"""Of transfers: each writes a GiB to the disk."""
ITEMS = "/api/content/library/item"
UPDATES, DOWNLOADS = f"{ITEMS}/update-session", f"{ITEMS}/download-session"


def measure_libraries(effort: Effort) -> Outcome:
    """One server with a library of large files, one of few items and one of many."""
    with vcenter("libraries", FEW) as found:
        transfers = large_files(found, min(effort.rounds, ROUNDS))
        many = many_items(found, effort)
    return Outcome((*transfers.verdicts, *many.verdicts), many.rows)


# --- large files -----------------------------------------------------------------------------------------------------


def large_files(found: Site, rounds: int) -> Outcome:
    """One client over TLS, HTTP/1.1; on disk before it is answered."""
    item = new_item(found, new_library(found, "large"), "large", "ovf")
    # What the first transfer of all takes (threads, buffers) is no matter of its size.
    upload(found, item, MIB)
    download(found, item)
    with constant(found, {}) as still:
        before = {pid: peak_bytes(pid) for pid in found.server.processes}
        seconds = []
        for _ in range(rounds):
            up, down = upload(found, item, SIZE_BYTES), download(found, item)
            seconds.append((up, down, put_nowhere(still.address), get_constant(still.address)))
        grown = max(peak_bytes(pid) - peak for pid, peak in before.items())
    up, down, still_up, still_down = (SIZE_BYTES / 1e6 / statistics.median(each) for each in zip(*seconds, strict=True))
    send(found, item, {"large.ovf": PACKAGE})
    milliseconds = deployment_milliseconds(found, item)
    what = f"library file of {SIZE_BYTES // MIB:,} MiB, 1 connection"
    return Outcome(
        (
            told(f"{what}: upload, durable, with digests", f"{up:,.0f} MB/s"),
            at_least(
                f"{what}: upload beside the same to constant bytes' server, which drops it",
                up / still_up,
                TRANSFER_TARGET,
            ),
            told(f"{what}: download", f"{down:,.0f} MB/s"),
            at_least(f"{what}: download beside constant bytes", down / still_down, TRANSFER_TARGET),
            at_most(f"{what}: growth of the largest worker's peak memory", grown / 1e6, GROWN_TARGET_MB, " MB", 0),
            at_most(
                f"deployment of a package with a disk of {SIZE_BYTES // MIB:,} MiB: CPU",
                milliseconds,
                DEPLOY_TARGET_MS,
                " ms",
                1,
            ),
        )
    )


def put_nowhere(where: Address) -> float:
    """Send as many bytes to who drops them; returns the seconds."""
    began = time.perf_counter()
    answered(where, "PUT", "/", pieces(SIZE_BYTES), {"content-length": str(SIZE_BYTES)})
    return time.perf_counter() - began


def get_constant(where: Address) -> float:
    """Fetch as many bytes; returns the seconds."""
    began = time.perf_counter()
    answered(where, "GET", f"/bytes/{SIZE_BYTES}", None, {})
    return time.perf_counter() - began


def upload(found: Site, item: str, size: int) -> float:
    """Have the item have a disk of that size; returns the seconds that its bytes took."""
    session = made(found, UPDATES, {"library_item_id": item})
    file = {"name": "disk.vmdk", "source_type": "PUSH", "size": size}
    where = urlsplit(made(found, f"{UPDATES}/{session}/file", file)["upload_endpoint"]["uri"]).path
    began = time.perf_counter()
    answered(found.server.address, "PUT", where, pieces(size), {"content-length": str(size)})
    taken = time.perf_counter() - began
    made(found, f"{UPDATES}/{session}?action=complete", None)
    return taken


def send(found: Site, item: str, files: dict[str, bytes]) -> None:
    """Have the item have small files too."""
    session = made(found, UPDATES, {"library_item_id": item})
    for name, data in files.items():
        file = {"name": name, "source_type": "PUSH"}
        where = urlsplit(made(found, f"{UPDATES}/{session}/file", file)["upload_endpoint"]["uri"]).path
        answered(found.server.address, "PUT", where, iter((data,)), {"content-length": str(len(data))})
    made(found, f"{UPDATES}/{session}?action=complete", None)


def download(found: Site, item: str) -> float:
    """Have the disk again; returns the seconds that its bytes took."""
    session = made(found, DOWNLOADS, {"library_item_id": item})
    info = made(found, f"{DOWNLOADS}/{session}/file?action=prepare", {"file_name": "disk.vmdk"})
    where = urlsplit(info["download_endpoint"]["uri"]).path
    began = time.perf_counter()
    answered(found.server.address, "GET", where, None, {})
    return time.perf_counter() - began


def deployment_milliseconds(found: Site, item: str) -> float:
    """What the server's processes take for a deployment of the item's package."""
    place = place_of(found)
    pool = decoded(found, f"cluster/{listed(found, 'cluster')[0]['cluster']}")["resource_pool"]
    spec: dict[str, Any] = {"accept_all_EULA": True, "default_datastore_id": place.datastore}

    def deploy(number: int) -> None:
        body = {
            "target": {"resource_pool_id": pool, "folder_id": place.folder},
            "deployment_spec": {**spec, "name": f"deployed-{number}"},
        }
        result = made(found, f"/api/vcenter/ovf/library-item/{item}?action=deploy", body)
        if not result["succeeded"]:
            raise RuntimeError(f"not deployed: {result}")

    deploy(0)
    processes = found.server.processes
    before = cpu_seconds(processes)
    for number in range(1, DEPLOYMENTS + 1):
        deploy(number)
    return (cpu_seconds(processes) - before) / DEPLOYMENTS * 1000


# --- many items ------------------------------------------------------------------------------------------------------


def many_items(found: Site, effort: Effort) -> Outcome:
    """The same asked about a library with few items and one with many."""
    libraries = {"few": new_library(found, "few"), "many": new_library(found, "many")}
    few = fill(found, libraries["few"], FEW_ITEMS)
    many = fill(found, libraries["many"], MANY_ITEMS)
    some = {"few": few, "many": many[:: MANY_ITEMS // FEW_ITEMS]}
    asked: dict[str, Callable[[str], tuple[bytes, ...]]] = {
        "item get": lambda which: tuple(found.request(f"{ITEMS}/{item}") for item in some[which]),
        "item find by name": lambda which: tuple(
            posting(found, f"{ITEMS}?action=find", {"library_id": libraries[which], "name": f"item {n}"})
            for n in range(FEW_ITEMS)
        ),
        "library get": lambda which: (found.request(f"/api/content/library/{libraries[which]}"),),
        "library find": lambda which: (posting(found, "/api/content/library?action=find", {"name": which}),),
    }
    verdicts, rows = [], []
    for what, script in asked.items():
        entrants = [Entrant(which, found.server, (script(which),) * CONNECTIONS) for which in libraries]
        speeds = take_turns(entrants, effort)
        slower = speeds["many"].cpu_microseconds / speeds["few"].cpu_microseconds
        verdicts.append(
            at_most(
                f"{what}: times slower with {MANY_ITEMS:,} items in the library than with {FEW_ITEMS}",
                slower,
                MANY_TARGET,
            )
        )
        rows += [Row(what, f"{len(of)} items", speeds[which]) for which, of in (("few", few), ("many", many))]
    lists = take_turns(
        [
            same(which, found.server, found.request(f"{ITEMS}?library_id={id}"), CONNECTIONS)
            for which, id in libraries.items()
        ],
        effort,
    )
    an_item = lists["many"].cpu_microseconds / MANY_ITEMS / (lists["few"].cpu_microseconds / FEW_ITEMS)
    verdicts.append(
        at_most(
            f"item list, for each item: times slower with {MANY_ITEMS:,} items than with {FEW_ITEMS}",
            an_item,
            MANY_TARGET,
        )
    )
    rows += [Row("item list", f"{len(of)} items", lists[which]) for which, of in (("few", few), ("many", many))]
    seconds, longest = delete(found, libraries["many"])
    verdicts += [
        told(f"deletion of a library with {MANY_ITEMS:,} items", f"{seconds:,.1f} s"),
        told("the longest that another client waited for an item meanwhile", f"{longest * 1000:,.0f} ms"),
    ]
    return Outcome(tuple(verdicts), tuple(rows))


def fill(found: Site, library: str, count: int) -> list[str]:
    """The ids of so many new items, made over several connections."""

    def some(numbers: Iterable[int]) -> list[str]:
        connection = open_connection(found.server.address)
        try:
            return [new_item_over(found, connection, library, f"item {n}") for n in numbers]
        finally:
            connection.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return [id for ids in pool.map(some, (range(n, count, CONNECTIONS) for n in range(CONNECTIONS))) for id in ids]


def open_connection(where: Address) -> http.client.HTTPSConnection:
    """A connection that stays."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(where.host, where.port, timeout=PATIENCE_SECONDS, context=context)


def new_item_over(found: Site, connection: http.client.HTTPSConnection, library: str, name: str) -> str:
    """A new item."""
    body = msgspec.json.encode({"library_id": library, "name": name, "type": "iso"})
    connection.request("POST", ITEMS, body, {**found.session, "content-type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != http.client.CREATED:
        raise RuntimeError(f"no item: {answer.status} {content[:300]!r}")
    return msgspec.json.decode(content, type=str)


def delete(found: Site, library: str) -> tuple[float, float]:
    """Delete a library; returns the seconds, and the longest that somebody else waited for an answer meanwhile."""
    longest, over = 0.0, Event()

    def other() -> None:
        nonlocal longest
        connection = open_connection(found.server.address)
        while not over.is_set():
            began = time.perf_counter()
            connection.request("GET", "/api/content/library", headers=found.session)
            connection.getresponse().read()
            longest = max(longest, time.perf_counter() - began)
        connection.close()

    waiting = Thread(target=other)
    waiting.start()
    began = time.perf_counter()
    answer = ask(found.server.address, found.request(f"/api/content/local-library/{library}", method="DELETE"))
    seconds = time.perf_counter() - began
    over.set()
    waiting.join()
    if answer.status != http.client.NO_CONTENT:
        raise RuntimeError(f"not deleted: {answer.status} {answer.body[:300]!r}")
    return seconds, longest


# --- both ------------------------------------------------------------------------------------------------------------


def new_library(found: Site, name: str) -> str:
    """A library on the datastore with the most room."""
    store = max(listed(found, "datastore"), key=lambda store: store["free_space"])["datastore"]
    backing = {"type": "DATASTORE", "datastore_id": store}
    return str(made(found, "/api/content/local-library", {"name": name, "storage_backings": [backing]}))


def new_item(found: Site, library: str, name: str, type: str) -> str:
    """A new item."""
    return str(made(found, ITEMS, {"library_id": library, "name": name, "type": type}))


def posting(found: Site, path: str, body: object) -> bytes:
    """A request with a body."""
    headers = {**found.session, "content-type": "application/json"}
    return request("POST", path, headers, b"" if body is None else msgspec.json.encode(body))


def made(found: Site, path: str, body: object) -> Any:
    """What a POST answers.

    :raises RuntimeError: it is refused.
    """
    answer = ask(found.server.address, posting(found, path, body))
    if answer.status >= http.client.BAD_REQUEST:
        raise RuntimeError(f"{path}: {answer.status} {answer.body[:300]!r}")
    return msgspec.json.decode(answer.body) if answer.body else None
