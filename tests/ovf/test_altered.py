"""Descriptors altered at random, and large ones."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from resphere.ovf.documents import MOST_DESCRIPTOR_BYTES
from resphere.ovf.issues import BadInput, BadPackage, Category
from resphere.ovf.reading import read
from resphere.ovf.resolving import resolved
from resphere.ovf.vmdk import HEAD_BYTES, read_head
from resphere.ovf.writing import write_descriptor
from tests.ovf.packages import NAMES, content, envelope, item

WORDS = [
    "",
    "0",
    "-1",
    "true",
    "99999999999999999999",
    "1.5",
    "${data.size}",
    "ovf:/disk/vmdisk1",
    "vmx-21",
    "x y",
    "\u0661",
]


@st.composite
def altered(draw: st.DrawFn) -> bytes:
    """A descriptor of which some elements are gone, doubled, moved, or say something else."""
    root = etree.fromstring(content(draw(st.sampled_from(NAMES))))
    for _ in range(draw(st.integers(1, 6))):
        elements = [each for each in root.iter(etree.Element) if each is not root]
        if not elements:
            break
        element = draw(st.sampled_from(elements))
        parent = element.getparent()
        assert parent is not None
        match draw(st.sampled_from(["remove", "double", "move", "text", "attribute", "no attributes"])):
            case "remove":
                parent.remove(element)
            case "double":
                parent.append(etree.fromstring(etree.tostring(element)))
            case "move":
                other = draw(st.sampled_from(elements))
                if other not in element.iter() and other is not element:
                    other.append(element)
            case "text":
                element.text = draw(st.sampled_from(WORDS))
            case "attribute" if element.attrib:
                element.set(draw(st.sampled_from(sorted(map(str, element.attrib)))), draw(st.sampled_from(WORDS)))
            case "no attributes":
                element.attrib.clear()
    return etree.tostring(root)


@settings(max_examples=300)
@given(altered(), st.booleans())
def test_altered_descriptors_are_read_or_refused(document: bytes, lax: bool) -> None:
    with suppress(BadPackage, BadInput):
        for machine in resolved(read(document).descriptor, lax=lax).machines:
            again = write_descriptor(machine, preserve_mac=True, extra_config=True)
            (read_again,) = resolved(read(again).descriptor, lax=True).machines
            assert write_descriptor(read_again, preserve_mac=True, extra_config=True) == again


def repeated(text: str, rest: bytes) -> str:
    """As much of ``text`` as a descriptor may have beside the rest."""
    return text * ((MOST_DESCRIPTOR_BYTES - len(rest) - 1000) // len(text))


def with_property(attributes: str) -> bytes:
    product = "<ProductSection><Info/><Property {}/></ProductSection>"
    frame = envelope(of_machine=product.format(""))
    word, _, text = attributes.rpartition("=")
    return envelope(
        of_machine=product.format(f'ovf:key="k" {word}="{repeated(text, frame)}" ovf:userConfigurable="true"')
    )


MACHINES = (
    "".join(f'<VirtualSystem ovf:id="v{number}"><Info/></VirtualSystem>' for number in range(6000))
    + "</VirtualSystemCollection>"
)
FILES = "".join(f'<File ovf:id="f{number}" ovf:href="{number}"/>' for number in range(6000))

LARGE = {
    "quantities": envelope(item(1, 3, "AllocationUnits=" + repeated("1*", envelope()))),
    "configurations": envelope(item(1, 9, attributes=f'ovf:configuration="{repeated("a ", envelope())}"')),
    "items": envelope("".join(item(number, 17) for number in range(4000))),
    "type": with_property("ovf:type=string(."),
    "choices": with_property('ovf:type="string" ovf:qualifiers=ValueMap{'),
    "machines": envelope()
    .replace(b"<References/>", f"<References>{FILES}</References>".encode())
    .partition(b"<VirtualSystem")[0]
    + f'<VirtualSystemCollection ovf:id="c"><Info/>{MACHINES}</Envelope>'.encode(),
}


@pytest.mark.parametrize("name", ["quantities", "items"])
def test_large_descriptors_are_refused(name: str) -> None:
    """As soon as they were read: what costs more than its share would take minutes here."""
    with pytest.raises(BadPackage) as caught:
        resolved(read(LARGE[name]).descriptor)
    assert all(each.category is not Category.PARSE_ERROR for each in caught.value.issues)


@pytest.mark.parametrize(("name", "machines"), [("type", 1), ("choices", 1), ("configurations", 1), ("machines", 6000)])
def test_large_descriptors_are_read(name: str, machines: int) -> None:
    """Here too."""
    made = resolved(read(LARGE[name]).descriptor, None, {"k": "v"})
    assert len(made.machines) == machines


@pytest.mark.parametrize("filling", [b"\n", b" ", b"\ncreateType", b'\nRW 1 X "', b"\nparentCID=", b"\nRW 1 X "])
def test_large_heads_of_disks_are_refused(filling: bytes) -> None:
    """And here."""
    with pytest.raises(BadPackage):
        read_head((b"# Disk DescriptorFile\n" + filling * HEAD_BYTES)[:HEAD_BYTES], "large.vmdk")
