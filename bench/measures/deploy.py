"""Machines made of packages: what the server works for one with a large disk, whose bytes are not copied."""

from __future__ import annotations

from http.client import HTTPSConnection
from itertools import count
from ssl import CERT_NONE, PROTOCOL_TLS_CLIENT, SSLContext
from typing import Any
from urllib.parse import urlsplit

import msgspec

from bench.client import PATIENCE_SECONDS, ask, request
from bench.measures.create import FEW, vcenter
from bench.measures.transfers import pieces
from bench.processes import cpu_seconds
from bench.result import Outcome, at_most, told
from bench.rounds import Effort
from bench.site import Site

GIB = 1 << 30
DEPLOYMENTS = 20
"""In a round."""
TARGET_MS = 20.0
CPU_DIGITS = 1


def measure_deploy(effort: Effort) -> Outcome:
    """A package whose disk has 1 GiB in the library, and one whose disk is empty, in turns; each VM goes again."""
    with vcenter("deploy", FEW) as found:
        library = new_library(found)
        packages = {
            "large": package(found, library, "large", GIB),
            "empty": package(found, library, "empty", None),
        }
        pool = asked(found, "GET", "/api/vcenter/resource-pool")[0]["resource_pool"]
        names = count()
        spent: dict[str, list[float]] = {name: [] for name in packages}
        for item in packages.values():
            deploy(found, item, pool, f"first-{next(names)}")
        for _ in range(effort.rounds):
            for name, item in packages.items():
                spent[name].append(cost(found, item, pool, names))
    large, empty = (min(spent[name]) * 1000 for name in ("large", "empty"))
    what = "OVF deployment, CPU of the server"
    return Outcome(
        (
            at_most(f"{what}: with a disk of 1 GiB from the library", large, TARGET_MS, " ms", CPU_DIGITS),
            told(f"{what}: with an empty disk", f"{empty:,.1f} ms"),
        ),
        (),
        ("Of each, the least of all rounds: what others do on the computer meanwhile counts in no figure.",),
    )


def cost(found: Site, item: str, pool: str, names: count[int]) -> float:
    """What processor time a deployment takes, in seconds: that of the deletions is not in it."""
    total = 0.0
    for _ in range(DEPLOYMENTS):
        before = cpu_seconds(found.server.processes)
        vm = deploy(found, item, pool, f"deployed-{next(names)}")
        total += cpu_seconds(found.server.processes) - before
        asked(found, "DELETE", f"/api/vcenter/vm/{vm}")
    return total / DEPLOYMENTS


def new_library(found: Site) -> str:
    """A library on no datastore of the inventory, where there may be less room."""
    backing = {"type": "OTHER", "storage_uri": "nfs://storage.example.org/packages"}
    made: str = asked(found, "POST", "/api/content/local-library", {"name": "bench", "storage_backings": [backing]})
    return made


def package(found: Site, library: str, name: str, size: int | None) -> str:
    """An item with a descriptor, and a file of that size as its disk."""
    item = asked(found, "POST", "/api/content/library/item", {"library_id": library, "name": name, "type": "ovf"})
    session = asked(found, "POST", "/api/content/library/item/update-session", {"library_item_id": item})
    text = descriptor(with_file=size is not None)
    send(found, session, "machine.ovf", [text], len(text))
    if size is not None:
        send(found, session, "disk.vmdk", pieces(size), size)
    asked(found, "POST", f"/api/content/library/item/update-session/{session}?action=complete")
    made: str = item
    return made


def descriptor(*, with_file: bool) -> bytes:
    """A machine with a disk of 2 GiB."""
    file, reference = ('<File ovf:id="f" ovf:href="disk.vmdk"/>', ' ovf:fileRef="f"') if with_file else ("", "")
    return f"""<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"
  xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
  xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData">
  <References>{file}</References>
  <DiskSection><Info/><Disk ovf:capacity="2147483648" ovf:diskId="d"{reference}/></DiskSection>
  <VirtualSystem ovf:id="vm"><Info/><VirtualHardwareSection><Info/>
    <Item><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>6</rasd:ResourceType></Item>
    <Item><rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:HostResource>ovf:/disk/d</rasd:HostResource>
      <rasd:InstanceID>2</rasd:InstanceID><rasd:Parent>1</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType></Item>
  </VirtualHardwareSection></VirtualSystem></Envelope>""".encode()


def send(found: Site, session: str, name: str, content: Any, size: int) -> None:
    """Send a file to an update session."""
    spec = {"name": name, "source_type": "PUSH", "size": size}
    info = asked(found, "POST", f"/api/content/library/item/update-session/{session}/file", spec)
    path = urlsplit(info["upload_endpoint"]["uri"]).path
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = CERT_NONE
    where = found.server.address
    connection = HTTPSConnection(where.host, where.port, timeout=PATIENCE_SECONDS, context=context)
    try:
        connection.request("PUT", path, content, {"content-length": str(size)})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"a library's file: {answer.status} {said[:300]!r}")
    finally:
        connection.close()


def deploy(found: Site, item: str, pool: str, name: str) -> str:
    """A VM of the package."""
    spec = {"target": {"resource_pool_id": pool}, "deployment_spec": {"name": name}}
    result = asked(found, "POST", f"/api/vcenter/ovf/library-item/{item}?action=deploy", spec)
    if not result["succeeded"]:
        raise RuntimeError(f"deployment: {result['error']}")
    made: str = result["resource_id"]["id"]
    return made


def asked(found: Site, method: str, path: str, body: object = None) -> Any:
    """What the server answers, decoded.

    :raises RuntimeError: it refuses.
    """
    headers = {**found.session, "content-type": "application/json"}
    answer = ask(
        found.server.address, request(method, path, headers, b"" if body is None else msgspec.json.encode(body))
    )
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {answer.body[:300]!r}")
    return msgspec.json.decode(answer.body) if answer.body else None
