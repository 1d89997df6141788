"""The hardware section of a machine in a descriptor: its items, as OVF 1 and 2 write them, and VMware's settings."""

from __future__ import annotations

from collections import Counter

from resphere.ovf.documents import Element
from resphere.ovf.issues import Category
from resphere.ovf.model import HardwareSection, Item, Setting
from resphere.ovf.parts import Context, as_flag, as_number, flag, required, words
from resphere.ovf.units import multiplier

ITEMS = ("Item", "StorageItem", "EthernetPortItem")


def read_hardware(context: Context, element: Element) -> HardwareSection:
    """A hardware section."""
    items: list[Item] = []
    settings: list[Setting] = []
    extra: list[Setting] = []
    system = element.first("System")
    for child in element.children:
        if child.local in ITEMS:
            items.append(read_item(context, child))
        elif child.local == "Config":
            settings.append(_setting(context, child))
        elif child.local == "ExtraConfig":
            extra.append(_setting(context, child))
        elif child.local not in ("Info", "System"):
            context.found.warning(Category.ELEMENT_UNKNOWN, child.place, "element", "{0} is ignored.", child.local)
    _check(context, element, items)
    return HardwareSection(
        transports=words(element.get("transport")),
        system_identifier="" if system is None else context.text_of(system, "VirtualSystemIdentifier"),
        system_types=() if system is None else words(context.text_of(system, "VirtualSystemType")),
        items=tuple(items),
        settings=tuple(settings),
        extra_config=tuple(extra),
    )


def read_item(context: Context, element: Element) -> Item:
    """An item of hardware, or of the resources of a vApp."""

    def text(local: str) -> str | None:
        return context.text_of(element, local) or None

    def integer(local: str) -> int | None:
        found = text(local)
        return None if found is None else as_number(context, element, local, found)

    for local in ("InstanceID", "ResourceType"):
        if text(local) is None:
            context.found.error(
                Category.ELEMENT_REQUIRED, element.place, "item", "{0} needs the element {1}.", element.local, local
            )
    units = text("AllocationUnits") or text("VirtualQuantityUnits")
    unit = None if units is None else multiplier(units)
    if units is not None and unit is None:
        context.found.error(Category.VALUE_ILLEGAL, element.place, "units", "The unit {0} is unknown.", units)
    automatic = text("AutomaticAllocation")
    return Item(
        instance_id=text("InstanceID") or "",
        resource_type=integer("ResourceType") or 0,
        resource_sub_types=words(text("ResourceSubType")),
        element_name=text("ElementName") or "",
        description=text("Description") or "",
        quantity=integer("VirtualQuantity"),
        unit_multiplier=unit,
        reservation=integer("Reservation"),
        limit=integer("Limit"),
        weight=integer("Weight"),
        parent=text("Parent"),
        address=text("Address"),
        address_on_parent=_address(text("AddressOnParent")),
        host_resources=tuple([context.text(each) for each in element.all("HostResource")]),
        connections=tuple([context.text(each) for each in element.all("Connection")]),
        automatic_allocation=None if automatic is None else as_flag(automatic, True),
        cores_per_socket=integer("CoresPerSocket"),
        configurations=words(element.get("configuration")),
        bound=element.get("bound") or None,
        required=flag(element, "required", True),
        settings=tuple([_setting(context, each) for each in element.all("Config")]),
        place=element.place,
    )


def _address(text: str | None) -> int | None:
    """A unit on a controller; what is no number (a PCI address, a MAC) says nothing about the order."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None


def _setting(context: Context, element: Element) -> Setting:
    return Setting(
        key=required(context, element, "key"),
        value=element.get("value") or "",
        required=flag(element, "required", True),
        configurations=words(element.get("configuration")),
        place=element.place,
    )


def _check(context: Context, element: Element, items: list[Item]) -> None:
    """See that items have ids of their own in each configuration, and stand on what there is.

    An item counts in a configuration in place of the one of its id that counts in all.
    """
    ids = {each.instance_id for each in items}
    known = Counter(
        (each.instance_id, each.bound or "", configuration)
        for each in items
        for configuration in set(each.configurations) or ("",)
    )
    for (instance_id, _, _), count in known.items():
        if count > 1 and instance_id:
            context.found.error(
                Category.VALUE_ILLEGAL, element.place, "item_id", "The item {0} is there {1} times.", instance_id, count
            )
    for item in items:
        if item.parent is not None and item.parent not in ids:
            context.found.error(
                Category.VALUE_ILLEGAL,
                item.place,
                "no_parent",
                "There is no item {0} for {1} to be on.",
                item.parent,
                item.element_name or item.instance_id,
            )
