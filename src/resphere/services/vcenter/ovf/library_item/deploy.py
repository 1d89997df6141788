"""A machine made of a package."""

from __future__ import annotations

import asyncio
from typing import NamedTuple
from uuid import UUID, uuid5

import msgspec

from resphere.contract.errors import (
    InvalidArgument,
    NotFound,
    ResourceInaccessible,
    UnableToAllocateResource,
    Unauthorized,
    VapiError,
    message,
)
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_ovf import LibraryItem as Contract
from resphere.contract.generated.vcenter_ovf import OvfWarning, ParseIssue
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.inventory.effects import CreateVm
from resphere.inventory.model import Datastore, ResourcePool, VirtualMachine
from resphere.inventory.vapp import VirtualApp
from resphere.ovf.issues import BadInput, BadPackage, Category, InputIssue, issue
from resphere.ovf.machine import Machine, Vapp
from resphere.ovf.model import Descriptor
from resphere.ovf.resolving import resolved
from resphere.replica.edit import Edit
from resphere.rules.machines.creation import Spec
from resphere.rules.machines.new_machine import Identity, new_identity
from resphere.rules.machines.package_files import contents_of, files_of, require_files, with_images
from resphere.rules.machines.packaged import spec_of
from resphere.rules.names import require_name
from resphere.rules.placement.resolution import Place, Wanted, folder_of
from resphere.rules.vapp import configuration_of
from resphere.services.call import Call
from resphere.services.checks.content import call_key
from resphere.services.checks.deployments import (
    ACT,
    NewVm,
    decided,
    mapped_networks,
    require_free,
    require_place,
    usual_folder,
)
from resphere.services.checks.vapps import LACKS, Disks, NewVapp, decided_vapp, with_names
from resphere.services.checks.vapps import require_free as require_free_vapp
from resphere.services.registry import implements
from resphere.services.vcenter.ovf import import_flag
from resphere.services.vcenter.ovf.library_item.packages import (
    Package,
    eulas_of,
    package_of,
    require_target,
    with_content,
)
from resphere.services.vcenter.ovf.library_item.parameters import chosen
from resphere.services.vcenter.ovf.library_item.results import errors_of, result_info, warnings_of
from resphere.tasks.change import Decision, carry_out_together
from resphere.tasks.job import TaskJob

DEPLOYMENTS = UUID("0b6d3f0e-6f0a-4c8e-9d1c-6f2f4d7a1b53")
"""The name space of the instance UUIDs of machines whose deployment may be repeated."""
FIELDS = {
    "datastore": "deployment_spec.default_datastore_id",
    "folder": "target.folder_id",
    "host": "target.host_id",
    "resource_pool": "target.resource_pool_id",
}
"""What the fields of a placement are called here."""


class Meant(NamedTuple):
    """A package as it is deployed: its machines, the vApps that these are in, and what is ignored."""

    descriptor: Descriptor
    machines: tuple[Machine, ...]
    vapps: tuple[Vapp, ...]
    warnings: tuple[ParseIssue, ...]


class Planned(NamedTuple):
    """What VMs are to be made of which item, with what in their disks, and in which vApp."""

    item: ids.ContentLibraryItemId
    machines: tuple[tuple[NewVm, Disks], ...]
    vapp: NewVapp | None

    @property
    def vm(self) -> NewVm:
        """The only one, where there is no vApp."""
        return self.machines[0][0]


@implements(Contract.deploy)
async def deploy(
    call: Call,
    client_token: str | None,
    ovf_library_item_id: ids.ContentLibraryItemId,
    target: Contract.DeploymentTarget,
    deployment_spec: Contract.ResourcePoolDeploymentSpec,
) -> Contract.DeploymentResult:
    """A VM that is off, as the package describes it; the same call once more answers the same while the VM is there.

    What the package, a value or the server refuses is told in the result, not as an error (vCenter 7.0).

    :raises InvalidArgument: the item is no package, a parameter is not of its type, or the target contradicts itself.
    :raises NotFound: the item, or an object that the target or the specification names.
    :raises ResourceInaccessible: the package has no descriptor, its content cannot be fetched, the host takes no VMs
        now, or the datastore is not accessible.
    """
    identity = identity_of(call, call_key(call, client_token))
    before = deployed(call, identity)
    if before is not None:
        return before
    package = await package_of(call, ovf_library_item_id)
    require_target(call, target)
    package = await with_content(call, package)
    try:
        meant = await understood(package, deployment_spec)
        for machine in meant.machines:
            require_files(files_of(machine), package.item.files, package.file.name)
        plan = planned(call, package.item, meant, target, deployment_spec, identity)
        for new, _ in plan.machines:
            require_place(call, new, FIELDS)
    except (BadPackage, BadInput, UnableToAllocateResource) as failure:
        return not_deployed(call, failure)
    try:
        id = await carry_out(call, target, plan)
    except (NotFound, Unauthorized):
        raise
    except VapiError as failure:
        # The same call may have come twice at a time.
        return deployed(call, identity) or not_deployed(call, failure)
    return done(id, type_of(plan), warnings_of(call, meant.warnings))


def identity_of(call: Call, key: str | None) -> Identity:
    """The identity of the new VM: where the call may be repeated, one by which the same call finds it again."""
    made = new_identity(call.environment.random_bytes)
    return made if key is None else msgspec.structs.replace(made, instance_uuid=str(uuid5(DEPLOYMENTS, key)))


def deployed(call: Call, identity: Identity) -> Contract.DeploymentResult | None:
    """What the same call has led to before, if that is still there."""
    found = call.by(VirtualMachine, "instance_uuid", identity.instance_uuid)
    apps = call.unfiltered.by(VirtualApp, "deployment", identity.instance_uuid)
    pools = [id for id in apps if call.get(ResourcePool, id) is not None]
    results = (
        *(done(id, VirtualMachine.resource_type) for id in found),
        *(done(id, VirtualApp.resource_type) for id in pools),
    )
    return next(iter(results), None)


def type_of(plan: Planned) -> str:
    """What comes to be."""
    return VirtualMachine.resource_type if plan.vapp is None else VirtualApp.resource_type


def done(id: str, type: str, warnings: tuple[OvfWarning, ...] = ()) -> Contract.DeploymentResult:
    """The result of a success."""
    made = Contract.DeployableIdentity(type=type, id=id)
    return Contract.DeploymentResult(succeeded=True, resource_id=made, error=result_info(warnings=warnings))


def not_deployed(call: Call, failure: BadPackage | BadInput | VapiError) -> Contract.DeploymentResult:
    """The result of a failure."""
    return Contract.DeploymentResult(succeeded=False, error=result_info(errors_of(call, failure)))


async def understood(package: Package, spec: Contract.ResourcePoolDeploymentSpec) -> Meant:
    """The machines that the package means, as the specification chooses.

    :raises BadPackage: it cannot be deployed.
    :raises BadInput: an agreement is not accepted, or a value does not fit.
    :raises InvalidArgument: a flag or a parameter is none.
    """
    flags = spec.flags or ()
    for flag in flags:
        if flag not in import_flag.FLAGS:
            raise InvalidArgument(
                message(
                    "resphere.ovf.flag",
                    "deployment_spec.flags: must be of {0}, not {1}.",
                    ", ".join(import_flag.FLAGS),
                    flag,
                )
            )
    choice = chosen(spec.additional_parameters or ())
    descriptor, warnings = await package.read(spec.locale)
    require_accepted(descriptor, spec)
    # All that a descriptor may hold takes a while to go through.
    found = await asyncio.to_thread(
        resolved,
        descriptor,
        choice.option,
        choice.properties,
        instances=choice.instances,
        lax=import_flag.LAX in flags,
    )
    ignored = (*warnings, *found.warnings, *unheeded(package, spec))
    return Meant(descriptor, found.machines, found.vapps, ignored)


def require_accepted(descriptor: Descriptor, spec: Contract.ResourcePoolDeploymentSpec) -> None:
    """Refuse a package with agreements that are not accepted.

    :raises BadInput: it has.
    """
    if eulas_of(descriptor) and not spec.accept_all_EULA:
        why = message(
            "resphere.ovf.eula", "The package has end-user license agreements: they must be accepted to deploy it."
        )
        raise BadInput([InputIssue("accept_all_EULA", "false", why)])


def unheeded(package: Package, spec: Contract.ResourcePoolDeploymentSpec) -> tuple[ParseIssue, ...]:
    """Warnings of what the specification asks for and nobody does."""
    given = {
        "vm_config_spec": spec.vm_config_spec,
        "subnet_mappings": spec.subnet_mappings,
        "tag_params": spec.tag_params,
    }
    return tuple(
        [
            issue(
                Category.VALUE_ILLEGAL, package.file.name, (0, 0), "unheeded", "deployment_spec.{0} is ignored.", name
            )
            for name, value in given.items()
            if value
        ]
    )


def planned(
    call: Call,
    item: LibraryItem,
    meant: Meant,
    target: Contract.DeploymentTarget,
    spec: Contract.ResourcePoolDeploymentSpec,
    identity: Identity,
) -> Planned:
    """What VMs are to be made, and where: in the folder of the pool's datacenter for VMs if no other is named.

    :raises NotFound: there is no such network or datastore.
    :raises InvalidArgument: the name is none.
    """
    mappings = spec.storage_mappings or {}
    groups = [mappings[each.id] for each in meant.descriptor.storage_groups if each.id in mappings]
    stores = [spec.default_datastore_id, *(each.datastore_id for each in groups)]
    policies = [spec.storage_profile_id, *(each.storage_profile_id for each in groups)]
    datastore = next((each for each in stores if each is not None), None)
    if datastore is not None:
        call.require(Datastore, datastore)
    where = Wanted(
        folder=target.folder_id or usual_folder(call, target.resource_pool_id),
        resource_pool=target.resource_pool_id,
        host=target.host_id,
        datastore=datastore,
    )
    policy = next((each for each in policies if each is not None), None)
    outermost = meant.vapps[0] if meant.vapps else meant.machines[0]
    name = spec.name or outermost.name or outermost.id
    annotation = outermost.annotation if spec.annotation is None else spec.annotation
    require_name(name, "virtual app" if meant.vapps else "virtual machine")
    vapps, called = with_names(meant.vapps, meant.machines)
    machines = []
    for machine in meant.machines:
        new = NewVm(
            machine=machine,
            name=called[machine.id] if vapps else name,
            annotation=machine.annotation if vapps else annotation,
            spec=spec_of(machine, mapped_networks(call, machine, spec.network_mappings or {}), policy),
            where=where,
            identity=new_identity(call.environment.random_bytes) if vapps else identity,
        )
        machines.append((new, contents_of(machine, item.files)))
    made = tuple(machines)
    vapp = NewVapp(vapps, made, name, annotation, where, identity.instance_uuid) if vapps else None
    return Planned(item.id, made, vapp)


async def carry_out(call: Call, target: Contract.DeploymentTarget, plan: Planned) -> str:
    """Make the VM, or the vApp with all its VMs; returns its id.

    :raises VapiError: whatever making a VM may be refused for.
    """
    pool, vapp = call.require(ResourcePool, target.resource_pool_id), plan.vapp
    if vapp is None:
        return await carry_out_vm(call, pool, plan)

    async def work(job: TaskJob[ResourcePool]) -> str:
        return await carry_out_together(
            call.provider,
            call.unfiltered,
            job,
            lambda edit, _: decided_vapp(call, edit, vapp, lambda new, place: spec_at(call, edit, plan, new, place)),
            LACKS,
        )

    return await call.run_work(ACT, pool, work, lambda _: require_free_vapp(call, vapp))


async def carry_out_vm(call: Call, pool: ResourcePool, plan: Planned) -> str:
    """Make the VM."""
    inventory, [(new, contents)] = call.unfiltered, plan.machines

    def guard(_: ResourcePool) -> None:
        require_free(call, folder_of(inventory, new.where), new.name)

    def decide(edit: Edit, _: ResourcePool) -> Decision[ids.VirtualMachineId]:
        guard(pool)
        vm = decided(call, edit, new, lambda place: spec_at(call, edit, plan, new, place))
        vm = msgspec.structs.replace(vm, disk_contents=dict(contents))
        effect = CreateVm(vm=vm, vapp=configuration_of(new.machine, vm.id))
        return Decision(effect, ids.VirtualMachineId(vm.id), reports=True)

    return await call.run(ACT, pool, decide, guard)


def spec_at(call: Call, edit: Edit, plan: Planned, new: NewVm, place: Place) -> Spec:
    """Of what the VM is made in a place, from where its host may reach images of the item, or not.

    :raises ResourceInaccessible: the item was deleted or has other files by now.
    """
    item = require_unchanged(edit, plan)
    library = edit.get(Library, item.library)
    store = None if library is None else call.unfiltered.get(Datastore, library.datastore or "")
    if library is None or store is None or not store.accessible or store.id not in place.host.datastores:
        return new.spec
    return with_images(new.spec, new.machine, item.files, f"[{store.name}] {library.folder}/{item.id}")


def require_unchanged(edit: Edit, plan: Planned) -> LibraryItem:
    """The item, whose files stay as long as nothing else names their contents.

    :raises ResourceInaccessible: it was deleted or has other files by now.
    """
    item = edit.get(LibraryItem, plan.item)
    if item is None or any(contents_of(new.machine, item.files) != contents for new, contents in plan.machines):
        raise ResourceInaccessible(
            message("resphere.ovf.changed", "The files of the library item were changed or deleted meanwhile.")
        )
    edit.rely_on(item)
    return item
