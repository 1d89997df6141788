"""ETags: what tells one state of an object from all others, and one answer from all others.

The tag of an answer about one object has two parts, ``"<object>-<answer>"``. The first is the object's revision, with
that of its parts (a machine's snapshots); it is the same in all dialects, to all who look. The second tells apart what
was answered. ``If-None-Match`` of reads compares whole tags, ``If-Match`` of what changes something the object's part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any, TypeAlias

import msgspec

from resphere.access.permissions import Permission, permission_id
from resphere.access.principal import canonical_name
from resphere.access.roles import Role
from resphere.access.targets import RESOURCES
from resphere.auth.account_names import group_name
from resphere.auth.accounts import Account
from resphere.auth.groups import Group
from resphere.auth.ldap.settings import LdapSource
from resphere.auth.oidc.providers import IdentityProvider
from resphere.auth.tokens import ApiToken
from resphere.bulk.record import BulkRecord
from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids
from resphere.contract.model import AnyOperation
from resphere.events.webhooks import Webhook
from resphere.faults.record import FaultRule
from resphere.inventory.acquisitions import Acquisition
from resphere.inventory.compute_policies import ComputePolicy
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library, LibraryUsage
from resphere.inventory.content.registries import ContainerRegistry, RegistryProject
from resphere.inventory.content.sessions import DownloadSession, UpdateSession
from resphere.inventory.content.settings import TrustedCertificate
from resphere.inventory.content.subscriptions import LibrarySubscription
from resphere.inventory.custom_attributes import CustomAttribute
from resphere.inventory.customization import CustomizationItem
from resphere.inventory.effects import Intent
from resphere.inventory.model import KINDS, ROOT_FOLDER, Snapshot, VirtualMachine
from resphere.inventory.storage_policies import StoragePolicy
from resphere.inventory.tagging import Category, Tag
from resphere.inventory.vcenter_services import ServiceState
from resphere.recovery.record import BackupSchedule
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.riders import Unmet
from resphere.schedules.record import Schedule
from resphere.server.wiring import WIRING
from resphere.tasks.record import Task

ETAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
TAGS = re.compile(rf"[ \t,]*(?:{ETAG.pattern}[ \t]*(?:,[ \t,]*|\Z))+\Z")
ANY = "*"
OBJECT_CHARACTERS = 16
MOST_TAGS = 100
LONGEST_REMEMBERED = 100


def unchanged(name: str) -> str:
    """Identifiers that are those of the documents."""
    return name


CLASSES: Mapping[object, type[Any]] = {
    **{type: cls for type, resource in RESOURCES.items() for cls in KINDS.values() if cls.resource_type == resource},
    ids.ApplianceRecoveryBackupScheduleId: BackupSchedule,
    ids.ApplianceVmonServiceId: ServiceState,
    ids.CisTaggingCategoryId: Category,
    ids.CisTaggingTagId: Tag,
    ids.CisTaskId: Task,
    ids.CisTASKId: Task,
    ids.ContentLibraryId: Library,
    ids.ContentLibraryItemDownloadSessionId: DownloadSession,
    ids.ContentLibraryItemId: LibraryItem,
    ids.ContentLibraryItemUpdateSessionId: UpdateSession,
    ids.ContentLibrarySubscriptionsId: LibrarySubscription,
    ids.ContentLibraryUsagesId: LibraryUsage,
    ids.ContentTrustedCertificateId: TrustedCertificate,
    ids.VcenterAuthorizationPermissionId: Permission,
    ids.VcenterAuthorizationRoleId: Role,
    ids.VcenterComputePolicyId: ComputePolicy,
    ids.VcenterContentRegistryHarborProjectId: RegistryProject,
    ids.VcenterContentRegistryId: ContainerRegistry,
    ids.VcenterGuestCustomizationSpecId: CustomizationItem,
    ids.VcenterIdentityProvidersId: IdentityProvider,
    ids.VcenterServicesServiceId: ServiceState,
    ids.VcenterStoragePolicyId: StoragePolicy,
    ids.VstatsModelAcqSpecId: Acquisition,
}
"""The class of document that identifiers of the contract mean."""
OWN: Mapping[str, tuple[type[Any], Callable[[str], str]]] = {
    "attribute": (CustomAttribute, unchanged),
    "bulk": (BulkRecord, unchanged),
    "directory": (LdapSource, unchanged),
    "fault": (FaultRule, unchanged),
    "group": (Group, lambda name: canonical_name(group_name(name))),
    "schedule": (Schedule, unchanged),
    "snapshot": (Snapshot, unchanged),
    "token": (ApiToken, unchanged),
    "user": (Account, canonical_name),
    "webhook": (Webhook, unchanged),
}
"""The same by the names of parameters, where operations of our own take plain text."""


class Named(msgspec.Struct, frozen=True):
    """A parameter of a path that names a document, and the document's id by what the path has."""

    parameter: str
    cls: type[Any]
    id: Callable[[str], str]


class Subject(msgspec.Struct, frozen=True, gc=False):
    """An object that a request is about."""

    cls: type[Any]
    id: str


@cache
def named_by_path(operation: AnyOperation) -> tuple[Named, ...]:
    """What the path of an operation names, the last first: that is the object which it is about."""
    route = operation.api or operation.rest
    types = {field.encode_name: field.type for field in msgspec.structs.fields(operation.input)}
    found = []
    for parameter in reversed(re.findall(r"\{([^}]+)\}", route.path if route is not None else "")):
        cls = CLASSES.get(types[parameter])
        if cls is not None:
            found.append(Named(parameter, cls, unchanged))
        elif types[parameter] is str and operation.is_extension and parameter in OWN:
            found.append(Named(parameter, *OWN[parameter]))
    return tuple(found)


def subjects(operation: AnyOperation, parameters: Mapping[str, str]) -> tuple[Subject, ...]:
    """The objects that a request names, the one that it is about first."""
    return tuple(
        [
            Subject(each.cls, each.id(parameters[each.parameter]))
            for each in named_by_path(operation)
            if each.parameter in parameters
        ]
    )


OF_THEIR_OWN = (LibraryItem,)
"""They belong to others, which say nothing of them and may have ten thousand: no parts of those."""


def parts(whole: type[Any]) -> tuple[tuple[type[Any], str], ...]:
    """The classes of documents that are parts of such an object, and the index by which they are found."""
    return tuple(
        (table.cls, table.belongs_to)
        for table in WIRING.tables
        if table.belongs_to is not None and table.revises and table.cls not in OF_THEIR_OWN
        for reference in table.refers_to
        if reference.index == table.belongs_to and whole in reference.to
    )


PARTS: Mapping[type[Any], tuple[tuple[type[Any], str], ...]] = {table.cls: parts(table.cls) for table in WIRING.tables}


BESIDE: Mapping[type[Any], Callable[[str], tuple[type[Any], str]]] = {
    Account: lambda id: (Permission, permission_id(ROOT_FOLDER, id, group=False)),
}
"""Documents by which the same operations say something of an object: the role of a user."""


Document: TypeAlias = tuple[type[Any], str]


def documents_of(replica: Replica, subject: Subject) -> list[Document]:
    """The documents of an object: its own, and its parts."""
    found = [(subject.cls, subject.id)]
    if subject.cls in BESIDE:
        found.append(BESIDE[subject.cls](subject.id))
    for cls, index in PARTS[subject.cls]:
        found += [(cls, id) for id in sorted(replica.by(cls, index, subject.id))]
    return found


def object_part(replica: Replica, subject: Subject) -> str:
    """The part of ETags that is an object's, at its present revision."""
    return part_of(replica, documents_of(replica, subject))


def part_of(replica: Replica, documents: Iterable[Document]) -> str:
    """The same of an object that has these documents."""
    told = [f"{cls.kind}/{id}@{replica.revision_of(cls, id)}" for cls, id in documents]
    content = "\n".join((replica.epoch, *told)).encode("utf-8", "surrogateescape")
    return blake2b(content, digest_size=OBJECT_CHARACTERS // 2).hexdigest()


def answer_part(asked: str, body: bytes) -> str:
    """The part of ETags that is an answer's: what was asked, and the body before any compression."""
    digest = blake2b(asked.encode("utf-8", "surrogateescape"), digest_size=8)
    digest.update(body)
    return digest.hexdigest()


def tags_in(value: bytes, header: str) -> list[tuple[bool, str]] | None:
    """The tags of ``If-Match`` or ``If-None-Match``, each with whether it is weak; ``None`` for ``*``.

    :raises InvalidArgument: these are none.
    """
    text = value.decode("latin-1").strip()
    if text == ANY:
        return None
    tags = [(bool(weak), tag) for weak, tag in ETAG.findall(text)] if TAGS.match(text) else []
    if not tags or len(tags) > MOST_TAGS:
        raise InvalidArgument(
            message(
                "resphere.precondition.malformed",
                "{0}: must be * or 1 to {1} ETags in quotation marks, separated by commas.",
                header,
                MOST_TAGS,
            )
        )
    return tags


def is_known(value: bytes, etag: str) -> bool:
    """Whether ``If-None-Match`` has the tag: as a weak one too, for proxies that compress make such of all."""
    text = value.decode("latin-1").strip()
    return text in (etag, ANY) or any(tag == etag for _, tag in ETAG.findall(text))


def knows_object(value: bytes, part: str) -> bool:
    """Whether a tag of ``If-None-Match`` is of the object at that revision."""
    return any(part == tag[1:-1].partition("-")[0] for _, tag in ETAG.findall(value.decode("latin-1")))


class Found(msgspec.Struct, frozen=True):
    """An object as it was found: its documents, and their revisions."""

    subject: Subject
    documents: list[Document]
    revisions: list[int] = []

    def at_present(self, replica: Replica) -> Found:
        """The same, with the present revisions."""
        return Found(self.subject, self.documents, [replica.revision_of(cls, id) for cls, id in self.documents])

    def still_is(self, replica: Replica) -> bool:
        """Whether it is as it was found."""
        documents = documents_of(replica, self.subject)
        return documents == self.documents and self.revisions == [replica.revision_of(cls, id) for cls, id in documents]


class Unchanged:
    """That an object is at one of the revisions that the client knows, until the change is durable that it asks for.

    Rides along with the call's changes up to the one that is the object's own; from then on it has been relied upon.
    """

    def __init__(self, replica: Replica, subjects: tuple[Subject, ...], known: frozenset[str], *, wanted: bool) -> None:
        self._replica = replica
        self._subjects = subjects
        self._known = known
        self._wanted = wanted
        self._over = False
        self._looked_at = -1
        self._found: Found | None = None
        """What was found at that sequence."""

    def require(self) -> None:
        """Look beforehand.

        :raises Unmet: the object is there, and not as it should be.
        """
        if self._matched() is None and any(self._replica.get(each.cls, each.id) for each in self._subjects):
            raise self.changed()

    def begin(self, edit: Edit) -> None:
        """See :meth:`Rider.begin`."""
        if self._over:
            return
        matched = self._matched()
        if matched is None:
            raise self.changed()
        for cls, id in matched.documents:
            edit.rely_on_revision(cls, id)
        subject = matched.subject
        if PARTS[subject.cls] and subject.cls is not VirtualMachine:
            # Another part would refer to it. A machine's snapshots are never made without a change of the machine.
            edit.rely_on_referrers(subject.id)

    def end(self, edit: Edit) -> None:
        """See :meth:`Rider.end`."""

    def committed(self, edit: Edit) -> None:
        """See :meth:`Rider.committed`."""
        # Of a decision that takes time the change follows, of an object that is claimed for it.
        if not self._over and self._found is not None:
            relied = self._found.documents
            self._over = any(cls is Intent or (cls, id) in relied for cls, id in edit.written())

    def changed(self) -> Unmet:
        """The refusal, with the object's present revision."""
        subject = self._subjects[0]
        error = Unmet(
            message(
                "resphere.precondition.changed",
                "{0} is not as the request demands: it was changed meanwhile, or the ETag is that of something else. "
                "Get it again, and decide anew.",
                subject.id,
            )
            if self._wanted
            else message("resphere.precondition.exists", "{0} is there already, as the request forbids.", subject.id)
        )
        error.http(412, [("ETag", f'"{object_part(self._replica, subject)}"')])
        return error

    def _matched(self) -> Found | None:
        """The object whose revision the request relies on; ``None`` where none is as it demands."""
        if self._looked_at != self._replica.sequence:
            before = self._found
            if before is None or not self._wanted or not before.still_is(self._replica):
                self._found = self._look()
            self._looked_at = self._replica.sequence
        return self._found

    def _look(self) -> Found | None:
        replica, known = self._replica, self._known
        found = [Found(each, documents_of(replica, each)) for each in self._subjects]
        if self._wanted:
            return next((each.at_present(replica) for each in found if part_of(replica, each.documents) in known), None)
        if any(part_of(replica, each.documents) in known for each in found):
            return None
        return found[0].at_present(replica)


def known_objects(value: bytes, header: str) -> frozenset[str] | None:
    """What :func:`objects_in` finds. Clients send a tag as often as they change something: short ones are remembered.

    :raises InvalidArgument: these are no tags.
    """
    return objects_in(value, header) if len(value) > LONGEST_REMEMBERED else remembered(value, header)


def objects_in(value: bytes, header: str) -> frozenset[str] | None:
    """The revisions of objects in a header's tags, ``None`` for ``*``. A weak tag never is one.

    :raises InvalidArgument: these are no tags.
    """
    tags = tags_in(value, header)
    return None if tags is None else frozenset([tag[1:-1].partition("-")[0] for weak, tag in tags if not weak])


def condition(
    replica: Replica, operation: AnyOperation, parameters: Mapping[str, str], headers: Mapping[bytes, bytes]
) -> Unchanged | None:
    """What has to hold of the object that a change is asked for; ``None`` where that is nothing.

    :raises Unmet: it does not hold.
    :raises InvalidArgument: a header is malformed.
    """
    if_match, if_none_match = headers.get(b"if-match"), headers.get(b"if-none-match")
    name, value = ("If-Match", if_match) if if_match is not None else ("If-None-Match", if_none_match or b"")
    known = known_objects(value, name)
    wanted = if_match is not None
    if known is None and wanted:
        return None  # who changes what is not there is told that
    about = subjects(operation, parameters)
    if not about:
        if wanted or known is None:
            raise no_object(operation, name)
        return None
    if known is None:
        if any(replica.get(each.cls, each.id) is not None for each in about[:1]):
            raise Unchanged(replica, about, frozenset(), wanted=False).changed()
        return None
    unchanged = Unchanged(replica, about, known, wanted=wanted)
    unchanged.require()
    return unchanged


remembered = lru_cache(maxsize=1024)(objects_in)


def no_object(operation: AnyOperation, header: str) -> Unmet:
    """The refusal of a precondition where no one object is meant."""
    error = Unmet(
        message(
            "resphere.precondition.no_object",
            "{0}: {1} is about no one object that has an ETag, so that nothing can be said of its revision.",
            header,
            operation.id,
        )
    )
    error.http(412)
    return error
