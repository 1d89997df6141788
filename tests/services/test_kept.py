"""What is kept depends on the revision, the input and the view, and on nothing else.

Handlers whose replies are kept are called where all else raises: the clock, the provider, tasks, randomness, the
caller's session, what a request says of itself, and tables whose changes do not raise the revision.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.access.roles import ADMIN
from resphere.access.view import RootView
from resphere.contract.errors import VapiError
from resphere.contract.extensions.inventory_objects import InventoryObjects
from resphere.contract.extensions.openapi import Explorer
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import appliance_networking, cis_tagging, ids
from resphere.contract.generated import vapi_rest_navigation as navigation
from resphere.contract.generated import vcenter_environment_browser as browser
from resphere.contract.generated import vcenter_vm_hardware_adapter as adapter
from resphere.contract.generated.appliance import Services
from resphere.contract.generated.appliance_vcenter_settings_v1 import Config, DesiredState
from resphere.contract.generated.content import TrustedCertificates
from resphere.contract.generated.content_library import Subscriptions, Usages
from resphere.contract.generated.content_library_item import Changes, File, Storage
from resphere.contract.generated.vapi_metadata_cli import Command, Namespace
from resphere.contract.generated.vcenter_compute import Policies
from resphere.contract.generated.vcenter_services import Service
from resphere.contract.generated.vcenter_topology import Nodes
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.generated.vcenter_vm_template import LibraryItems
from resphere.contract.generated.vcenter_vm_template_library_items import CheckOuts, Versions
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation, LocalizableMessage, Struct
from resphere.inventory.compute_policies import Capability
from resphere.inventory.installation import Installation
from resphere.inventory.model import Cluster, VirtualMachine
from resphere.inventory.paths import path_of
from resphere.inventory.storage_policies import VSAN_DEFAULT
from resphere.services.call import Call
from tests.services.content.libraries import add_item, add_library, published, put_files
from tests.services.content.publishers import subscriber
from tests.services.content.templates import check_in, check_out
from tests.services.content.templates import create as create_template
from tests.services.vcenter.test_registries import add as add_registry
from tests.services.vcenter.test_registries import add_project
from tests.services.vcenter.vm.test_refusals import OFF, equipped
from tests.support.calls import aimed, inputs, minimal_input
from tests.support.examples import examples
from tests.support.from_contract import Real
from tests.support.metadata import METADATA_IDS
from tests.support.saml import party
from tests.support.world import IMPLEMENTATIONS, NOW, Caller, World

Descriptors = browser.ConfigOptionDescriptors
KEPT = [
    operation
    for operation in all_operations()
    # The least input is made by the paths of /api.
    if operation.id in IMPLEMENTATIONS and IMPLEMENTATIONS[operation.id].kept and operation.api is not None
]
NOTHING_THERE = (
    "com.vmware.vcenter.network.projects.get",
    "com.vmware.vcenter.network.projects.vpcs.get",
    "com.vmware.vcenter.network.projects.vpcs.subnets.get",
)
"""What is about projects of NSX, which no inventory has."""
CATEGORY = cis_tagging.Category.CreateSpec(
    name="speed", description="", cardinality=cis_tagging.CategoryModel.Cardinality.SINGLE, associable_types=frozenset()
)
COMPUTE_POLICY = {"capability": str(Capability.VM_VM_AFFINITY), "name": "together", "description": ""}


class Refusal(msgspec.Struct, frozen=True):
    """An error in place of a result."""

    error_type: str
    messages: tuple[LocalizableMessage, ...]


class Forbidden:
    """Nothing may be asked of it."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"a kept reply depends on {name}")


def forbidden(*_: object) -> NoReturn:
    raise AssertionError("a kept reply depends on the time, or on chance")


class Furnished:
    """A world with something for each kept operation to answer, which nobody changes any more."""

    def __init__(self, world: World) -> None:
        self.world = world
        vm = ids.VirtualMachineId(equipped(world, OFF).id)
        world.call(adapter.Sata.create, vm, adapter.Sata.CreateSpec())
        world.call(adapter.Nvme.create, vm, adapter.Nvme.CreateSpec())
        snapshot = world.call(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name="before"))
        world.call(Power.start, vm)
        category = world.call(cis_tagging.Category.create, CATEGORY)
        tag_spec = cis_tagging.Tag.CreateSpec(name="fast", description="", category_id=category)
        tag = world.call(cis_tagging.Tag.create, tag_spec)
        policy = world.call(Policies.create, {**COMPUTE_POLICY, "vm_tag": tag})
        library = add_library(world, publish_info=published())
        subscription = world.call(Subscriptions.create, None, library, subscriber(world))
        item = add_item(world, library)
        put_files(world, item, notes_txt=b"notes")
        template = create_template(world, library, "template")
        check_in(world, template, check_out(world, template))
        out = check_out(world, template)
        usage = world.call(Usages.add, library, Usages.AddSpec(resource_urn="urn:vmomi:vm:vm-12"))
        certificate = world.call(
            TrustedCertificates.create, TrustedCertificates.CreateSpec(cert_text=party("signs").certificate_pem)
        )
        registry = add_registry(world, next(iter(world.inventory.all(Cluster))))
        project = add_project(world, registry)
        world.call(Config.create, Config.CreateSpec(name="usual", desired_state=DesiredState()))
        [node] = world.call(Nodes.list, None)
        services, of_system = world.call(Service.list_details), world.call(Services.list)
        current = world.inventory.all(VirtualMachine)[vm]
        self.real: Real = {
            **world.ids,
            **METADATA_IDS,
            "VirtualMachineId": [vm],
            "VcenterVmHardwareCdromId": list(current.cdroms),
            "VcenterVmHardwareDiskId": list(current.disks),
            "VcenterVmHardwareEthernetId": list(current.nics),
            "VcenterVmHardwareFloppyId": list(current.floppies),
            "VcenterVmHardwareNvmeAdapterId": list(current.nvme_adapters),
            "VcenterVmHardwareParallelPortId": list(current.parallel_ports),
            "VcenterVmHardwareSataAdapterId": list(current.sata_adapters),
            "VcenterVmHardwareScsiAdapterId": list(current.scsi_adapters),
            "VcenterVmHardwareSerialPortId": list(current.serial_ports),
            "CisTaggingCategoryId": [category],
            "CisTaggingTagId": [tag],
            "VcenterComputePolicyId": [policy],
            "VcenterStoragePolicyId": [VSAN_DEFAULT.id],
            "VcenterServicesServiceId": list(services),
            "ApplianceServicesId": list(of_system),
            "ApplianceTlsManualParametersServicesId": ["envoy"],
            "ApplianceTlsProfilesId": ["NIST_2024"],
            "VcenterVCenterNameId": [node.node],
            "ContentLibraryId": [library],
            "ContentLibraryItemId": [item],
            "ContentLibrarySubscriptionsId": [subscription],
            "ContentLibraryUsagesId": [usage],
            "ContentTrustedCertificateId": [certificate],
            "VcenterContentRegistryId": [registry],
            "VcenterContentRegistryHarborProjectId": [project],
        }
        clusters = frozenset({ids.ClusterComputeResourceId(next(iter(world.inventory.all(Cluster))))})
        self._named: dict[AnyOperation, dict[str, Any]] = {
            VmSnapshots.get: {"snapshot": snapshot},
            InventoryObjects.find: {"path": path_of(world.inventory, current)},
            InventoryObjects.get: {"object": vm},
            browser.ConfigOptionDescriptors.list: {
                "params": browser.ConfigOptionDescriptors.ListParams(clusters=clusters)
            },
            File.get: {"name": "notes.txt"},
            Changes.get: {"version": "2"},
            LibraryItems.get: {"template_library_item": template},
            CheckOuts.list: {"template_library_item": template},
            CheckOuts.get: {"template_library_item": template, "vm": out},
            Versions.list: {"template_library_item": template},
            Versions.get: {"template_library_item": template, "version": "1"},
            Storage.get: {"file_name": "notes.txt"},
            Explorer.document: {"file": "api.json"},
            Command.get: {"identity": Command.Identity(path="com.vmware.vcenter.vm", name="list")},
            Namespace.get: {"identity": Namespace.Identity(path="com.vmware", name="vcenter")},
            appliance_networking.Proxy.get: {"protocol": "http"},
            navigation.Service.list: {"component_id": "com.vmware.cis"},
            navigation.Options.get: {"url": "/rest/vcenter/vm"},
            browser.ConfigOptions.get: {"params": browser.ConfigOptions.GetParams(clusters=clusters)},
            browser.ConfigTargets.get: {"params": browser.ConfigTargets.GetParams(clusters=clusters)},
        }
        self._strict = msgspec.structs.replace(
            world.environment,
            inventory=world.of_the_revision(),
            provider=Forbidden(),
            tasks=Forbidden(),
            now=forbidden,
            random_bytes=forbidden,
        )

    def least(self, operation: AnyOperation) -> Struct:
        """The least input that is about something that is there."""
        found: Struct = msgspec.structs.replace(minimal_input(operation, self.real), **self._named.get(operation, {}))
        return found

    def answer(self, operation: AnyOperation, value: Struct) -> Any:
        """The result, or the refusal, where nothing else may be asked."""
        origin: Any = Forbidden()
        return self._answer(Call(self._strict, operation, RootView(ADMIN), origin, origin, origin), value)

    def usual_answer(self, operation: AnyOperation, value: Struct) -> Any:
        """The result, or the refusal, of any call."""
        return self._answer(Call(self.world.environment, operation, RootView(ADMIN), Caller(), "test"), value)

    def _answer(self, call: Call, value: Struct) -> Any:
        handler = IMPLEMENTATIONS[call.operation.id].handler
        try:
            return self.world.run(handler(call, *msgspec.structs.astuple(value)))
        except VapiError as error:
            return Refusal(error.error_type, tuple(error.messages))


@pytest.fixture(scope="module")
def furnished() -> Iterator[Furnished]:
    with TemporaryDirectory() as folder, World(Path(folder)) as world:
        world.run(world.inventory.change(lambda edit: edit.put(Installation(time=NOW))))
        yield Furnished(world)


@pytest.mark.parametrize("operation", KEPT, ids=lambda operation: operation.id)
def test_what_is_there(furnished: Furnished, operation: AnyOperation) -> None:
    value = furnished.least(operation)
    answer = furnished.answer(operation, value)
    assert answer == furnished.usual_answer(operation, value)
    assert isinstance(answer, Refusal) is (operation.id in NOTHING_THERE), answer


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_input(furnished: Furnished, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(KEPT))
    value = aimed(data.draw(inputs(operation, furnished.real)), furnished.real, data.draw)
    assert furnished.answer(operation, value) == furnished.usual_answer(operation, value)
