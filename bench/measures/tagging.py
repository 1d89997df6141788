"""Tags by the thousand: attached in batches, listed, and found by object and by tag."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import msgspec

from bench.client import Address, basic, request
from bench.measures.sdk import SESSION, VCSIM, vcsim
from bench.result import Outcome, Row, Verdict, at_least, at_most, told
from bench.rounds import Effort, Entrant, same, take_turns
from bench.servers import PASSWORD, USER, Inventory
from bench.site import Site, site

VMS, TEMPLATES = 1000, 100  # templates, one in 23, are not listed
BATCH = 100
VMS_WITH_A_TAG = 10
TAGS_OF_FEW, TAGS_OF_MANY = BATCH, BATCH * VMS // VMS_WITH_A_TAG
ATTACH_TARGET_SECONDS = 2.0
ON_OBJECTS_TARGET_MS = 20.0
MANY_TARGET = 1.5
CONNECTIONS = 8
TAGS_BESIDE_VCSIM = 1000
LISTS_A_ROUND = 50
REST_TAGS = "/rest/com/vmware/cis/tagging/tag"
ASSOCIATION = "/api/cis/tagging/tag-association"
QUESTIONS = ("list-attached-tags", "list-attached-objects")


class Talker:
    """One connection on which requests follow one another; replies may come in chunks, as vcsim's do."""

    def __init__(self, address: Address, headers: Mapping[str, str]) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._connection = http.client.HTTPSConnection(address.host, address.port, context=context)
        self._headers = {**headers, "content-type": "application/json"}

    def ask(self, method: str, path: str, body: object = None) -> bytes:
        """The body of the answer.

        :raises RuntimeError: it is none of success.
        """
        sent = None if body is None else msgspec.json.encode(body)
        self._connection.request(method, path, sent, self._headers)
        answer = self._connection.getresponse()
        received = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{path}: {answer.status} {received[:300]!r}")
        return received

    def pause(self) -> None:
        """Hang up: a server does so with connections that rest, and the next request opens one."""
        self._connection.close()

    def value(self, method: str, path: str, body: object = None) -> Any:
        """The answer, decoded."""
        return msgspec.json.decode(self.ask(method, path, body))


class Tagged(msgspec.Struct, frozen=True):
    """A vCenter with tags: each batch of them on :data:`VMS_WITH_A_TAG` VMs of its own."""

    found: Site
    talker: Talker
    batches: tuple[tuple[str, ...], ...]

    def vm(self, batch: int, number: int) -> dict[str, str]:
        """The ``number``-th VM of those that have that batch of tags."""
        return {"type": "VirtualMachine", "id": self.found.vms[batch * VMS_WITH_A_TAG + number]["vm"]}

    def attach(self, numbers: Sequence[int]) -> float:
        """Attach each batch to those of its VMs, a batch at a time, and return the seconds that took."""
        self.talker.pause()
        path, began = f"{ASSOCIATION}?action=attach-multiple-tags-to-object", time.perf_counter()
        for index, tags in enumerate(self.batches):
            for number in numbers:
                self.talker.ask("POST", path, {"object_id": self.vm(index, number), "tag_ids": tags})
        return time.perf_counter() - began

    def questions(self, name: str) -> list[Entrant]:
        """Which tags has an object, which objects has a tag: both have as many in every such vCenter."""
        tags_of = self.posted("list-attached-tags", {"object_id": self.vm(0, 0)})
        objects_of = self.posted("list-attached-objects", None, f"/{self.batches[0][0]}")
        return [
            same(f"{question}, {name}", self.found.server, sent, CONNECTIONS)
            for question, sent in zip(QUESTIONS, (tags_of, objects_of), strict=True)
        ]

    def on_objects(self) -> Entrant:
        """All tags of all VMs at once."""
        objects = [{"type": "VirtualMachine", "id": vm["vm"]} for vm in self.found.vms[:VMS]]
        sent = self.posted("list-attached-tags-on-objects", {"object_ids": objects})
        return same("on objects", self.found.server, sent, 1)

    def posted(self, action: str, body: object, id: str = "") -> bytes:
        """A request of the tag association as it goes over the wire."""
        sent = b"" if body is None else msgspec.json.encode(body)
        headers = {**self.found.session, "content-type": "application/json"}
        return request("POST", f"{ASSOCIATION}{id}?action={action}", headers, sent)


def measure_tagging(effort: Effort) -> Outcome:
    """Few tags and attachments beside many, in equal inventories; and a list beside vcsim's."""
    with site("tags-few", Inventory(VMS + TEMPLATES)) as one, site("tags-many", Inventory(VMS + TEMPLATES)) as other:
        few, many = tagged(one, TAGS_OF_FEW), tagged(other, TAGS_OF_MANY)
        few.attach(range(VMS_WITH_A_TAG))
        attached = many.attach([0])
        listed = take_turns([many.on_objects()], effort)["on objects"]
        many.attach(range(1, VMS_WITH_A_TAG))
        speeds = take_turns([*few.questions("few"), *many.questions("many")], effort)
    cpu = {name: speed.cpu_microseconds for name, speed in speeds.items()}
    slower = {each: cpu[f"{each}, many"] / cpu[f"{each}, few"] for each in QUESTIONS}
    objects = f"list-attached-tags-on-objects, {VMS:,} VMs with {TAGS_OF_MANY:,} attachments"
    count = f"{TAGS_OF_MANY:,} tags, {VMS * BATCH:,} attachments"
    return Outcome(
        (
            at_most(
                f"attach {TAGS_OF_MANY:,} tags in batches of {BATCH}, durable", attached, ATTACH_TARGET_SECONDS, " s"
            ),
            at_most(f"{objects}: server CPU", listed.cpu_microseconds / 1000, ON_OBJECTS_TARGET_MS, " ms"),
            *(at_most(f"{each}, {count}: CPU beside few", slower[each], MANY_TARGET) for each in QUESTIONS),
            beside_vcsim(effort.rounds),
        ),
        (
            *(Row(each, f"{size} tags", speeds[f"{each}, {size}"]) for each in QUESTIONS for size in ("few", "many")),
            Row(objects, "many tags", listed),
        ),
        (f"An object has {BATCH} tags, a tag {VMS_WITH_A_TAG} objects, where there are few and where there are many.",),
    )


def tagged(found: Site, count: int) -> Tagged:
    """Make so many tags, attached to nothing yet."""
    talker = Talker(found.server.address, found.session)
    category = {"name": "bench", "description": "", "cardinality": "MULTIPLE", "associable_types": []}
    of = talker.value("POST", "/api/cis/tagging/category", category)
    tags = tuple(
        talker.value("POST", "/api/cis/tagging/tag", {"name": str(index), "description": "", "category_id": of})
        for index in range(count)
    )
    return Tagged(found, talker, tuple(tags[at : at + BATCH] for at in range(0, count, BATCH)))


def beside_vcsim(rounds: int) -> Verdict:
    """Lists of tags over /rest, as many each second as vcsim answers."""
    name = f"tag list of {TAGS_BESIDE_VCSIM:,} tags over /rest, one connection: answers beside vcsim's"
    if not VCSIM.exists():
        return told(name, "vcsim not built: no Go, or no source of govmomi")
    with site("tags-rest", Inventory(VMS + TEMPLATES)) as found, vcsim() as other:
        talkers = [with_tags(found.server.address, USER, PASSWORD), with_tags(other, "user", "pass")]
        seconds: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            for talker, taken in zip(talkers, seconds, strict=True):
                talker.pause()
                began = time.perf_counter()
                for _ in range(LISTS_A_ROUND):
                    talker.ask("GET", REST_TAGS)
                taken.append(time.perf_counter() - began)
    own, theirs = map(median, seconds)
    return at_least(name, theirs / own, 1)


def with_tags(address: Address, user: str, password: str) -> Talker:
    """A session over /rest with a server that has been given the tags."""
    session = Talker(address, basic(user, password)).value("POST", SESSION)["value"]
    talker = Talker(address, {"vmware-api-session-id": session})
    category = {"name": "bench", "description": "", "cardinality": "MULTIPLE", "associable_types": []}
    of = talker.value("POST", "/rest/com/vmware/cis/tagging/category", {"create_spec": category})["value"]
    for index in range(TAGS_BESIDE_VCSIM):
        spec = {"name": str(index), "description": "", "category_id": of}
        talker.ask("POST", REST_TAGS, {"create_spec": spec})
    if len(talker.value("GET", REST_TAGS)["value"]) != TAGS_BESIDE_VCSIM:
        raise RuntimeError(f"{REST_TAGS} does not list the tags that were made")
    return talker
