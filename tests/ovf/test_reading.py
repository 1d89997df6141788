"""Descriptors read: what they say, and what is said of those that cannot be used."""

from __future__ import annotations

import pytest

from resphere.ovf.documents import DEEPEST, MOST_ATTRIBUTES, MOST_DESCRIPTOR_BYTES, MOST_ELEMENTS
from resphere.ovf.issues import MOST_ISSUES, BadPackage, Category
from resphere.ovf.model import VirtualSystemCollection
from resphere.ovf.reading import MOST_PIECES, is_file_name, read, read_files, stored_names
from resphere.ovf.units import multiplier
from tests.ovf.packages import NAMESPACES, content, descriptor, envelope, item


def refused(document: bytes) -> BadPackage:
    with pytest.raises(BadPackage) as caught:
        read(document, "bad.ovf")
    return caught.value


def test_everything_of_a_descriptor_of_vcenter() -> None:
    read_one = descriptor("vcenter.ovf")
    assert [(each.id, each.href, each.size) for each in read_one.files] == [
        ("file1", "web-1.vmdk", 68096),
        ("file2", "web-2.nvram", 8684),
        ("file3", "tools.iso", 2048),
    ]
    assert [(each.id, each.capacity, each.unit_bytes, each.file_id) for each in read_one.disks] == [
        ("vmdisk1", "16", 1 << 30, "file1"),
        ("vmdisk2", "${data.size}", 1 << 20, None),
    ]
    assert [(each.name, each.description) for each in read_one.networks] == [
        ("VM Network", "The VM Network network"),
        ("Backup", ""),
    ]
    assert [(each.id, each.description) for each in read_one.storage_groups] == [("group1", "The Gold storage group")]
    assert [(each.id, each.label, each.default) for each in read_one.options] == [
        ("small", "Small", False),
        ("large", "Large", True),
    ]
    assert read_one.default_option == "large"
    (system,) = read_one.systems
    assert (system.name, system.annotation, system.eulas) == ("web", "The web server", ("Be kind.",))
    assert system.operating_system is not None
    assert (system.operating_system.cim_id, system.operating_system.os_type) == (100, "debian12_64Guest")
    assert system.ip_assignment is not None
    assert (system.ip_assignment.schemes, system.ip_assignment.protocols) == (("ovfenv", "dhcp"), ("IPv4", "IPv6"))
    assert system.hardware is not None
    assert system.hardware.transports == ("com.vmware.guestInfo", "iso")
    assert {each.key: each.value for each in system.hardware.extra_config} == {
        "nvram": "ovf:/file/file2",
        "svga.autodetect": "TRUE",
    }
    (product,) = system.products
    assert [(each.category, each.key) for each in product.properties] == [
        ("Storage", "size"),
        ("Network", "address"),
        ("Network", "secret"),
        ("Network", "mode"),
        ("Network", "build"),
    ]


def test_texts_are_told_in_the_language_asked_for() -> None:
    for locale, name in ((None, "old machine"), ("de", "alte Maschine"), ("de_DE", "alte Maschine"), ("fr", "")):
        assert read(content("ovftool.ovf"), locale=locale).descriptor.content.name == name


def test_a_vapp_of_ovf_2() -> None:
    read_one = descriptor("vapp-2.ovf")
    assert read_one.version == 2
    assert isinstance(read_one.content, VirtualSystemCollection)
    assert [each.id for each in read_one.systems] == ["db", "web"]
    assert [(each.id, each.order, each.start_delay) for each in read_one.content.startup] == [
        ("db", 1, 10),
        ("inner", 2, 0),
    ]
    (resources,) = read_one.content.resources
    assert (resources.resource_type, resources.reservation, resources.unit_multiplier) == (4, 1024, 1 << 20)


def test_unknown_sections_are_told_with_their_tags() -> None:
    made = read(content("virtualbox.ovf"), "virtualbox.ovf")
    (section,) = made.descriptor.systems[0].unknown_sections
    assert (section.tag, section.required) == ("{http://www.virtualbox.org/ovf/machine}Machine", False)
    assert section.info == "Complete VirtualBox machine configuration in VirtualBox format"
    (warning,) = made.warnings
    assert (warning.category, warning.file) == (Category.SECTION_UNKNOWN, "virtualbox.ovf")
    assert content("virtualbox.ovf").decode().splitlines()[warning.line_number - 1].startswith("    <vbox:Machine")
    assert warning.column_number == 5


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "no element found"),
        (b"<Envelope>", "no element found"),
        (b"<Envelope><a></Envelope>", "mismatched tag"),
        (b"\x00\x01", "not well-formed"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "a document type or entities"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "a document type or entities"),
        ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><a/>'.encode("utf-16"), "a document type or entities"),
        (b"<a>&nbsp;</a>", "undefined entity"),
        (b"<?xml version='1.0' encoding='zlib'?><a/>", "its encoding is unknown"),
        (b"<?xml version='1.0' encoding='none-such'?><a/>", "encoding"),
        (b"<a>" * (DEEPEST + 1), "deep"),
        (b"<a>" + b"<b/>" * MOST_ELEMENTS, "elements"),
        (b"<a " + b" ".join(b"b%d='c'" % each for each in range(MOST_ATTRIBUTES + 1)) + b"/>", "attributes"),
        (b" " * (MOST_DESCRIPTOR_BYTES + 1), "larger"),
    ],
)
def test_what_is_no_document_is_refused(document: bytes, reason: str) -> None:
    (issue,) = refused(document).issues
    assert issue.category is Category.PARSE_ERROR
    assert reason in issue.message.default_message
    assert issue.file == "bad.ovf"


@pytest.mark.parametrize(
    "document",
    [
        b"<Envelope/>",
        b'<Envelope xmlns="http://www.vmware.com/schema/ovf/1/envelope"/>',
        b'<Other xmlns="http://schemas.dmtf.org/ovf/envelope/1"/>',
    ],
)
def test_what_is_no_envelope_is_refused(document: bytes) -> None:
    (issue,) = refused(document).issues
    assert (issue.category, issue.line_number, issue.column_number) == (Category.ELEMENT_ILLEGAL, 1, 1)


@pytest.mark.parametrize(
    ("document", "category", "words"),
    [
        (f"<Envelope {NAMESPACES}><References/></Envelope>".encode(), Category.ELEMENT_REQUIRED, "VirtualSystem"),
        (envelope(sections='<References><File ovf:id="f"/></References>'), Category.ATTRIBUTE_REQUIRED, "href"),
        (
            envelope(sections='<References><File ovf:id="f" ovf:href="../up.vmdk"/></References>'),
            Category.VALUE_ILLEGAL,
            "../up.vmdk",
        ),
        (
            envelope(sections='<References><File ovf:id="f" ovf:href="a" ovf:compression="rar"/></References>'),
            Category.VALUE_ILLEGAL,
            "rar",
        ),
        (
            envelope(sections='<References><File ovf:id="f" ovf:href="a" ovf:size="-1"/></References>'),
            Category.VALUE_ILLEGAL,
            "-1",
        ),
        (
            envelope(
                sections='<References><File ovf:id="f" ovf:href="a"/><File ovf:id="f" ovf:href="b"/></References>'
            ),
            Category.VALUE_ILLEGAL,
            "file f is there more than once",
        ),
        (
            envelope(
                sections='<References><File ovf:id="f" ovf:href="a"/><File ovf:id="g" ovf:href="a"/></References>'
            ),
            Category.VALUE_ILLEGAL,
            "name of a file a",
        ),
        (
            envelope(sections='<DiskSection><Info/><Disk ovf:diskId="d" ovf:capacity="much"/></DiskSection>'),
            Category.VALUE_ILLEGAL,
            "must be a number or a property in ${}, not much",
        ),
        (
            envelope(
                sections='<DiskSection><Info/><Disk ovf:diskId="d" ovf:capacity="1"'
                ' ovf:capacityAllocationUnits="byte * 3^x"/></DiskSection>'
            ),
            Category.VALUE_ILLEGAL,
            "byte * 3^x",
        ),
        (
            envelope(
                sections='<DiskSection><Info/><Disk ovf:diskId="d" ovf:capacity="1" ovf:fileRef="gone"/></DiskSection>'
            ),
            Category.VALUE_ILLEGAL,
            "no file gone",
        ),
        (envelope(item(1, 17, "HostResource=ovf:/disk/gone")), Category.VALUE_ILLEGAL, "no disk gone"),
        (envelope(item(1, 15, "HostResource=ovf:/file/gone")), Category.VALUE_ILLEGAL, "no file gone"),
        (envelope(item(1, 10, "Connection=gone")), Category.VALUE_ILLEGAL, "no network gone"),
        (envelope(item(1, 17, "Parent=9")), Category.VALUE_ILLEGAL, "no item 9"),
        (envelope(item(1, 3) + item(1, 4)), Category.VALUE_ILLEGAL, "item 1 is there 2 times"),
        (envelope(item(1, 3, "VirtualQuantity=lots")), Category.VALUE_ILLEGAL, "lots"),
        (envelope(item(1, 4, "AllocationUnits=stone")), Category.VALUE_ILLEGAL, "stone"),
        (envelope("<Item/>"), Category.ELEMENT_REQUIRED, "InstanceID"),
        (
            envelope(of_machine='<ProductSection><Info/><Property ovf:key="k"/></ProductSection>'),
            Category.ATTRIBUTE_REQUIRED,
            "type",
        ),
        (
            envelope(of_machine="<OperatingSystemSection><Info/></OperatingSystemSection>"),
            Category.ATTRIBUTE_REQUIRED,
            "id",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(document: bytes, category: Category, words: str) -> None:
    issues = refused(document).issues
    assert [each for each in issues if each.category is category and words in each.message.default_message], issues


def test_all_mistakes_are_told_with_their_places_but_no_flood_of_them() -> None:
    two = b"<Envelope " + NAMESPACES.encode() + b">\n<References>\n <File/>\n</References>\n</Envelope>"
    assert [(each.line_number, each.column_number) for each in refused(two).issues] == [(3, 2), (3, 2), (1, 1)]
    many = envelope(sections=f"<References>{'<File/>' * 1000}</References>")
    assert len(refused(many).issues) == MOST_ISSUES


def test_long_words_are_cut_in_messages() -> None:
    (issue,) = refused(envelope(item(1, 10, f"Connection={'x' * 10_000}"))).issues
    assert len(issue.message.default_message) < 300


@pytest.mark.parametrize("name", ["a.vmdk", "ä b.vmdk", ".hidden"])
def test_names_of_files(name: str) -> None:
    assert is_file_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "..\\b", "/etc/passwd", "http://example.org/a", "file:a", "a\nb", "a\x00", "x" * 256]
)
def test_what_is_no_name_of_a_file(name: str) -> None:
    assert not is_file_name(name)


@pytest.mark.parametrize(
    ("units", "bytes_each"),
    [
        ("byte", 1),
        ("byte * 2^30", 1 << 30),
        ("byte*10^3", 1000),
        ("bytes * 1024", 1024),
        ("byte * 2^10 * 4", 4096),
        ("MegaBytes", 1 << 20),
        ("GB", 1 << 30),
        ("hertz * 10^6", 10**6),
        ("", None),
        ("byte^2", None),
        ("byte * 2^99", None),
        ("0", None),
        ("furlong", None),
    ],
)
def test_units(units: str, bytes_each: int | None) -> None:
    assert multiplier(units) == bytes_each


def of_files(*files: str) -> bytes:
    """A descriptor that names files, and is of no machine."""
    return f"<Envelope {NAMESPACES}><References>{''.join(files)}</References></Envelope>".encode()


def test_the_files_alone() -> None:
    """What stands in the rest is told when the package is deployed."""
    assert [each.href for each in read_files(content("vcenter.ovf"), "web.ovf")] == [
        "web-1.vmdk",
        "web-2.nvram",
        "tools.iso",
    ]
    document = of_files('<File ovf:id="f1" ovf:href="a b.vmdk"/>')
    assert [each.href for each in read_files(document, "a.ovf")] == ["a b.vmdk"]
    assert refused(document).issues
    for bad in (
        b"",
        b"<Envelope/>",
        b"<!DOCTYPE x><Envelope/>",
        of_files('<File ovf:id="f1" ovf:href="../a"/>'),
        of_files('<File ovf:id="f1" ovf:href="http://x/a"/>'),
        of_files('<File ovf:id="f1"/>'),
        of_files('<File ovf:id="f1" ovf:href="a"/>', '<File ovf:id="f2" ovf:href="a"/>'),
    ):
        with pytest.raises(BadPackage):
            read_files(bad, "a.ovf")


@pytest.mark.parametrize(
    ("attributes", "names"),
    [
        ('ovf:size="10"', ("a",)),
        ('ovf:size="10" ovf:chunkSize="5"', ("a.000000000", "a.000000001")),
        ('ovf:size="11" ovf:chunkSize="5"', ("a.000000000", "a.000000001", "a.000000002")),
        ('ovf:chunkSize="5"', ("a.000000000",)),
        ('ovf:size="0" ovf:chunkSize="5"', ("a.000000000",)),
        ('ovf:chunkSize="0"', ("a",)),
    ],
)
def test_files_in_pieces(attributes: str, names: tuple[str, ...]) -> None:
    (file,) = read_files(of_files(f'<File ovf:id="f1" ovf:href="a" {attributes}/>'), "a.ovf")
    assert stored_names(file) == names


def test_pieces_are_bounded() -> None:
    (file,) = read_files(of_files(f'<File ovf:id="f1" ovf:href="a" ovf:size="{1 << 62}" ovf:chunkSize="1"/>'), "a.ovf")
    assert len(stored_names(file)) == MOST_PIECES
