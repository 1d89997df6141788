"""Machines and vApps of a descriptor, with all sections but hardware."""

from __future__ import annotations

from typing import Any

from resphere.ovf.documents import Element
from resphere.ovf.hardware_reading import read_hardware, read_item
from resphere.ovf.issues import Category
from resphere.ovf.model import (
    HardwareSection,
    InstanceCount,
    IpAssignment,
    OperatingSystem,
    Product,
    Property,
    PropertyValue,
    ScaleOut,
    StartupItem,
    UnknownSection,
    VirtualSystem,
    VirtualSystemCollection,
)
from resphere.ovf.parts import Context, as_number, flag, number, required, words

IGNORED = (
    "BootDeviceSection",
    "BootOrderSection",
    "EnvironmentFilesSection",
    "InstallSection",
    "PlacementGroupSection",
    "PlacementSection",
    "StorageSection",
)
"""Sections that are understood and change nothing here."""


def read_content(context: Context, element: Element) -> VirtualSystem | VirtualSystemCollection:
    """A machine or vApp."""
    common: dict[str, Any] = {
        "id": required(context, element, "id"),
        "info": context.text_of(element, "Info"),
        "name": context.text_of(element, "Name"),
        "annotation": "\n".join(context.text_of(each, "Annotation") for each in element.all("AnnotationSection")),
        "eulas": tuple([context.text_of(each, "License") for each in element.all("EulaSection")]),
        "products": tuple([_product(context, each) for each in element.all("ProductSection")]),
        "ip_assignment": _ip_assignment(element),
    }
    if element.local == "VirtualSystem":
        return VirtualSystem(
            **common,
            operating_system=_operating_system(context, element),
            hardware=_hardware(context, element),
            unknown_sections=_unknown(context, element, _OF_MACHINES),
        )
    parts = [each for each in element.children if each.local in ("VirtualSystem", "VirtualSystemCollection")]
    return VirtualSystemCollection(
        **common,
        content=tuple([read_content(context, each) for each in parts]),
        startup=tuple([_startup(context, item) for each in element.all("StartupSection") for item in each.all("Item")]),
        scale_out=tuple([_scale_out(context, each) for each in element.all("ScaleOutSection")]),
        resources=tuple(
            [read_item(context, item) for each in element.all("ResourceAllocationSection") for item in each.all("Item")]
        ),
        unknown_sections=_unknown(context, element, _OF_VAPPS),
    )


_OF_MACHINES = ("OperatingSystemSection", "VirtualHardwareSection")
_OF_VAPPS = (
    "StartupSection",
    "ScaleOutSection",
    "ResourceAllocationSection",
    "VirtualSystem",
    "VirtualSystemCollection",
)
_COMMON = ("Info", "Name", "AnnotationSection", "EulaSection", "ProductSection", "IpAssignmentSection")


def _unknown(context: Context, element: Element, known: tuple[str, ...]) -> tuple[UnknownSection, ...]:
    left = [each for each in element.children if each.local not in _COMMON and each.local not in known]
    for each in left:
        if each.local in IGNORED:
            context.found.warning(
                Category.SECTION_RESTRICTION, each.place, "ignored_section", "{0} is ignored.", each.local
            )
    return tuple([read_unknown(context, each) for each in left if each.local not in IGNORED])


def read_unknown(context: Context, element: Element) -> UnknownSection:
    """A section that nobody here knows; who deploys the package is told of it."""
    wanted = flag(element, "required", True)
    context.found.warning(
        Category.SECTION_UNKNOWN, element.place, "unknown_section", "The section {0} is unknown.", element.local
    )
    return UnknownSection(tag=element.tag, info=context.text_of(element, "Info"), required=wanted, place=element.place)


def _hardware(context: Context, element: Element) -> HardwareSection | None:
    sections = list(element.all("VirtualHardwareSection"))
    for other in sections[1:]:
        context.found.warning(
            Category.SECTION_RESTRICTION,
            other.place,
            "other_hardware",
            "Of several descriptions of hardware the first counts.",
        )
    return read_hardware(context, sections[0]) if sections else None


def _operating_system(context: Context, element: Element) -> OperatingSystem | None:
    section = element.first("OperatingSystemSection")
    if section is None:
        return None
    required(context, section, "id")
    return OperatingSystem(
        cim_id=number(context, section, "id") or 0,
        os_type=section.get("osType") or "",
        version=section.get("version") or "",
        description=context.text_of(section, "Description"),
        place=section.place,
    )


def _ip_assignment(element: Element) -> IpAssignment | None:
    section = element.first("IpAssignmentSection")
    if section is None:
        return None
    return IpAssignment(schemes=words(section.get("schemes")), protocols=words(section.get("protocols")))


def _product(context: Context, element: Element) -> Product:
    category = ""
    properties: list[Property] = []
    for child in element.children:
        if child.local == "Category":
            category = context.text(child)
        elif child.local == "Property":
            properties.append(_property(context, child, category))
    product = Product(
        class_id=element.get("class") or "",
        instance_id=element.get("instance") or "",
        info=context.text_of(element, "Info"),
        name=context.text_of(element, "Product"),
        vendor=context.text_of(element, "Vendor"),
        version=context.text_of(element, "Version"),
        full_version=context.text_of(element, "FullVersion"),
        product_url=context.text_of(element, "ProductUrl"),
        vendor_url=context.text_of(element, "VendorUrl"),
        app_url=context.text_of(element, "AppUrl"),
        properties=tuple(properties),
    )
    return product


def _property(context: Context, element: Element, category: str) -> Property:
    values = [
        PropertyValue(value=each.get("value") or "", configuration=each.get("configuration"))
        for each in element.all("Value")
    ]
    return Property(
        key=required(context, element, "key"),
        type=required(context, element, "type"),
        # DSP0243's own and VMware's stand in attributes of the same name.
        qualifiers=", ".join(
            value for name, value in element.attributes.items() if name.rpartition("}")[2] == "qualifiers" and value
        ),
        value=element.get("value") or "",
        values=tuple(values),
        user_configurable=flag(element, "userConfigurable", False),
        password=flag(element, "password", False),
        category=category,
        label=context.text_of(element, "Label"),
        description=context.text_of(element, "Description"),
        place=element.place,
    )


def _startup(context: Context, element: Element) -> StartupItem:
    def seconds(name: str) -> int:
        return as_number(context, element, name, element.get(name) or "0") or 0

    return StartupItem(
        id=required(context, element, "id"),
        order=seconds("order"),
        start_delay=seconds("startDelay"),
        stop_delay=seconds("stopDelay"),
        start_action=element.get("startAction") or "powerOn",
        stop_action=element.get("stopAction") or "powerOff",
        waiting_for_guest=flag(element, "waitingForGuest", False),
    )


def _scale_out(context: Context, element: Element) -> ScaleOut:
    def count(counted: Element) -> InstanceCount:
        default = as_number(context, counted, "default", required(context, counted, "default") or "1") or 0
        minimum = number(context, counted, "minimum")
        maximum = number(context, counted, "maximum")
        minimum = 1 if minimum is None else minimum
        if not minimum <= default <= (default if maximum is None else maximum):
            context.found.error(
                Category.VALUE_ILLEGAL,
                counted.place,
                "instances",
                "The number of instances, {0}, must be from {1} to {2}.",
                default,
                minimum,
                "any" if maximum is None else maximum,
            )
        return InstanceCount(
            default=default,
            minimum=minimum,
            maximum=maximum,
            configurations=words(counted.get("configuration")),
        )

    return ScaleOut(
        id=required(context, element, "id"),
        description=context.text_of(element, "Description"),
        counts=tuple([count(each) for each in element.all("InstanceCount")]),
        place=element.place,
    )
