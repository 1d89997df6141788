"""``com.vmware.vcenter.ovfs``: packages deployed from where they are on the web."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from typing import NamedTuple

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from resphere.access.refusals import no_privileges
from resphere.contract import model as m
from resphere.contract.errors import (
    Canceled,
    ConcurrentChange,
    InternalServerError,
    InvalidArgument,
    NotFound,
    Unauthorized,
    UnverifiedPeer,
    VapiError,
    message,
)
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter import Ovfs
from resphere.contract.generated.vcenter_ovf import ParseIssue
from resphere.contract.model import LocalizableMessage
from resphere.fetching.addresses import read_address
from resphere.fetching.errors import BadAddress, FetchError, NotAllowed, Untrusted
from resphere.fetching.headers import read_headers
from resphere.fetching.trust import Trust, read_pins, thumbprint_of
from resphere.inventory.content.items import LibraryFile
from resphere.inventory.effects import AnyEffect, CreateVm
from resphere.inventory.model import Datastore, Folder, Host, Network, ResourcePool
from resphere.inventory.vapp import VirtualApp
from resphere.libraries.receiving import TELLING
from resphere.libraries.web_packages import WebPackage, WebSource
from resphere.ovf.issues import BadInput, BadPackage
from resphere.ovf.machine import Machine
from resphere.ovf.model import File
from resphere.ovf.resolving import Resolved, resolved
from resphere.replica.edit import Edit
from resphere.rules.machines.new_machine import new_identity
from resphere.rules.machines.package_files import (
    contents_of,
    expected_contents,
    image_contents,
    require_files,
    web_files_of,
    with_own_images,
)
from resphere.rules.machines.packaged import spec_of
from resphere.rules.names import require_name
from resphere.rules.placement.power_on import running_place
from resphere.rules.placement.resolution import CLONE, Wanted, folder_of, resolve
from resphere.rules.vapp import configuration_of
from resphere.services.call import Call
from resphere.services.checks.deployments import (
    ACT,
    NewVm,
    decided,
    in_words_of,
    mapped_networks,
    require_free,
    require_place,
    usual_folder,
)
from resphere.services.checks.vapps import LACKS, NewVapp, decided_vapp, with_names
from resphere.services.checks.vapps import require_free as require_free_vapp
from resphere.services.registry import implements
from resphere.tasks.change import Change, Decision, More, Together, carry_out_together
from resphere.tasks.job import TaskJob

PULL = "VApp.PullFromUrls"
FIELDS = {
    "datastore": "spec.vm_home_datastore.datastore",
    "folder": "spec.folder",
    "host": "spec.host_system",
    "resource_pool": "spec.resource_pool",
}
"""What the fields of a placement are called here."""
NETWORK_TYPES = {
    "Network": vcenter.Network.Type.STANDARD_PORTGROUP,
    "DistributedVirtualPortgroup": vcenter.Network.Type.DISTRIBUTED_PORTGROUP,
    "OpaqueNetwork": vcenter.Network.Type.OPAQUE_NETWORK,
}
NOT_OF_HOSTS = frozenset(
    {
        Ovfs.DiskProvisioningType.MONOLITHIC_FLAT,
        Ovfs.DiskProvisioningType.MONOLITHIC_SPARSE,
        Ovfs.DiskProvisioningType.TWO_GB_MAXEXTENT_FLAT,
        Ovfs.DiskProvisioningType.TWO_GB_MAXEXTENT_SPARSE,
    }
)
"""Disks of other products, of which no datastore of a vCenter has any."""
DECLARED = (NotFound, InvalidArgument, UnverifiedPeer)
OF_ANY_OPERATION = (Canceled, ConcurrentChange, InternalServerError, Unauthorized)
ALMOST = 99
"""As far as a task gets before everything is done."""


class CertificateInfo(m.Struct, frozen=True, kw_only=True):
    """The certificate that was shown, as the ``data`` of ``UNVERIFIED_PEER`` has it."""

    __vapi_name__ = "com.vmware.esx.hosts.certificate_info"
    ssl_thumbprint: str
    ssl_certificate: str | None = None


class DeployResult(m.Struct, frozen=True, kw_only=True):
    """What the task results in; the bindings know it only as that."""

    __vapi_name__ = "com.vmware.vcenter.ovfs.deploy_result"
    result_type: str
    created_entity: ids.VirtualMachineId
    """Or that of a vApp."""


class Asked(NamedTuple):
    """What a specification asks for that is good."""

    source: WebSource
    pool: ResourcePool
    where: Wanted


@implements(Ovfs.deploy_task, result=DeployResult)
async def deploy_task(call: Call, spec: Ovfs.DeploySpec) -> ids.CisTASKId:
    """A VM as the package at an address describes it, of which this server fetches what it needs, from where its
    operator allows.

    Name, place and room are the VM's from when the descriptor is known; it is there with its disks at the end, running
    where that is asked for. A task that fails or is canceled leaves nothing.

    :raises InvalidArgument: a part of the specification is not good, or nothing is fetched from there.
    :raises NotFound: there is no such pool, folder, host, datastore or network.
    :raises VapiError: the name is taken, or no VM can be made there.
    """
    asked = asked_for(call, spec)

    def guard(_: ResourcePool) -> None:
        with in_declared_errors(), in_words_of(FIELDS):
            require_free(call, folder_of(call.unfiltered, asked.where), spec.name)
            resolve(call.unfiltered, asked.where, rules=CLONE, usable=call.may_use)

    async def work(job: TaskJob[ResourcePool]) -> object:
        try:
            with in_declared_errors(), in_words_of(FIELDS):
                return await deployed(call, spec, asked, job)
        except Untrusted as error:
            raise UnverifiedPeer(error.message, data=await shown(call, asked.source.address, error)) from error

    return await call.launch_work(ACT, asked.pool, work, guard, cancelable=True)


def asked_for(call: Call, spec: Ovfs.DeploySpec) -> Asked:
    """What is asked for, refused where it can be seen at once that it cannot be.

    :raises InvalidArgument: a field is not good.
    :raises NotFound: there is no such object.
    :raises Unauthorized: the caller may not have this server fetch packages.
    """
    if spec.pull_from_esx is not False and not call.view.holds(PULL, None):
        raise no_privileges(PULL, None, call.vcenter)
    require_name(spec.name, "virtual machine")
    if not spec.resource_pool:
        raise InvalidArgument(message("resphere.ovf.no_pool", "spec.resource_pool: must be set."))
    pool = call.require(ResourcePool, spec.resource_pool)
    if spec.host_system is not None:
        call.require(Host, spec.host_system)
    if spec.folder:
        call.require(Folder, spec.folder)
    call.require(Datastore, spec.vm_home_datastore.datastore)
    if spec.disk_provisioning in NOT_OF_HOSTS:
        raise InvalidArgument(
            message(
                "resphere.ovf.provisioning",
                "spec.disk_provisioning: the datastores of a vCenter have no disks of the type {0}.",
                spec.disk_provisioning,
            )
        )
    for name, network in (spec.network_mapping or {}).items():
        require_network(call, name, network)
    with in_declared_errors():
        source = source_of(call, spec)
    where = Wanted(
        folder=spec.folder or usual_folder(call, spec.resource_pool),
        resource_pool=pool.id,
        host=spec.host_system,
        datastore=spec.vm_home_datastore.datastore,
    )
    return Asked(source, pool, where)


def require_network(call: Call, name: str, info: Ovfs.NetworkInfo) -> None:
    """Refuse a mapping to what is no network of its type.

    :raises NotFound: there is none.
    :raises InvalidArgument: it is of another type.
    """
    found = call.require(Network, info.network)
    if NETWORK_TYPES.get(info.net_type) is not found.type:
        raise InvalidArgument(
            message(
                "resphere.ovf.network_type",
                "spec.network_mapping[{0}].net_type: must be of {1}, and that of the network.",
                name,
                ", ".join(NETWORK_TYPES),
            )
        )


def source_of(call: Call, spec: Ovfs.DeploySpec) -> WebSource:
    """Where the package is, from where this server may fetch.

    :raises FetchError: it is not good, or not allowed.
    """
    trust = Trust(certificate=spec.source_certificate or None)
    source = WebSource(address=spec.url, headers=read_headers(spec.custom_http_headers or {}), trust=trust)
    call.environment.fetcher.require_allowed(source.address)
    read_pins(trust)
    return source


async def deployed(call: Call, spec: Ovfs.DeploySpec, asked: Asked, job: TaskJob[ResourcePool]) -> object:
    """The result, once the VM is there.

    :raises FetchError: the package cannot be had.
    :raises BadPackage: it cannot be deployed.
    :raises BadInput: a value does not fit it.
    :raises VapiError: the VM cannot be made, or the task is canceled.
    """
    async with AsyncExitStack() as stack:
        async with job.interruptible():
            opening = call.environment.web_packages.opened(asked.source, call.session.user)
            package = await stack.enter_async_context(opening)
            found = await meant(package, spec)
        if found.vapps:
            return await deployed_together(call, spec, asked, job, package, found)
        new = new_vm(call, spec, asked, found.machines[0])
        change = Change(
            call.provider,
            call.unfiltered,
            job,
            partial(decide, call, spec, new),
            lambda: gathered(call, spec, package, new.machine, job),
        )
        return await change.carry_out()


async def deployed_together(
    call: Call,
    spec: Ovfs.DeploySpec,
    asked: Asked,
    job: TaskJob[ResourcePool],
    package: WebPackage,
    found: Resolved,
) -> object:
    """The result, once the vApp is there with all its VMs, for which nothing is taken before.

    :raises VapiError: it is to start, or as for :func:`deployed`.
    """
    if spec.power_on:
        raise InvalidArgument(
            message("resphere.ovf.vapp_power", "spec.power_on: a vApp is not powered on as a whole here.")
        )
    vapps, called = with_names(found.vapps, found.machines)
    machines = [new_vm(call, spec, asked, machine)._replace(name=called[machine.id]) for machine in found.machines]
    empty = NewVapp(
        vapps, tuple([(new, {}) for new in machines]), spec.name, vapps[0].annotation, asked.where, call.new_uuid()
    )
    require_free_vapp(call, empty)
    for new in machines:
        require_place(call, new, FIELDS)
    wanted = tuple({file.id: file for new in machines for file in web_files_of(new.machine)}.values())
    files = await fetched(call, spec, package, wanted, job)

    def decide_all(edit: Edit, _: ResourcePool) -> Together[DeployResult]:
        same = [call.environment.library_files.with_same_bytes(edit, file) for file in files]
        full = tuple([(new, contents_of(new.machine, same)) for new in machines])
        made = decided_vapp(call, edit, empty._replace(machines=full), lambda new, _: new.spec)
        result = DeployResult(result_type=VirtualApp.resource_type, created_entity=ids.VirtualMachineId(made.result))
        effects = [
            with_images_in(effect, new.machine, same) for new, effect in zip(machines, made.effects, strict=True)
        ]
        return Together(tuple(effects), result)

    return await carry_out_together(call.provider, call.unfiltered, job, decide_all, LACKS)


async def meant(package: WebPackage, spec: Ovfs.DeploySpec) -> Resolved:
    """The machines that the package means, as the specification chooses."""
    descriptor, _ = await package.read()
    # All that a descriptor may hold takes a while to go through.
    return await asyncio.to_thread(resolved, descriptor, spec.deployment_option, spec.custom_properties or {})


def new_vm(call: Call, spec: Ovfs.DeploySpec, asked: Asked, machine: Machine) -> NewVm:
    """What VM a machine of the package becomes."""
    networks = {name: each.network for name, each in (spec.network_mapping or {}).items()}
    return NewVm(
        machine=machine,
        name=spec.name,
        annotation=machine.annotation,
        spec=spec_of(machine, mapped_networks(call, machine, networks)),
        where=asked.where,
        identity=new_identity(call.environment.random_bytes),
    )


def decide(call: Call, spec: Ovfs.DeploySpec, new: NewVm, edit: Edit, _: ResourcePool) -> Decision[DeployResult]:
    """The VM, with empty disks yet."""
    require_free(call, folder_of(call.unfiltered, new.where), new.name)
    vm = decided(call, edit, new, lambda _: new.spec)
    start_on = running_place(call.unfiltered, vm) if spec.power_on else None
    if start_on is not None:
        vm = msgspec.structs.replace(vm, host=ids.HostSystemId(start_on.id))
    vm, images = with_own_images(vm, new.machine)
    effect = CreateVm(
        vm=vm, vapp=configuration_of(new.machine, vm.id), start_on=start_on, images=expected_contents(images)
    )
    return Decision(
        effect, DeployResult(result_type=vm.resource_type, created_entity=ids.VirtualMachineId(vm.id)), reports=True
    )


async def gathered(
    call: Call, spec: Ovfs.DeploySpec, package: WebPackage, machine: Machine, job: TaskJob[ResourcePool]
) -> More:
    """What the disks hold and the drives, once all of it is there and is what the package says."""
    files = await fetched(call, spec, package, web_files_of(machine), job)

    def with_disks(edit: Edit, effect: AnyEffect) -> AnyEffect:
        assert isinstance(effect, CreateVm), "nothing else is decided"
        library_files = call.environment.library_files
        same = [library_files.with_same_bytes(edit, file) for file in files]
        vm = msgspec.structs.replace(effect.vm, disk_contents=contents_of(machine, same))
        return with_images_in(msgspec.structs.replace(effect, vm=vm), machine, same)

    return with_disks


def with_images_in(effect: AnyEffect, machine: Machine, files: Sequence[LibraryFile]) -> AnyEffect:
    """A new VM with the images of its package that have come."""
    assert isinstance(effect, CreateVm), "nothing else is decided"
    vm, images = with_own_images(effect.vm, machine)
    return msgspec.structs.replace(effect, vm=vm, images=image_contents(images, files))


async def fetched(
    call: Call, spec: Ovfs.DeploySpec, package: WebPackage, wanted: Sequence[File], job: TaskJob[ResourcePool]
) -> tuple[LibraryFile, ...]:
    """Those files of the package, as it says that they are."""
    async with job.interruptible():
        files = await package.fetch(wanted, progress_of(job))
        require_files(wanted, files, package.name)
        await package.require_intact(
            call.environment.now(), skip_manifest=bool(spec.skip_manifest_check), signed=bool(spec.signature_required)
        )
    return files


def progress_of(job: TaskJob[ResourcePool]) -> Callable[[int, int | None], Awaitable[None]]:
    """Has the task say now and then how far it is."""
    told = job.now()

    async def tell(come: int, size: int | None) -> None:
        nonlocal told
        if size and job.now() - told >= TELLING:
            told = job.now()
            await job.progress(min(ALMOST, 100 * come // size))

    return tell


async def shown(call: Call, address: str, error: Untrusted) -> CertificateInfo | None:
    """The certificate that is not good, where it is shown at that address, and not at one to which that leads."""
    if error.message.args[:1] != (read_address(address).where,):
        return None
    try:
        content = await call.environment.fetcher.certificate(address)
        pem = x509.load_der_x509_certificate(content).public_bytes(Encoding.PEM).decode()
    except (FetchError, ValueError):
        return None
    return CertificateInfo(ssl_thumbprint=thumbprint_of(content, "sha256"), ssl_certificate=pem)


@contextmanager
def in_declared_errors() -> Iterator[None]:
    """Have everything refused with an error that the operation declares, but for a certificate that is not good.

    :raises InvalidArgument: a value is not good.
    :raises VapiError: anything else.
    """
    try:
        yield
    except Untrusted:
        raise
    except (BadAddress, NotAllowed) as error:
        raise InvalidArgument(error.message) from error
    except FetchError as error:
        raise VapiError(error.message) from error
    except BadPackage as error:
        raise VapiError(*map(placed, error.issues)) from error
    except BadInput as error:
        raise InvalidArgument(*(issue.message for issue in error.issues)) from error
    except VapiError as error:
        if type(error) is VapiError or isinstance(error, (*DECLARED, *OF_ANY_OPERATION)):
            raise
        raise VapiError(*error.messages, data=error.data) from error


def placed(issue: ParseIssue) -> LocalizableMessage:
    """What is wrong with a file, and where in it."""
    if not issue.line_number:
        return issue.message
    return message(
        "resphere.ovf.placed",
        "{0}, line {1}, column {2}: {3}",
        issue.file,
        issue.line_number,
        issue.column_number,
        issue.message.default_message,
    )
