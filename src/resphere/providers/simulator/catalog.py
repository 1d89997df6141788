"""The facts an inventory is put together from: host models, ESXi releases, roles of VMs, Tools releases, names."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from resphere.contract.generated.vcenter_vm import GuestOS

BASE_TIME = datetime(2025, 3, 3, 6, 0, tzinfo=UTC)
"""The "now" of a generated inventory: all its times lie before this one, none depends on the clock."""

GIB = 1 << 30
TIB = 1 << 40


class HostModel(msgspec.Struct, frozen=True, kw_only=True):
    """A server on the market: two sockets of ``cores`` cores with two threads each; ``nic_vendor`` begins its MACs."""

    vendor: str
    model: str
    cpu_model: str
    cores: int
    cpu_frequency_MHz: int
    nic_vendor: str
    nic_speed_Mbps: int
    serial: str


HOST_MODELS = (
    HostModel(
        vendor="Dell Inc.",
        model="PowerEdge R750",
        cpu_model="Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz",
        cores=32,
        cpu_frequency_MHz=1995,
        nic_vendor="b4:96:91",
        nic_speed_Mbps=25_000,
        serial="7XK{:04X}",
    ),
    HostModel(
        vendor="HPE",
        model="ProLiant DL380 Gen10 Plus",
        cpu_model="Intel(R) Xeon(R) Gold 5318Y CPU @ 2.10GHz",
        cores=24,
        cpu_frequency_MHz=2095,
        nic_vendor="94:40:c9",
        nic_speed_Mbps=10_000,
        serial="CZ2D{:06X}",
    ),
    HostModel(
        vendor="Lenovo",
        model="ThinkSystem SR645",
        cpu_model="AMD EPYC 7543 32-Core Processor",
        cores=32,
        cpu_frequency_MHz=2794,
        nic_vendor="08:3a:88",
        nic_speed_Mbps=25_000,
        serial="J30{:05X}",
    ),
    HostModel(
        vendor="Cisco Systems Inc",
        model="UCSB-B200-M6",
        cpu_model="Intel(R) Xeon(R) Platinum 8358 CPU @ 2.60GHz",
        cores=32,
        cpu_frequency_MHz=2593,
        nic_vendor="00:25:b5",
        nic_speed_Mbps=40_000,
        serial="FCH25{:06X}",
    ),
    HostModel(
        vendor="Supermicro",
        model="SYS-120U-TNR",
        cpu_model="Intel(R) Xeon(R) Silver 4314 CPU @ 2.40GHz",
        cores=16,
        cpu_frequency_MHz=2394,
        nic_vendor="3c:ec:ef",
        nic_speed_Mbps=10_000,
        serial="S4{:08X}",
    ),
)

HOST_MEMORY_GIB = (256, 384, 512, 768, 1_024, 1_536, 2_048, 3_072, 4_096, 6_144, 8_192, 12_288, 16_384, 24_576)
"""What a host may have, up to ESXi's own limit of 24 TiB."""

ESXI_RELEASES = (("8.0.2", "22380479"), ("8.0.3", "24022510"))
"""Version and build; these know virtual hardware up to VMX_21."""


class ToolsRelease(msgspec.Struct, frozen=True):
    """A release of VMware Tools; ``current`` with those hosts."""

    major: int
    minor: int
    revision: int
    current: bool

    @property
    def number(self) -> int:
        """The release as one number, in vCenter's way."""
        return (self.major << 10) + (self.minor << 5) + self.revision

    @property
    def text(self) -> str:
        """The release for people: `12.3.5`."""
        return f"{self.major}.{self.minor}.{self.revision}"


CURRENT_TOOLS = ToolsRelease(12, 3, 5, True)
OLD_TOOLS = ToolsRelease(11, 3, 5, False)
OPEN_VM_TOOLS = (ToolsRelease(11, 3, 5, False), ToolsRelease(12, 1, 5, False), ToolsRelease(12, 3, 5, True))


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of work that VMs do.

    ``prefix`` begins their names, ``weight`` is how many in a hundred do it, ``shapes`` are (processors, memory in
    GiB), ``disks`` sizes in GiB, the system's first. ``test`` says that some of them stand in the test environment,
    ``floppy`` that they have a floppy drive.
    """

    prefix: str
    weight: int
    guests: tuple[GuestOS, ...]
    shapes: tuple[tuple[int, int], ...]
    disks: tuple[tuple[int, ...], ...]
    folder: str
    annotation: str
    test: bool = True
    floppy: bool = False


ROLES = (
    Role(
        prefix="web",
        weight=18,
        guests=(GuestOS.UBUNTU_64, GuestOS.RHEL_9_64, GuestOS.VMWARE_PHOTON_64),
        shapes=((2, 4), (2, 8), (4, 8)),
        disks=((40,), (60,)),
        folder="Web",
        annotation="nginx front end",
    ),
    Role(
        prefix="app",
        weight=18,
        guests=(GuestOS.RHEL_8_64, GuestOS.UBUNTU_64, GuestOS.SLES_15_64),
        shapes=((2, 8), (4, 8), (4, 16)),
        disks=((60,), (60, 100)),
        folder="Applications",
        annotation="Application server",
    ),
    Role(
        prefix="db",
        weight=10,
        guests=(GuestOS.RHEL_8_64, GuestOS.ORACLE_LINUX_8_64, GuestOS.UBUNTU_64),
        shapes=((4, 16), (8, 32), (8, 64)),
        disks=((60, 200), (60, 500, 100)),
        folder="Databases",
        annotation="Database server",
    ),
    Role(
        prefix="cache",
        weight=5,
        guests=(GuestOS.DEBIAN_12_64, GuestOS.UBUNTU_64),
        shapes=((2, 8), (4, 16)),
        disks=((40,),),
        folder="Applications",
        annotation="Redis",
    ),
    Role(
        prefix="mq",
        weight=4,
        guests=(GuestOS.ROCKYLINUX_64, GuestOS.ALMALINUX_64),
        shapes=((2, 4), (4, 8)),
        disks=((40, 80),),
        folder="Applications",
        annotation="RabbitMQ",
    ),
    Role(
        prefix="k8s-node",
        weight=9,
        guests=(GuestOS.VMWARE_PHOTON_64, GuestOS.UBUNTU_64),
        shapes=((4, 16), (8, 32)),
        disks=((100,),),
        folder="Kubernetes",
        annotation="Kubernetes worker",
    ),
    Role(
        prefix="ci",
        weight=6,
        guests=(GuestOS.DEBIAN_11_64, GuestOS.FEDORA_64, GuestOS.UBUNTU_64),
        shapes=((4, 8), (8, 16)),
        disks=((120,),),
        folder="Applications",
        annotation="Build runner",
    ),
    Role(
        prefix="mon",
        weight=3,
        guests=(GuestOS.DEBIAN_12_64,),
        shapes=((2, 8), (4, 16)),
        disks=((40, 200),),
        folder="Infrastructure",
        annotation="Prometheus",
        test=False,
    ),
    Role(
        prefix="win-dc",
        weight=4,
        guests=(GuestOS.WINDOWS_SERVER_2019, GuestOS.WINDOWS_SERVER_2021, GuestOS.WINDOWS_SERVER_2025),
        shapes=((2, 4), (2, 8)),
        disks=((90,),),
        folder="Infrastructure",
        annotation="Domain controller",
        test=False,
    ),
    Role(
        prefix="win-sql",
        weight=5,
        guests=(GuestOS.WINDOWS_SERVER_2019, GuestOS.WINDOWS_SERVER_2021),
        shapes=((4, 16), (8, 32)),
        disks=((90, 300), (90, 300, 100)),
        folder="Databases",
        annotation="SQL Server",
    ),
    Role(
        prefix="win-file",
        weight=3,
        guests=(GuestOS.WINDOWS_9_SERVER_64, GuestOS.WINDOWS_SERVER_2019),
        shapes=((2, 8),),
        disks=((90, 1_000),),
        folder="Infrastructure",
        annotation="File server",
        test=False,
    ),
    Role(
        prefix="win-app",
        weight=7,
        guests=(GuestOS.WINDOWS_SERVER_2019, GuestOS.WINDOWS_SERVER_2021, GuestOS.WINDOWS_SERVER_2025),
        shapes=((2, 8), (4, 16)),
        disks=((90,), (90, 60)),
        folder="Applications",
        annotation="IIS",
    ),
    Role(
        prefix="bsd-fw",
        weight=3,
        guests=(GuestOS.FREEBSD_13_64, GuestOS.FREEBSD_14_64),
        shapes=((1, 2), (2, 4)),
        disks=((16,),),
        folder="Infrastructure",
        annotation="Firewall",
        test=False,
    ),
    Role(
        prefix="appliance",
        weight=2,
        guests=(GuestOS.OTHER_5X_LINUX_64, GuestOS.OTHER),
        shapes=((1, 1), (1, 2)),
        disks=((8,),),
        folder="Infrastructure",
        annotation="Vendor appliance",
        test=False,
    ),
    Role(
        prefix="legacy",
        weight=3,
        guests=(GuestOS.CENTOS_7_64, GuestOS.WINDOWS_7_64, GuestOS.WIN_XP_PRO),
        shapes=((1, 2), (2, 4)),
        disks=((40,),),
        folder="Applications",
        annotation="Waits to be replaced",
        floppy=True,
    ),
)

TEMPLATES = (
    ("tmpl-ubuntu", GuestOS.UBUNTU_64),
    ("tmpl-rhel9", GuestOS.RHEL_9_64),
    ("tmpl-win2022", GuestOS.WINDOWS_SERVER_2021),
    ("tmpl-debian12", GuestOS.DEBIAN_12_64),
    ("tmpl-photon", GuestOS.VMWARE_PHOTON_64),
    ("tmpl-win2019", GuestOS.WINDOWS_SERVER_2019),
)
"""How the names of templates begin, and their guest systems."""

ENVIRONMENTS = ("Production", "Test")
ROLE_FOLDERS = tuple(sorted({role.folder for role in ROLES}))
TEMPLATES_FOLDER = "Templates"

SNAPSHOT_NAMES = (
    ("before-upgrade", "Before the upgrade of the operating system"),
    ("before-patch", "Before monthly patches"),
    ("after-patch", "Patched, not yet verified"),
    ("clean-install", ""),
)
"""Name and description."""
