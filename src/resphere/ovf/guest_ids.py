"""Guest systems: CIM's numbers, which every descriptor has, beside vSphere's own ids."""

from __future__ import annotations

OTHER, OTHER_64 = 1, 102

VIM_IDS = {
    1: "otherGuest",
    2: "darwinGuest",
    14: "dosGuest",
    15: "win31Guest",
    16: "win95Guest",
    17: "win98Guest",
    18: "winNTGuest",
    21: "netware6Guest",
    25: "unixWare7Guest",
    26: "openServer6Guest",
    29: "solaris10Guest",
    36: "otherLinuxGuest",
    42: "freebsdGuest",
    58: "win2000ServGuest",
    63: "winMeGuest",
    67: "winXPProGuest",
    69: "winNetStandardGuest",
    70: "winNetStandard64Guest",
    71: "winXPPro64Guest",
    73: "winVistaGuest",
    74: "winVista64Guest",
    76: "winLonghornGuest",
    77: "winLonghorn64Guest",
    78: "freebsd64Guest",
    79: "rhel6Guest",
    80: "rhel7_64Guest",
    81: "solaris10_64Guest",
    82: "suseGuest",
    83: "suse64Guest",
    84: "sles12Guest",
    85: "sles12_64Guest",
    86: "oesGuest",
    87: "nld9Guest",
    88: "sjdsGuest",
    89: "mandrivaGuest",
    90: "mandriva64Guest",
    91: "turboLinuxGuest",
    92: "turboLinux64Guest",
    93: "ubuntuGuest",
    94: "ubuntu64Guest",
    95: "debian10Guest",
    96: "debian10_64Guest",
    97: "other24xLinuxGuest",
    98: "other24xLinux64Guest",
    99: "other26xLinuxGuest",
    100: "other26xLinux64Guest",
    101: "otherLinux64Guest",
    102: "otherGuest64",
    103: "windows7Server64Guest",
    104: "vmkernel6Guest",
    105: "windows7Guest",
    106: "centosGuest",
    107: "centos64Guest",
    108: "oracleLinuxGuest",
    109: "oracleLinux64Guest",
    110: "eComStationGuest",
    113: "windows8Server64Guest",
    114: "windows8Guest",
    115: "windows8_64Guest",
    116: "windows8Server64Guest",
    117: "windows9Server64Guest",
    118: "windows8Guest",
    119: "windows8_64Guest",
    120: "windows9Guest",
    121: "windows9_64Guest",
}
"""vSphere's id for a number of CIM's ``CIM_OperatingSystem.OSType``, where the descriptor has no ``vmw:osType``."""

_LINES = (
    ("rhel", 79, 80),
    ("centos", 106, 107),
    ("oracleLinux", 108, 109),
    ("sles", 84, 85),
    ("suse", 82, 83),
    ("opensuse", 82, 83),
    ("ubuntu", 93, 94),
    ("debian", 95, 96),
    ("other24xLinux", 97, 98),
    ("other26xLinux", 99, 100),
    ("freebsd", 42, 78),
    ("solaris", 29, 81),
    ("darwin", 2, 2),
    ("windows9Server", 117, 117),
    ("windows2019srv", 117, 117),
    ("windows2022srv", 117, 117),
    ("windows9", 120, 121),
    ("windows11", 121, 121),
    ("windows12", 121, 121),
    ("windows8Server", 113, 113),
    ("windows8", 114, 115),
    ("windows7Server", 103, 103),
    ("windows7", 105, 105),
    ("winLonghorn", 76, 77),
    ("winNet", 69, 70),
    ("winVista", 73, 74),
    ("winXP", 67, 71),
    ("win2000", 58, 58),
    ("vmkernel", 104, 104),
    ("mandriva", 89, 90),
    ("turboLinux", 91, 92),
)
"""Products by how their ids begin, the longer beginnings first: CIM's number for 32 and for 64 bits."""
_OTHER_LINUX = (
    "almalinux",
    "amazonlinux",
    "asianux",
    "coreos",
    "crxPod",
    "crxSys",
    "fedora",
    "mandrake",
    "other",
    "redhat",
    "rockylinux",
    "vmwarePhoton",
)

_EXACT = {vim_id: number for number, vim_id in reversed(VIM_IDS.items())}


def vim_id_of(cim_id: int) -> str:
    """vSphere's id for CIM's number; ``otherGuest`` for those that vSphere has no system for."""
    return VIM_IDS.get(cim_id, "otherGuest")


def cim_id_of(vim_id: str) -> int:
    """CIM's number for vSphere's id: that of the system, of its product, or of what is nearest to it."""
    exact = _EXACT.get(vim_id)
    if exact is not None:
        return exact
    is_64 = "64" in vim_id
    for beginning, number, number_64 in _LINES:
        if vim_id.startswith(beginning):
            return number_64 if is_64 else number
    if "Linux" in vim_id or vim_id.startswith(_OTHER_LINUX):
        return 101 if is_64 else 36
    return OTHER_64 if is_64 else OTHER
