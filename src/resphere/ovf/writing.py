"""A machine or vApp as a descriptor: OVF 1.1 by DMTF's schema, in the shape in which vCenter exports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lxml import etree

from resphere.contract.generated.vcenter_vm_hardware import Boot
from resphere.ovf.guest_ids import cim_id_of
from resphere.ovf.hardware_writing import HardwareWriter, write_allocations
from resphere.ovf.machine import Machine, Vapp
from resphere.ovf.model import File, Product, Property, StartupItem
from resphere.ovf.names import COMMON, OVF_1, RASD, VMW, VSSD, XSI
from resphere.ovf.property_types import Kind, type_of
from resphere.ovf.text import xml_text

_OVF = f"{{{OVF_1}}}"
_VMW = f"{{{VMW}}}"
_VSSD = f"{{{VSSD}}}"

_DEFAULT_RETRY_DELAY_MS = 10_000


def write_descriptor(
    machine: Machine,
    *,
    preserve_mac: bool = False,
    extra_config: bool = False,
    eulas: Iterable[str] = (),
    network_descriptions: Mapping[str, str] | None = None,
    populated_sizes: Mapping[str, int] | None = None,
    more_files: Iterable[File] = (),
) -> bytes:
    """The descriptor of a machine, whose files are those of its disks, drives and ``more_files`` (an ``.nvram``).

    ``preserve_mac`` and ``extra_config`` are vCenter's export flags ``PRESERVE_MAC`` and ``EXTRA_CONFIG``: without them
    there are no MAC addresses, and nothing of ``machine.extra_config``. ``populated_sizes`` are bytes by disk.
    Values of passwords are never written. What no XML may have is written as a replacement character.
    """
    populated, described = populated_sizes or {}, network_descriptions or {}
    root = _envelope([machine], populated, described, more_files)
    _write_machine(root, machine, preserve_mac=preserve_mac, extra_config=extra_config, eulas=eulas)
    return _written(root)


def write_vapp(
    vapps: Iterable[Vapp],
    machines: Iterable[Machine],
    *,
    preserve_mac: bool = False,
    extra_config: bool = False,
) -> bytes:
    """The descriptor of a vApp, the first of ``vapps``, with the machines and vApps that are in it by their ids.

    Files and disks of different machines have different ids and names; the rest is as in :func:`write_descriptor`.
    """
    inside = {each.id: each for each in machines}
    collections = {each.id: each for each in vapps}
    root = _envelope(list(inside.values()), {}, {})

    def write(parent: etree._Element, vapp: Vapp) -> None:
        element = _write_vapp(parent, vapp)
        for id in vapp.contents:
            if id in inside:
                _write_machine(element, inside[id], preserve_mac=preserve_mac, extra_config=extra_config)
            else:
                write(element, collections[id])

    write(root, next(iter(collections.values())))
    return _written(root)


def _envelope(
    machines: Sequence[Machine],
    populated_sizes: Mapping[str, int],
    network_descriptions: Mapping[str, str],
    more_files: Iterable[File] = (),
) -> etree._Element:
    root = etree.Element(
        f"{_OVF}Envelope",
        nsmap={None: OVF_1, "cim": COMMON, "ovf": OVF_1, "rasd": RASD, "vmw": VMW, "vssd": VSSD, "xsi": XSI},
    )
    references = etree.SubElement(root, f"{_OVF}References")
    for file in _files(machines, more_files):
        etree.SubElement(references, f"{_OVF}File", _file_attributes(file))
    _write_disks(root, machines, populated_sizes)
    _write_networks(root, machines, network_descriptions)
    return root


def _written(root: etree._Element) -> bytes:
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _write_vapp(parent: etree._Element, vapp: Vapp) -> etree._Element:
    element = etree.SubElement(parent, f"{_OVF}VirtualSystemCollection", {f"{_OVF}id": xml_text(vapp.id)})
    _write_words(element, "A vApp", vapp)
    write_allocations(
        _section(element, "ResourceAllocationSection", "What the machines of the vApp take together"),
        vapp.cpu_allocation,
        vapp.memory_allocation,
    )
    _write_products(element, vapp)
    if vapp.startup:
        section = _section(element, "StartupSection", "The order in which they start and stop")
        for each in vapp.startup:
            etree.SubElement(section, f"{_OVF}Item", _startup_attributes(each))
    return element


def _startup_attributes(item: StartupItem) -> dict[str, str]:
    attributes = {
        "id": xml_text(item.id),
        "order": str(item.order),
        "startAction": xml_text(item.start_action),
        "startDelay": str(item.start_delay),
        "stopAction": xml_text(item.stop_action),
        "stopDelay": str(item.stop_delay),
        "waitingForGuest": _flag(item.waiting_for_guest),
    }
    return {f"{_OVF}{name}": value for name, value in attributes.items()}


def _write_machine(
    parent: etree._Element,
    machine: Machine,
    *,
    preserve_mac: bool,
    extra_config: bool,
    eulas: Iterable[str] = (),
) -> None:
    system = etree.SubElement(parent, f"{_OVF}VirtualSystem", {f"{_OVF}id": xml_text(machine.id)})
    _write_words(system, "A virtual machine", machine)
    for eula in eulas:
        _text(_section(system, "EulaSection", "An end-user license agreement"), "License", eula)
    _write_operating_system(system, machine)
    _write_hardware(system, machine, preserve_mac, extra_config)
    _write_products(system, machine)
    if machine.ip_assignment is not None:
        section = etree.SubElement(
            system,
            f"{_VMW}IpAssignmentSection",
            {
                f"{_OVF}required": "false",
                f"{_VMW}protocols": ",".join(machine.ip_assignment.protocols),
                f"{_VMW}schemes": ",".join(machine.ip_assignment.schemes),
            },
        )
        _text(section, "Info", "Supported IP assignment schemes")


def _write_words(element: etree._Element, info: str, content: Machine | Vapp) -> None:
    _text(element, "Info", info)
    if content.name:
        _text(element, "Name", content.name)
    if content.annotation:
        _text(_section(element, "AnnotationSection", "A human-readable annotation"), "Annotation", content.annotation)


def _write_products(element: etree._Element, content: Machine | Vapp) -> None:
    values = {each.full_key: each.value for each in content.properties}
    for product in content.products:
        _write_product(element, product, values)


def _files(machines: Iterable[Machine], more_files: Iterable[File]) -> list[File]:
    files: list[File | None] = []
    for machine in machines:
        files += [disk.file for disk in machine.disks]
        files += [cdrom.file for cdrom in machine.cdroms]
        files += [floppy.file for floppy in machine.floppies]
    files += more_files
    return list({each.id: each for each in files if each is not None}.values())


def _file_attributes(file: File) -> dict[str, str]:
    attributes = {f"{_OVF}href": xml_text(file.href), f"{_OVF}id": xml_text(file.id)}
    if file.size is not None:
        attributes[f"{_OVF}size"] = str(file.size)
    if file.compression:
        attributes[f"{_OVF}compression"] = file.compression
    if file.chunk_size is not None:
        attributes[f"{_OVF}chunkSize"] = str(file.chunk_size)
    return attributes


def _write_disks(root: etree._Element, machines: Iterable[Machine], populated_sizes: Mapping[str, int]) -> None:
    section = _section(root, "DiskSection", "Virtual disk information")
    for disk in (disk for machine in machines for disk in machine.disks):
        attributes = {
            f"{_OVF}capacity": str(disk.capacity),
            f"{_OVF}capacityAllocationUnits": "byte",
            f"{_OVF}diskId": xml_text(disk.id),
        }
        if disk.file is not None:
            attributes[f"{_OVF}fileRef"] = xml_text(disk.file.id)
        if disk.format:
            attributes[f"{_OVF}format"] = xml_text(disk.format)
        if disk.id in populated_sizes:
            attributes[f"{_OVF}populatedSize"] = str(populated_sizes[disk.id])
        etree.SubElement(section, f"{_OVF}Disk", attributes)


def _write_networks(root: etree._Element, machines: Iterable[Machine], descriptions: Mapping[str, str]) -> None:
    section = _section(root, "NetworkSection", "The list of logical networks")
    for name in dict.fromkeys(nic.network for machine in machines for nic in machine.nics if nic.network):
        network = etree.SubElement(section, f"{_OVF}Network", {f"{_OVF}name": xml_text(name)})
        _text(network, "Description", descriptions.get(name, f"The {name} network"))


def _write_operating_system(system: etree._Element, machine: Machine) -> None:
    section = _section(
        system,
        "OperatingSystemSection",
        "The operating system installed",
        {f"{_OVF}id": str(cim_id_of(machine.guest_id)), f"{_VMW}osType": xml_text(machine.guest_id)},
    )
    _text(section, "Description", machine.guest_id)


def _write_hardware(system: etree._Element, machine: Machine, preserve_mac: bool, extra_config: bool) -> None:
    transports = {f"{_OVF}transport": " ".join(map(xml_text, machine.transports))} if machine.transports else {}
    section = _section(system, "VirtualHardwareSection", "Virtual hardware requirements", transports)
    family = etree.SubElement(section, f"{_OVF}System")
    etree.SubElement(family, f"{_VSSD}ElementName").text = "Virtual Hardware Family"
    etree.SubElement(family, f"{_VSSD}InstanceID").text = "0"
    etree.SubElement(family, f"{_VSSD}VirtualSystemIdentifier").text = xml_text(machine.name or machine.id)
    if machine.hardware_version is not None:
        number = machine.hardware_version.value.removeprefix("VMX_")
        etree.SubElement(family, f"{_VSSD}VirtualSystemType").text = f"vmx-{number}"
    HardwareWriter(section, preserve_mac).write(machine)
    for key, value in _settings(machine).items():
        _setting(section, "Config", key, value)
    if extra_config:
        for key, value in machine.extra_config.items():
            _setting(section, "ExtraConfig", key, value)


def _settings(machine: Machine) -> dict[str, str]:
    """VMware's settings: those that were read, and what the machine's own members say now."""
    own = {
        "bootOptions.bootDelay": str(machine.boot_delay_ms) if machine.boot_delay_ms else None,
        "bootOptions.bootRetryDelay": (
            str(machine.boot_retry_delay_ms) if machine.boot_retry_delay_ms != _DEFAULT_RETRY_DELAY_MS else None
        ),
        "bootOptions.bootRetryEnabled": "true" if machine.boot_retry else None,
        "bootOptions.efiSecureBootEnabled": "true" if machine.secure_boot else None,
        "bootOptions.enterBIOSSetup": "true" if machine.enter_setup_mode else None,
        "cpuHotAddEnabled": _flag(machine.cpu_hot_add_enabled),
        "cpuHotRemoveEnabled": _flag(machine.cpu_hot_remove_enabled),
        "firmware": None if machine.firmware is None else "efi" if machine.firmware is Boot.Type.EFI else "bios",
        "memoryHotAddEnabled": _flag(machine.memory_hot_add_enabled),
    }
    others = {key: value for key, value in machine.settings.items() if key not in own}
    return {key: value for key, value in sorted((own | others).items()) if value is not None}


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _write_product(system: etree._Element, product: Product, values: Mapping[str, str]) -> None:
    attributes = {
        f"{_OVF}{name}": xml_text(value)
        for name, value in (("class", product.class_id), ("instance", product.instance_id))
        if value
    }
    section = _section(system, "ProductSection", product.info or "Information about the installed software", attributes)
    for local, text in (
        ("Product", product.name),
        ("Vendor", product.vendor),
        ("Version", product.version),
        ("FullVersion", product.full_version),
        ("ProductUrl", product.product_url),
        ("VendorUrl", product.vendor_url),
        ("AppUrl", product.app_url),
    ):
        if text:
            _text(section, local, text)
    category = ""
    for declared in product.properties:
        if declared.category != category:
            category = declared.category
            _text(section, "Category", category)
        _write_property(section, declared, values.get(product.full_key(declared.key), declared.value))


def _write_property(section: etree._Element, declared: Property, value: str) -> None:
    attributes = {f"{_OVF}key": xml_text(declared.key), f"{_OVF}type": xml_text(declared.type)}
    if declared.qualifiers:
        attributes[f"{_OVF}qualifiers"] = xml_text(declared.qualifiers)
    attributes[f"{_OVF}userConfigurable"] = _flag(declared.user_configurable)
    if declared.password:
        attributes[f"{_OVF}password"] = "true"
    if value and not declared.password and type_of(declared).kind is not Kind.PASSWORD:
        attributes[f"{_OVF}value"] = xml_text(value)
    element = etree.SubElement(section, f"{_OVF}Property", attributes)
    for local, text in (("Label", declared.label), ("Description", declared.description)):
        if text:
            _text(element, local, text)


def _section(
    parent: etree._Element, local: str, info: str, attributes: Mapping[str, str] | None = None
) -> etree._Element:
    section = etree.SubElement(parent, f"{_OVF}{local}", dict(attributes or {}))
    _text(section, "Info", info)
    return section


def _text(parent: etree._Element, local: str, text: str) -> None:
    etree.SubElement(parent, f"{_OVF}{local}").text = xml_text(text)


def _setting(parent: etree._Element, local: str, key: str, value: str) -> None:
    etree.SubElement(
        parent,
        f"{_VMW}{local}",
        {f"{_OVF}required": "false", f"{_VMW}key": xml_text(key), f"{_VMW}value": xml_text(value)},
    )
