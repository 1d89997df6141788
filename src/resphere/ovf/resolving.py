"""What a descriptor means: its machines in one configuration, with the values that a deployment gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from resphere.contract.errors import message
from resphere.contract.generated.vcenter_ovf import ParseIssue
from resphere.contract.generated.vcenter_vm import Hardware
from resphere.contract.generated.vcenter_vm_hardware import Boot
from resphere.ovf.devices import Devices, Parts
from resphere.ovf.guest_ids import vim_id_of
from resphere.ovf.issues import BadInput, Category, Findings, InputIssue, short
from resphere.ovf.machine import Allocation, Machine, Vapp, VappProperty
from resphere.ovf.model import (
    Content,
    Descriptor,
    HardwareSection,
    Item,
    Product,
    Property,
    Setting,
    VirtualSystem,
    VirtualSystemCollection,
)
from resphere.ovf.names import ResourceType
from resphere.ovf.parts import as_flag
from resphere.ovf.property_types import refusal
from resphere.ovf.scaling import scaled
from resphere.ovf.settings import IGNORED_SETTINGS, KNOWN_SETTINGS
from resphere.ovf.vapp_properties import properties_of

MIB = 1 << 20
MHZ = 10**6
MOST_CPUS = 768
MOST_MEMORY_MIB = 24 * MIB
"""24 TiB, the most of vSphere 8.0."""
MOST_SHARES = 4_000_000
"""Of a resource pool, in vSphere."""


class Resolved(NamedTuple):
    """The machines of a package in their order, its vApps (the outermost first), and what is ignored."""

    machines: tuple[Machine, ...]
    vapps: tuple[Vapp, ...]
    option: str | None
    warnings: tuple[ParseIssue, ...]


def resolved(
    descriptor: Descriptor,
    option: str | None = None,
    properties: Mapping[str, str] | None = None,
    *,
    instances: Mapping[str, int] | None = None,
    lax: bool = False,
) -> Resolved:
    """The machines that ``descriptor`` describes in the configuration ``option``, or in its default one.

    ``properties`` are values by full key (``[class.]key[.instance]``), or by key where only one property has it.
    ``instances`` says by their ids how many there are of prototypes (``ScaleOutSection``), where that is another number
    than the descriptor's. With ``lax`` what is not supported is left out with a warning.

    :raises BadInput: there is no such configuration or number of instances, or a value does not fit its property.
    :raises BadPackage: the descriptor asks for what is not supported.
    """
    option = _option(descriptor, option)
    descriptor = replace(descriptor, content=scaled(descriptor.content, option, instances or {}))
    values = _Values(descriptor, option, properties or {})
    found = Findings(descriptor.file_name)
    _refuse_unknown_sections(found, descriptor, lax)
    parts = Parts.of(descriptor)
    machines = [_machine(found, parts, system, values, lax) for system in descriptor.systems]
    vapps: list[Vapp] = []
    _collect_vapps(found, descriptor.content, values, vapps)
    values.require_good()
    found.require_none()
    return Resolved(tuple(machines), tuple(vapps), values.option, tuple(found.warnings + values.unknown(found)))


def _option(descriptor: Descriptor, option: str | None) -> str | None:
    if not option:
        return descriptor.default_option
    known = [each.id for each in descriptor.options]
    if option not in known:
        raise BadInput(
            [
                InputIssue(
                    "deployment_option",
                    short(option),
                    message(
                        "resphere.ovf.no_option",
                        "There is no deployment option {0}; there are: {1}.",
                        short(option),
                        short(", ".join(known)) or "none",
                    ),
                )
            ]
        )
    return option


class _Values:
    """The values of all properties of a package, some of them given."""

    def __init__(self, descriptor: Descriptor, option: str | None, given: Mapping[str, str]) -> None:
        self.option = option
        self.given = given
        self.issues: list[InputIssue] = []
        self.used: set[str] = set()
        full: list[str] = []
        short_keys: list[str] = []
        for product in _products(descriptor.content):
            full += [product.full_key(each.key) for each in product.properties]
            short_keys += [each.key for each in product.properties]
        self.full_keys = set(full)
        self.alone = {key for key, count in Counter(short_keys).items() if count == 1}

    def of(self, content: Content) -> tuple[VappProperty, ...]:
        """The properties of a machine or vApp with their values."""
        return properties_of(content.products, self.value)

    def value(self, product: Product, declared: Property) -> str:
        """The value of a property: the given one, that of the configuration, or the default."""
        default = next((each.value for each in declared.values if each.configuration == self.option), None)
        if default is None:
            default = next((each.value for each in declared.values if each.configuration is None), declared.value)
        full_key = product.full_key(declared.key)
        name = next((key for key in (full_key, declared.key) if self._means(key, full_key)), None)
        if name is None:
            return default
        self.used.add(name)
        value = self.given[name]
        if not declared.user_configurable and value != default:
            why = message(
                "resphere.ovf.not_configurable", "The property {0} cannot be set in a deployment.", short(full_key)
            )
            self.issues.append(InputIssue(short(full_key), "", why))
            return default
        refused = refusal(declared, value)
        if refused is not None:
            shown = "" if declared.password else short(value)
            self.issues.append(InputIssue(short(full_key), shown, refused))
        return value

    def _means(self, key: str, full_key: str) -> bool:
        return key in self.given and (key == full_key or (key in self.alone and key not in self.full_keys))

    def require_good(self) -> None:
        """Refuse values that do not fit."""
        if self.issues:
            # A property of a vApp is looked at once for itself, and may be again for a disk.
            raise BadInput(dict.fromkeys(self.issues))

    def unknown(self, found: Findings) -> list[ParseIssue]:
        """Warnings of what was given and is nothing here."""
        warned = Findings(found.file)
        for key in self.given:
            if key not in self.used:
                warned.warning(
                    Category.VALUE_ILLEGAL,
                    (0, 0),
                    "no_property",
                    "There is no property {0}: its value is ignored.",
                    key,
                )
        return warned.warnings


def _products(content: VirtualSystem | VirtualSystemCollection) -> list[Product]:
    inner = content.content if isinstance(content, VirtualSystemCollection) else ()
    return [*content.products, *(product for each in inner for product in _products(each))]


def _refuse_unknown_sections(found: Findings, descriptor: Descriptor, lax: bool) -> None:
    sections = [*descriptor.unknown_sections]
    contents: list[VirtualSystem | VirtualSystemCollection] = [descriptor.content]
    while contents:
        content = contents.pop()
        sections += content.unknown_sections
        if isinstance(content, VirtualSystemCollection):
            contents += content.content
    for section in sections:
        if section.required:
            tell = found.warning if lax else found.error
            tell(
                Category.SECTION_UNKNOWN,
                section.place,
                "required_section",
                "The section {0} is required by the package and not supported.",
                section.tag,
            )


def _collect_vapps(
    found: Findings, content: VirtualSystem | VirtualSystemCollection, values: _Values, into: list[Vapp]
) -> None:
    if not isinstance(content, VirtualSystemCollection):
        return
    items = items_of(content.resources, values.option)
    into.append(
        Vapp(
            id=content.id,
            name=content.name,
            annotation=content.annotation,
            contents=tuple([each.id for each in content.content]),
            startup=content.startup,
            cpu_allocation=_shared(found, items, ResourceType.CPU, MHZ),
            memory_allocation=_shared(found, items, ResourceType.MEMORY, MIB),
            products=content.products,
            properties=values.of(content),
        )
    )
    for each in content.content:
        _collect_vapps(found, each, values, into)


def _shared(found: Findings, items: list[Item], resource_type: int, unit: int) -> Allocation:
    """What a vApp has of a resource."""
    item = next((each for each in items if each.resource_type == resource_type), None)
    made = _allocation(item, unit)
    if item is not None and made.limit is not None and made.limit < (made.reservation or 0):
        found.error(
            Category.VALUE_ILLEGAL,
            item.place,
            "limit",
            "The limit of a vApp, {0}, is less than its reservation, {1}.",
            made.limit,
            made.reservation,
        )
    if item is not None and made.shares is not None and not 0 < made.shares <= MOST_SHARES:
        found.error(
            Category.VALUE_ILLEGAL,
            item.place,
            "shares",
            "The shares of a vApp must be from 1 to {0}, not {1}.",
            MOST_SHARES,
            made.shares,
        )
    return made


def _machine(found: Findings, parts: Parts, system: VirtualSystem, values: _Values, lax: bool) -> Machine:
    hardware = system.hardware or HardwareSection()
    items = items_of(hardware.items, values.option)
    properties = values.of(system)
    cpu = next((each for each in items if each.resource_type == ResourceType.CPU), None)
    memory = next((each for each in items if each.resource_type == ResourceType.MEMORY), None)
    settings = _settings(found, hardware.settings, values.option, lax)
    by_key = {each.declared.key: each.value for each in properties} | {each.full_key: each.value for each in properties}
    devices = Devices(found, parts, by_key, lax)
    devices.add(items)
    cpu_count, cores_per_socket = _cpus(found, cpu)
    system_os = system.operating_system
    return Machine(
        id=system.id,
        name=system.name,
        annotation=system.annotation,
        guest_id="otherGuest" if system_os is None else system_os.os_type or vim_id_of(system_os.cim_id),
        hardware_version=_version(found, hardware, lax),
        cpu_count=cpu_count,
        cores_per_socket=cores_per_socket,
        memory_MiB=_memory_MiB(found, memory),
        cpu_allocation=_allocation(cpu, MHZ),
        memory_allocation=_allocation(memory, MIB),
        cpu_hot_add_enabled=as_flag(settings.get("cpuHotAddEnabled"), False),
        cpu_hot_remove_enabled=as_flag(settings.get("cpuHotRemoveEnabled"), False),
        memory_hot_add_enabled=as_flag(settings.get("memoryHotAddEnabled"), False),
        firmware=_firmware(found, settings, lax),
        secure_boot=as_flag(settings.get("bootOptions.efiSecureBootEnabled"), False),
        boot_delay_ms=_whole(settings, "bootOptions.bootDelay", 0),
        boot_retry=as_flag(settings.get("bootOptions.bootRetryEnabled"), False),
        boot_retry_delay_ms=_whole(settings, "bootOptions.bootRetryDelay", 10_000),
        enter_setup_mode=as_flag(settings.get("bootOptions.enterBIOSSetup"), False),
        controllers=tuple(devices.controllers),
        disks=tuple(devices.disks),
        nics=tuple(devices.nics),
        cdroms=tuple(devices.cdroms),
        floppies=tuple(devices.floppies),
        serial_ports=tuple(devices.serial_ports),
        parallel_ports=tuple(devices.parallel_ports),
        other_devices=tuple(devices.other_devices),
        settings=settings,
        extra_config={
            each.key: each.value for each in hardware.extra_config if counts(each.configurations, values.option)
        },
        transports=hardware.transports,
        ip_assignment=system.ip_assignment,
        products=system.products,
        properties=properties,
    )


def counts(configurations: tuple[str, ...], option: str | None) -> bool:
    """Whether what is of some configurations counts in one."""
    return not configurations or option in configurations


def items_of(items: Iterable[Item], option: str | None) -> list[Item]:
    """The items that count in a configuration; one of the configuration takes the place of the general one."""
    chosen: dict[str, Item] = {}
    for item in items:
        if item.bound is not None or not counts(item.configurations, option):
            continue
        before = chosen.get(item.instance_id)
        if before is None or item.configurations:
            chosen[item.instance_id] = item
    return list(chosen.values())


def _settings(found: Findings, settings: tuple[Setting, ...], option: str | None, lax: bool) -> dict[str, str]:
    known: dict[str, str] = {}
    for each in settings:
        if not counts(each.configurations, option):
            continue
        known[each.key] = each.value
        if each.key in KNOWN_SETTINGS:
            continue
        tell = found.error if each.required and not lax and each.key not in IGNORED_SETTINGS else found.warning
        tell(Category.VALUE_ILLEGAL, each.place, "setting", "The setting {0} is ignored.", each.key)
    return known


def _cpus(found: Findings, item: Item | None) -> tuple[int, int]:
    if item is None:
        return 1, 1
    count = item.quantity or 1
    cores = item.cores_per_socket or 1
    if count > MOST_CPUS:
        found.error(
            Category.VALUE_ILLEGAL, item.place, "cpus", "A machine has at most {0} CPUs, not {1}.", MOST_CPUS, count
        )
    if count % cores:
        found.error(
            Category.VALUE_ILLEGAL, item.place, "cores", "{0} CPUs cannot have {1} cores in each socket.", count, cores
        )
    return count, cores


def _memory_MiB(found: Findings, item: Item | None) -> int:
    if item is None or not item.quantity:
        return 32
    size = -(-item.quantity * (item.unit_multiplier or MIB) // MIB)
    if size > MOST_MEMORY_MIB:
        found.error(
            Category.VALUE_ILLEGAL,
            item.place,
            "memory",
            "A machine has at most {0} MiB of memory, not {1}.",
            MOST_MEMORY_MIB,
            size,
        )
    return size


def _allocation(item: Item | None, unit: int) -> Allocation:
    if item is None:
        return Allocation()
    multiplier = item.unit_multiplier or unit

    def amount(number: int | None) -> int | None:
        return None if number is None else number * multiplier // unit

    return Allocation(reservation=amount(item.reservation), limit=amount(item.limit), shares=item.weight)


def _firmware(found: Findings, settings: Mapping[str, str], lax: bool) -> Boot.Type | None:
    firmware = settings.get("firmware")
    if firmware is None:
        return None
    known = {"bios": Boot.Type.BIOS, "efi": Boot.Type.EFI}.get(firmware.casefold())
    if known is None:
        tell = found.warning if lax else found.error
        tell(Category.VALUE_ILLEGAL, (0, 0), "firmware", "The firmware must be bios or efi, not {0}.", firmware)
    return known


def _whole(settings: Mapping[str, str], key: str, default: int) -> int:
    text = settings.get(key, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


_FAMILIES = {f"vmx-{each.value.removeprefix('VMX_')}": each for each in Hardware.Version}


def _version(found: Findings, hardware: HardwareSection, lax: bool) -> Hardware.Version | None:
    """The newest of the versions that the hardware runs on."""
    if not hardware.system_types:
        return None
    known = [_FAMILIES[each] for each in hardware.system_types if each in _FAMILIES]
    if known:
        return max(known)
    tell = found.warning if lax else found.error
    # In vCenter's words.
    tell(
        Category.VALUE_ILLEGAL, (0, 0), "family", "Unsupported hardware family '{0}'.", " ".join(hardware.system_types)
    )
    return None
