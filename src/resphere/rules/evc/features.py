"""Enhanced vMotion Compatibility: the processor features that hosts have and modes leave visible.

A mode is a list of feature masks; ``Val:1`` in the mask of a feature of the processor (``cpuid.AVX2``) demands that a
host has it. vCenter's own modes are the generations of each vendor, each with all that its elders have.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from functools import cache

import msgspec

from resphere.contract.generated.vcenter_evc_mode import EvcMode, FeatureMask

CPU = "cpuid."
SHOWN = "Val:1"

_INTEL: tuple[tuple[str, str], ...] = (
    ("intel-merom", "Intel SSE3 SSSE3 CMPXCHG16B"),
    ("intel-penryn", "SSE41"),
    ("intel-nehalem", "SSE42 POPCNT RDTSCP"),
    ("intel-westmere", "AES PCLMULQDQ"),
    ("intel-sandybridge", "AVX XSAVE XCR0_MASTER_YMM_H"),
    ("intel-ivybridge", "F16C RDRAND FSGSBASE ENFSTRG SMEP"),
    ("intel-haswell", "AVX2 BMI1 BMI2 FMA MOVBE INVPCID"),
    ("intel-broadwell", "ADX RDSEED SMAP"),
    ("intel-skylake", "AVX512F AVX512CD AVX512DQ AVX512BW AVX512VL CLFLUSHOPT CLWB PKU"),
    ("intel-cascadelake", "AVX512VNNI"),
    ("intel-icelake", "AVX512VBMI AVX512VBMI2 GFNI SHA VAES VPCLMULQDQ"),
    ("intel-sapphirerapids", "AMX_BF16 AMX_INT8 AMX_TILE AVX512FP16"),
)
_AMD: tuple[tuple[str, str], ...] = (
    ("amd-greyhound", "AMD SSE3 SSE4A CMPXCHG16B POPCNT"),
    ("amd-bulldozer", "AVX AES PCLMULQDQ SSSE3 SSE41 SSE42 XSAVE XOP FMA4"),
    ("amd-piledriver", "BMI1 F16C FMA TBM"),
    ("amd-steamroller", "FSGSBASE"),
    # Zen gave up what Bulldozer had of its own: XOP, FMA4, TBM.
    ("amd-zen", "ADX AVX2 BMI2 CLFLUSHOPT MOVBE RDRAND RDSEED SHA SMAP SMEP"),
    ("amd-zen2", "CLWB RDPID UMIP"),
    ("amd-zen3", "INVPCID PKU VAES VPCLMULQDQ"),
    ("amd-zen4", "AVX512F AVX512BW AVX512CD AVX512DQ AVX512VL AVX512VBMI AVX512VNNI GFNI"),
)
_GIVEN_UP = {"amd-zen": frozenset({"XOP", "FMA4", "TBM"})}

_XEON = re.compile(r"Xeon\(R\) (?:Bronze|Silver|Gold|Platinum) \d(\d)\d\d")
_XEON_GENERATIONS = {
    "1": "intel-skylake",
    "2": "intel-cascadelake",
    "3": "intel-icelake",
    "4": "intel-sapphirerapids",
    "5": "intel-sapphirerapids",
}
_XEON_E = re.compile(r"Xeon\(R\) CPU E\d-\d+\w?(?: v(\d))?")
_XEON_E_GENERATIONS = {
    None: "intel-sandybridge",
    "2": "intel-ivybridge",
    "3": "intel-haswell",
    "4": "intel-broadwell",
}
_EPYC = re.compile(r"EPYC \d\w\w(\d)")
_EPYC_GENERATIONS = {"1": "amd-zen", "2": "amd-zen2", "3": "amd-zen3", "4": "amd-zen4"}


@cache
def _features() -> dict[str, frozenset[str]]:
    """Mode key -> all features of that generation."""
    features: dict[str, frozenset[str]] = {}
    for generations in (_INTEL, _AMD):
        have: frozenset[str] = frozenset()
        for key, added in generations:
            have = (have - _GIVEN_UP.get(key, frozenset())) | frozenset(added.split())
            features[key] = have
    return features


def is_known(key: str) -> bool:
    """Whether it is the key of one of vCenter's own modes."""
    return key in _features()


def generation_of(cpu_model: str) -> str:
    """The key of the newest mode that a processor has all features of; of an unknown one its vendor's oldest."""
    for pattern, generations in (
        (_XEON, _XEON_GENERATIONS),
        (_XEON_E, _XEON_E_GENERATIONS),
        (_EPYC, _EPYC_GENERATIONS),
    ):
        found = pattern.search(cpu_model)
        if found is not None and found[1] in generations:
            return generations[found[1]]
    return _AMD[0][0] if "AMD" in cpu_model else _INTEL[0][0]


def features_of(cpu_model: str) -> frozenset[str]:
    """The features of a processor."""
    return _features()[generation_of(cpu_model)]


def mode_of(features: Iterable[str]) -> EvcMode:
    """The mode that shows just those features: one of vCenter's own where it is one, else a custom one."""
    wanted = frozenset(features)
    key = next((key for key, have in _features().items() if have == wanted), None)
    if key is None:
        key = f"custom-{zlib.crc32(' '.join(sorted(wanted)).encode()):08x}"
    return EvcMode(key=key, masks=tuple(_mask(feature) for feature in sorted(wanted)))


def completed(mode: EvcMode) -> EvcMode:
    """``mode``, with the masks of vCenter's own mode of that key where it has none."""
    if mode.masks or not is_known(mode.key):
        return mode
    return msgspec.structs.replace(mode, masks=mode_of(_features()[mode.key]).masks)


def shown_by(mode: EvcMode) -> frozenset[str]:
    """The processor features that ``mode`` demands of hosts and shows to VMs."""
    return frozenset(
        mask.key.removeprefix(CPU) for mask in mode.masks if mask.key.startswith(CPU) and mask.value == SHOWN
    )


def lacking(cpu_model: str, mode: EvcMode) -> frozenset[str]:
    """The features that ``mode`` demands and a processor does not have."""
    return shown_by(mode) - features_of(cpu_model)


def hidden(cpu_model: str, mode: EvcMode) -> frozenset[str]:
    """The features that a processor has and ``mode`` does not show."""
    return features_of(cpu_model) - shown_by(mode)


def parts(mode: EvcMode) -> tuple[EvcMode | None, EvcMode | None]:
    """The mode's part for processors and that for graphics, each where it has masks of the kind."""
    cpu = tuple(mask for mask in mode.masks if mask.key.startswith("cpuid"))
    graphics = tuple(mask for mask in mode.masks if not mask.key.startswith("cpuid"))
    return (
        msgspec.structs.replace(mode, masks=cpu) if cpu else None,
        msgspec.structs.replace(mode, masks=graphics) if graphics else None,
    )


def _mask(feature: str) -> FeatureMask:
    return FeatureMask(key=CPU + feature, name=CPU + feature, value=SHOWN)
