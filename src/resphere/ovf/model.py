"""An OVF descriptor as plain values, with all its deployment options; ``place`` is line and column in the file."""

from __future__ import annotations

import msgspec

Place = tuple[int, int]


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every part of a descriptor is."""


class File(Value, frozen=True, kw_only=True):
    """A file of the package. ``size`` in bytes where the descriptor says it; ``compression`` is ``gzip`` or empty;
    a file with a ``chunk_size`` lies in pieces, ``href`` with ``.000000000`` and so on behind it."""

    id: str
    href: str
    size: int | None = None
    compression: str = ""
    chunk_size: int | None = None
    place: Place = (0, 0)


class DiskDescription(Value, frozen=True, kw_only=True):
    """A disk. ``capacity`` is a number, or ``${key}`` for what a property says, each of ``unit_bytes`` bytes.

    Without ``file_id`` it begins empty. ``format`` is the URI of the file's format.
    """

    id: str
    capacity: str
    unit_bytes: int = 1
    file_id: str | None = None
    format: str = ""
    populated_size: int | None = None
    parent_id: str | None = None
    place: Place = (0, 0)


class Network(Value, frozen=True, kw_only=True):
    """A network that the package's machines want to be on."""

    name: str
    description: str = ""


class StorageGroup(Value, frozen=True, kw_only=True):
    """Where disks and machines of that id shall lie together (``vmw:StorageGroupSection``)."""

    id: str
    description: str = ""


class DeploymentOption(Value, frozen=True, kw_only=True):
    """A configuration that a deployment chooses."""

    id: str
    label: str = ""
    description: str = ""
    default: bool = False


class PropertyValue(Value, frozen=True, kw_only=True):
    """A default value in some configuration."""

    value: str
    configuration: str | None = None


class Property(Value, frozen=True, kw_only=True):
    """What a deployment may set, or what the package says to its guest. ``type`` and ``qualifiers`` as written."""

    key: str
    type: str
    qualifiers: str = ""
    value: str = ""
    values: tuple[PropertyValue, ...] = ()
    user_configurable: bool = False
    password: bool = False
    category: str = ""
    label: str = ""
    description: str = ""
    place: Place = (0, 0)


class Product(Value, frozen=True, kw_only=True):
    """A product and its properties, whose full keys are ``[class.]key[.instance]``."""

    class_id: str = ""
    instance_id: str = ""
    info: str = ""
    name: str = ""
    vendor: str = ""
    version: str = ""
    full_version: str = ""
    product_url: str = ""
    vendor_url: str = ""
    app_url: str = ""
    properties: tuple[Property, ...] = ()

    def full_key(self, key: str) -> str:
        """How a property of the product is called among all of the machine."""
        return ".".join(part for part in (self.class_id, key, self.instance_id) if part)


class Setting(Value, frozen=True, kw_only=True):
    """A ``vmw:Config`` or ``vmw:ExtraConfig``; a ``required`` one that is not understood refuses the package."""

    key: str
    value: str
    required: bool = False
    configurations: tuple[str, ...] = ()
    place: Place = (0, 0)


class Item(Value, frozen=True, kw_only=True):
    """A piece of hardware; quantities as written, in ``unit_multiplier`` bytes or hertz each where units are given.

    ``configurations`` are those in which it counts, none for all; ``bound`` items are ranges and no hardware.
    """

    instance_id: str
    resource_type: int
    resource_sub_types: tuple[str, ...] = ()
    element_name: str = ""
    description: str = ""
    quantity: int | None = None
    unit_multiplier: int | None = None
    reservation: int | None = None
    limit: int | None = None
    weight: int | None = None
    parent: str | None = None
    address: str | None = None
    address_on_parent: int | None = None
    host_resources: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    automatic_allocation: bool | None = None
    cores_per_socket: int | None = None
    configurations: tuple[str, ...] = ()
    bound: str | None = None
    required: bool = True
    settings: tuple[Setting, ...] = ()
    place: Place = (0, 0)


class HardwareSection(Value, frozen=True, kw_only=True):
    """The hardware of a machine. ``system_types`` are the versions of virtual hardware that it runs on."""

    transports: tuple[str, ...] = ()
    system_identifier: str = ""
    system_types: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    settings: tuple[Setting, ...] = ()
    extra_config: tuple[Setting, ...] = ()


class OperatingSystem(Value, frozen=True, kw_only=True):
    """What the guest is: ``cim_id`` of CIM's table, and VMware's own ``os_type`` (``rhel8_64Guest``) where given."""

    cim_id: int
    os_type: str = ""
    version: str = ""
    description: str = ""
    place: Place = (0, 0)


class IpAssignment(Value, frozen=True, kw_only=True):
    """How addresses come to the machine (``vmw:IpAssignmentSection``): ``schemes`` of ``ovfenv`` and ``dhcp``,
    ``protocols`` of ``IPv4`` and ``IPv6``."""

    schemes: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()


class UnknownSection(Value, frozen=True, kw_only=True):
    """A section that means nothing here; ``tag`` is ``{namespace}name``."""

    tag: str
    info: str = ""
    required: bool = True
    place: Place = (0, 0)


class StartupItem(Value, frozen=True, kw_only=True):
    """When a machine of a vApp starts; delays in seconds."""

    id: str
    order: int = 0
    start_delay: int = 0
    stop_delay: int = 0
    start_action: str = "powerOn"
    stop_action: str = "powerOff"
    waiting_for_guest: bool = False


class InstanceCount(Value, frozen=True, kw_only=True):
    """How many there are of a prototype, in some configurations or in all; without ``maximum`` as many as one likes."""

    default: int
    minimum: int = 1
    maximum: int | None = None
    configurations: tuple[str, ...] = ()


class ScaleOut(Value, frozen=True, kw_only=True):
    """A machine or vApp of a vApp, ``id``, of which there may be several (OVF 2)."""

    id: str
    description: str = ""
    counts: tuple[InstanceCount, ...] = ()
    place: Place = (0, 0)

    def count(self, option: str | None) -> InstanceCount:
        """What counts in a configuration."""
        own = [each for each in self.counts if option in each.configurations]
        general = [each for each in self.counts if not each.configurations]
        return (own + general + [InstanceCount(default=1)])[0]


class Content(Value, frozen=True, kw_only=True):
    """What a machine and a vApp have in common."""

    id: str
    info: str = ""
    name: str = ""
    annotation: str = ""
    eulas: tuple[str, ...] = ()
    products: tuple[Product, ...] = ()
    ip_assignment: IpAssignment | None = None
    unknown_sections: tuple[UnknownSection, ...] = ()


class VirtualSystem(Content, frozen=True, kw_only=True):
    """A machine."""

    operating_system: OperatingSystem | None = None
    hardware: HardwareSection | None = None


class VirtualSystemCollection(Content, frozen=True, kw_only=True):
    """A vApp: machines, and vApps in it. ``resources`` limit what all of them take together."""

    content: tuple[VirtualSystem | VirtualSystemCollection, ...] = ()
    startup: tuple[StartupItem, ...] = ()
    scale_out: tuple[ScaleOut, ...] = ()
    resources: tuple[Item, ...] = ()


class Descriptor(Value, frozen=True, kw_only=True):
    """A descriptor. ``warnings`` of reading are not kept with it: see :func:`resphere.ovf.reading.read`."""

    version: int
    """1 for the namespace of OVF 1.x, 2 for that of 2.x."""
    file_name: str = "descriptor.ovf"
    files: tuple[File, ...] = ()
    disks: tuple[DiskDescription, ...] = ()
    networks: tuple[Network, ...] = ()
    storage_groups: tuple[StorageGroup, ...] = ()
    options: tuple[DeploymentOption, ...] = ()
    unknown_sections: tuple[UnknownSection, ...] = ()
    eulas: tuple[str, ...] = ()
    content: VirtualSystem | VirtualSystemCollection

    @property
    def default_option(self) -> str | None:
        """The id of the configuration that counts when none is chosen; ``None`` where there are none."""
        marked = [each.id for each in self.options if each.default]
        return marked[0] if marked else self.options[0].id if self.options else None

    @property
    def systems(self) -> tuple[VirtualSystem, ...]:
        """All machines, in the order in which they stand."""
        return tuple(machines_of(self.content))


def machines_of(content: VirtualSystem | VirtualSystemCollection) -> list[VirtualSystem]:
    """The machines of a content, in their order."""
    if isinstance(content, VirtualSystem):
        return [content]
    return [machine for each in content.content for machine in machines_of(each)]
