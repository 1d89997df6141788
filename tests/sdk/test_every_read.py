"""Every reply of every implemented operation that reads decodes in the bindings' own converter, unions and all."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from resphere import services
from resphere.contract.generated import (
    appliance,
    appliance_vmon,
    cis,
    cis_tagging,
    vapi_std,
    vcenter,
    vcenter_certificate_management_vcenter,
    vcenter_services,
)
from resphere.contract.model import AnyOperation, Secret, Struct
from resphere.services.registry import load
from resphere.wire.vapi_values import decoder, encoder
from tests.sdk.bindings import RELEASES, run
from tests.support.from_contract import minimal, wire, without_none
from tests.support.guests import ROOT
from tests.support.jsonrpc import JsonRpcClient
from tests.support.metadata import METADATA_IDS
from tests.support.server import Server

READS = ("get", "list", "find", "query")
IMPLEMENTED = [found.operation for found in load(services).values() if not found.operation.is_extension]
READING = [operation for operation in IMPLEMENTED if operation.name.startswith(READS)]
CREATING = [o for o in IMPLEMENTED if o.name == "create" and o.service.startswith("com.vmware.vcenter.vm.hardware.")]
# Without a guest, or with one that does not run, some have nothing to tell; a few cannot tell it behind a simulator.
MAY_FAIL = {"ServiceUnavailable", "NotFound", "NotAllowedInCurrentState", "Unsupported"}

MADE_FIRST, REFUSED = "there is none before somebody makes one: its service's tests read it", "a simulator cannot tell"
NAMED_BY_PATH = "it is named by a path, which the walk does not know for an id"
NO_NSX = "there are no projects without NSX"
SAYS_NOTHING = "a spec that says nothing is refused"
ELSEWHERE = "it looks at a place elsewhere, which nobody has allowed"
UNANSWERED = {
    "com.vmware.appliance.recovery.backup.job.get": MADE_FIRST,
    "com.vmware.appliance.recovery.backup.schedules.get": MADE_FIRST,
    "com.vmware.appliance.recovery.backup.system_name.archive.get": ELSEWHERE,
    "com.vmware.appliance.recovery.backup.system_name.archive.list": ELSEWHERE,
    "com.vmware.appliance.recovery.backup.system_name.list": ELSEWHERE,
    "com.vmware.appliance.recovery.reconciliation.job.get": MADE_FIRST,
    "com.vmware.appliance.update.pending.get": MADE_FIRST,
    "com.vmware.appliance.update.pending.list_upgradeable_components": MADE_FIRST,
    "com.vmware.appliance.update.staged.get": MADE_FIRST,
    "com.vmware.appliance.vcenter.settings.v1.config.get": MADE_FIRST,
    "com.vmware.content.library.find": SAYS_NOTHING,
    "com.vmware.content.library.get": MADE_FIRST,
    "com.vmware.content.library.item.changes.get": MADE_FIRST,
    "com.vmware.content.library.item.changes.list": MADE_FIRST,
    "com.vmware.content.library.item.download_session.get": MADE_FIRST,
    "com.vmware.content.library.item.downloadsession.file.get": MADE_FIRST,
    "com.vmware.content.library.item.downloadsession.file.list": MADE_FIRST,
    "com.vmware.content.library.item.file.get": MADE_FIRST,
    "com.vmware.content.library.item.file.list": MADE_FIRST,
    "com.vmware.content.library.item.find": SAYS_NOTHING,
    "com.vmware.content.library.item.get": MADE_FIRST,
    "com.vmware.content.library.item.list": MADE_FIRST,
    "com.vmware.content.library.item.storage.get": MADE_FIRST,
    "com.vmware.content.library.item.storage.list": MADE_FIRST,
    "com.vmware.content.library.item.update_session.get": MADE_FIRST,
    "com.vmware.content.library.item.updatesession.file.get": MADE_FIRST,
    "com.vmware.content.library.item.updatesession.file.list": MADE_FIRST,
    "com.vmware.content.library.subscriptions.get": MADE_FIRST,
    "com.vmware.content.library.subscriptions.list": MADE_FIRST,
    "com.vmware.content.library.usages.get": MADE_FIRST,
    "com.vmware.content.library.usages.list": MADE_FIRST,
    "com.vmware.content.local_library.get": MADE_FIRST,
    "com.vmware.content.subscribed_library.get": MADE_FIRST,
    "com.vmware.content.trusted_certificates.get": MADE_FIRST,
    "com.vmware.vapi.metadata.cli.command.get": NAMED_BY_PATH,
    "com.vmware.vcenter.authorization.vt_containers.mappings.get": "there are no vTContainers: nothing here makes one",
    "com.vmware.vcenter.compute.policies.get": MADE_FIRST,
    "com.vmware.vcenter.content.registries.harbor.get": MADE_FIRST,
    "com.vmware.vcenter.content.registries.harbor.projects.get": MADE_FIRST,
    "com.vmware.vcenter.content.registries.harbor.projects.list": MADE_FIRST,
    "com.vmware.vcenter.content.registries.health.get": MADE_FIRST,
    "com.vmware.vcenter.guest.customization_specs.get": MADE_FIRST,
    "com.vmware.vcenter.identity.providers.get": MADE_FIRST,
    "com.vmware.vcenter.network.projects.get": NO_NSX,
    "com.vmware.vcenter.network.projects.vpcs.get": NO_NSX,
    "com.vmware.vcenter.network.projects.vpcs.list": NO_NSX,
    "com.vmware.vcenter.network.projects.vpcs.subnets.get": NO_NSX,
    "com.vmware.vcenter.network.projects.vpcs.subnets.list": NO_NSX,
    "com.vmware.vcenter.utilization.connections.list": REFUSED,
    "com.vmware.vcenter.utilization.proxies.list": REFUSED,
    "com.vmware.vcenter.vm.compute.policies.get": MADE_FIRST,
    "com.vmware.vcenter.vm.data_sets.entries.get": MADE_FIRST,
    "com.vmware.vcenter.vm.data_sets.entries.list": MADE_FIRST,
    "com.vmware.vcenter.vm.data_sets.get": MADE_FIRST,
    "com.vmware.vcenter.vm_template.library_items.check_outs.get": MADE_FIRST,
    "com.vmware.vcenter.vm_template.library_items.check_outs.list": MADE_FIRST,
    "com.vmware.vcenter.vm_template.library_items.get": MADE_FIRST,
    "com.vmware.vcenter.vm_template.library_items.versions.get": MADE_FIRST,
    "com.vmware.vcenter.vm_template.library_items.versions.list": MADE_FIRST,
    "com.vmware.vstats.acq_specs.get": MADE_FIRST,
    "com.vmware.vstats.counter_sets.get": MADE_FIRST,
    "com.vmware.vstats.resource_address_schemas.get": "its id is plain text, which the walk does not know for an id",
}
"""Reads that the walk cannot get an answer of, and why; whatever else is implemented must have answered."""

INNER = {"8.0.3.0": ("com.vmware.vapi.metadata.", "com.vmware.vapi.rest.", "com.vmware.vapi.std.")}
"""Areas of which a release of the SDK leaves out services that are for inner use: sources, routing, introspection."""

Ids = dict[str, set[str]]


def ids_in(expected: Any, value: Any) -> Iterator[tuple[str, str]]:
    """(name of the id's type, id) of every identifier in a value."""
    expected, _ = without_none(expected)
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if value is None:
        return
    if isinstance(expected, typing.NewType) and expected is not Secret:
        yield expected.__name__, value
    elif origin in (tuple, frozenset):
        for element in value:
            yield from ids_in(arguments[0], element)
    elif origin is dict and arguments[1] is not Any:
        for key, inner in value.items():
            yield from ids_in(arguments[0], key)
            yield from ids_in(arguments[1], inner)
    elif isinstance(expected, type) and issubclass(expected, Struct):
        for field in msgspec.structs.fields(expected):
            yield from ids_in(field.type, getattr(value, field.name))


def required_ids(operation: AnyOperation) -> list[str]:
    """The kinds of ids that the operation cannot be called without."""
    fields = msgspec.structs.fields(operation.input)
    return [f.type.__name__ for f in fields if f.required and isinstance(f.type, typing.NewType)]


class World:
    """What exists on a server, as its replies name it."""

    def __init__(self, client: JsonRpcClient) -> None:
        self.client = client
        self.everywhere: Ids = {}
        """Ids that are good by themselves."""
        self.of_vm: dict[str, Ids] = {}
        """Ids that belong to one VM."""
        self.given: dict[str, Any] = {
            "used_by_entity": "com.example.backup",
            "credentials": wire(ROOT),
            "name": "PATH",
            "names": {"set": []},
            "path": "/etc/hostname",
            "pid": 1,
            "filter": {"status": {"set": ["COMPLIANT", "NOT_APPLICABLE"]}},
            "component_id": "com.vmware.cis",
            "protocol": "http",
            "username": "root",
            "type_id": "VirtualMachine",
            "url": "/rest/vcenter/vm",
            "item": {
                "names": ["cpu.util"],
                "interval": "MINUTES5",
                "function": "AVG",
                "start_time": {"time": "2026-01-31T12:00:00"},
                "end_time": {"time": "2026-01-31T13:00:00"},
            },
        }
        """Required parameters that are no ids, by name; others get the least that is valid."""

    def ask(self, operation: AnyOperation, ids: Ids) -> Any:
        """The typed reply to the least call, ``None`` for an error."""
        real = {name: sorted(values) for name, values in ids.items()}
        return self.ask_with(operation, minimal(operation.input, real))

    def ask_with(self, operation: AnyOperation, input: Any) -> Any:
        """The typed reply, ``None`` for an error."""
        fields = wire(encoder(operation.input)(input))["STRUCTURE"]["operation-input"]
        reply = self.client.call(operation.service, operation.name, fields)["result"]
        if "error" in reply or operation.output is None:
            return None
        return msgspec.convert(decoder(operation.output)(reply["output"], ""), operation.output)

    def explore(self) -> None:
        """Learn what is listed, and of some VMs in every state what belongs to them."""
        self.tag(self.ask(vcenter.VM.list, {})[0].vm)
        for operation in READING:
            if not required_ids(operation):
                note(self.everywhere, ids_in(operation.output, self.ask(operation, {})))
        self.given["params"] = {"clusters": {"set": sorted(self.everywhere["ClusterComputeResourceId"])}}
        vms = self.ask(vcenter.VM.list, {})
        for state in sorted({vm.power_state for vm in vms}):
            for vm in [vm.vm for vm in vms if vm.power_state == state][:2]:
                self.explore_vm(vm)
        chains = self.ask(vcenter_certificate_management_vcenter.TrustedRootChains.list, {})
        self.given["chain"] = chains[0].chain
        # Their keys are ids, but typed as strings.
        self.everywhere["CisTaskId"] = set(self.ask(cis.Tasks.list, {}))
        self.everywhere |= {kind: set(ids) for kind, ids in METADATA_IDS.items()}
        self.everywhere["VcenterServicesServiceId"] = set(self.ask(vcenter_services.Service.list_details, {}))
        self.everywhere["ApplianceVmonServiceId"] = set(self.ask(appliance_vmon.Service.list_details, {}))
        self.everywhere["ApplianceServicesId"] = set(self.ask(appliance.Services.list, {}))
        self.everywhere["ApplianceHealthId"] = {"load", "mem"}
        self.everywhere["ApplianceTlsManualParametersServicesId"] = {"envoy"}
        self.everywhere["ApplianceTlsProfilesId"] = {"NIST_2024"}

    def tag(self, vm: str) -> None:
        """Have a category with a tag that the VM has, for there to be something to read."""
        tagging = cis_tagging
        spec = tagging.Category.CreateSpec(
            name="walked",
            description="",
            cardinality=tagging.CategoryModel.Cardinality.MULTIPLE,
            associable_types=frozenset(),
        )
        category = self.ask_with(tagging.Category.create, tagging.Category.CreateInput(create_spec=spec))
        tag_spec = tagging.Tag.CreateSpec(name="walked", description="", category_id=category)
        tag = self.ask_with(tagging.Tag.create, tagging.Tag.CreateInput(create_spec=tag_spec))
        target = vapi_std.DynamicID(type="VirtualMachine", id=vm)
        attachment = tagging.TagAssociation.AttachInput(tag_id=tag, object_id=target)
        self.ask_with(tagging.TagAssociation.attach, attachment)
        object_id = msgspec.to_builtins(target)
        self.given |= {"object_id": object_id, "object_ids": [object_id], "tag_ids": [tag]}

    def explore_vm(self, vm: str) -> None:
        """Give a VM a device of every kind, and learn what it has then."""
        ids: Ids = {"VirtualMachineId": {vm}}
        for operation in CREATING:
            self.ask(operation, ids)
        for operation in READING:
            if required_ids(operation) == ["VirtualMachineId"]:
                note(ids, ids_in(operation.output, self.ask(operation, ids)))
        self.of_vm[vm] = {**ids, "VirtualMachineId": {vm}}

    def calls(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Every operation that reads, with every id of one kind that it can be asked for."""
        for operation in READING:
            required = [f for f in msgspec.structs.fields(operation.input) if f.required]
            names = {f.encode_name: f.type.__name__ for f in required if isinstance(f.type, typing.NewType)}
            given = {
                f.encode_name: self.given[f.encode_name] if f.encode_name in self.given else wire(minimal(f.type))
                for f in required
                if f.encode_name not in names
            }
            worlds = self.of_vm.values() if "VirtualMachineId" in names.values() else [self.everywhere]
            for ids in worlds:
                *owner, last = [("", ""), *names.items()]
                if any(kind not in ids for _, kind in owner[1:]):
                    continue  # nothing of that kind exists here
                fixed = given | {name: next(iter(sorted(ids[kind]))) for name, kind in owner if name}
                if not last[0]:
                    yield operation.service, operation.name, given
                for identity in sorted(ids.get(last[1], ()))[:5]:
                    yield operation.service, operation.name, {**fixed, last[0]: identity}


def note(ids: Ids, found: Iterator[tuple[str, str]]) -> None:
    """Remember ids by kind."""
    for kind, identity in found:
        ids.setdefault(kind, set()).add(identity)


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], list[tuple[str, dict[str, str]]]]]:
    """(operation, outcome) of every call, in a release of the bindings."""
    with Server(tmp_path_factory.mktemp("walk") / "data") as server, JsonRpcClient(server) as client:
        world = World(client)
        world.explore()
        calls = list(world.calls())

        def walk(release: str) -> list[tuple[str, dict[str, str]]]:
            given = {"url": client.url, "ca": str(server.ca), "session_id": client.session_id, "calls": calls}
            outcomes = run(release, "walk", given)
            return [(f"{call[0]}.{call[1]}", outcome) for call, outcome in zip(calls, outcomes, strict=True)]

        yield walk


@pytest.mark.parametrize("release", RELEASES)
def test_every_reply_decodes(walked: Callable[[str], list[tuple[str, dict[str, str]]]], release: str) -> None:
    outcomes = walked(release)
    broken = {operation: outcome["broken"] for operation, outcome in outcomes if "broken" in outcome}
    assert not broken, "\n".join(f"{operation}: {trace}" for operation, trace in broken.items())
    failed = {(operation, outcome["error"]) for operation, outcome in outcomes if "error" in outcome}
    assert not {
        (operation, error)
        for operation, error in failed
        if error not in MAY_FAIL and UNANSWERED.get(operation) is not SAYS_NOTHING
    }
    returned = {operation for operation, outcome in outcomes if "returned" in outcome}
    absent = {operation for operation, outcome in outcomes if "absent" in outcome}
    known = {o.id for o in READING if release[:3] in o.releases and not o.id.startswith(INNER.get(release, ()))}
    assert sorted(known & absent) == []
    assert sorted(returned & set(UNANSWERED)) == [], "these answer: take them out of the list"
    unanswered = sorted({o.id for o in READING} - absent - returned - set(UNANSWERED))
    assert unanswered == [], "each was asked, and had an answer at least once"
