"""Types of properties: read from a descriptor, told as vSphere tells them, and held against values."""

from __future__ import annotations

import math
import re
from enum import StrEnum
from ipaddress import ip_address

import msgspec

from resphere.contract.errors import message
from resphere.contract.model import LocalizableMessage
from resphere.ovf.issues import short
from resphere.ovf.model import Property

LONGEST_NUMBER = 40


class Kind(StrEnum):
    """What values of a type are."""

    STRING = "string"
    PASSWORD = "password"  # noqa: S105 - vSphere's word for a type
    INT = "int"
    REAL = "real"
    BOOLEAN = "boolean"
    IP = "ip"
    EXPRESSION = "expression"


class PropertyType(msgspec.Struct, frozen=True, kw_only=True):
    """A type. ``low`` and ``high`` bound a number, or the length of a text; ``choices`` are all values that there are;
    ``network`` is the one that an address is of."""

    kind: Kind
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    network: str = ""

    @property
    def text(self) -> str:
        """The type as vSphere tells it: ``string(1..50)``, ``string["a", "b"]``, ``int(0..255)``, ``ip:VM Network``."""
        if self.choices:
            quoted = ", ".join('"' + each.replace("\\", "\\\\").replace('"', '\\"') + '"' for each in self.choices)
            return f"{self.kind}[{quoted}]"
        if self.kind is Kind.IP and self.network:
            return f"ip:{self.network}"
        if self.low is None and self.high is None:
            return str(self.kind)
        low, high = (
            "" if each is None else f"{each:g}" if self.kind is Kind.REAL else str(int(each))
            for each in (self.low, self.high)
        )
        return f"{self.kind}({low}..{high})"


_INTEGERS = {f"uint{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)} | {
    f"sint{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 64)
}
_KINDS = {
    "string": Kind.STRING,
    "password": Kind.PASSWORD,
    "boolean": Kind.BOOLEAN,
    "real32": Kind.REAL,
    "real64": Kind.REAL,
    "real": Kind.REAL,
    "sint32": Kind.INT,
    "int": Kind.INT,
    "ip": Kind.IP,
    "expression": Kind.EXPRESSION,
}
_BOUND = re.compile(r"\b(Min|Max)(Len|Value)\s*\(\s*(-?\d{1,20}(?:\.\d{1,20})?)\s*\)", re.IGNORECASE)
_CHOICES = re.compile(r"\bValueMap\s*[{(]", re.IGNORECASE)
_CHOICE = re.compile(r'\s*,?\s*"((?:[^"\\]|\\.)*)"', re.DOTALL)
_IP = re.compile(r'\bIp\b\s*(?:\(\s*"([^"]*)"\s*\))?', re.IGNORECASE)
_VSPHERE = re.compile(r"(string|password|int|real|ip)([(\[:])(.*)", re.DOTALL)


def type_of(declared: Property) -> PropertyType:
    """The type of a property. One that is unknown takes any text, as vCenter has it."""
    word = declared.type.strip()
    if word in _INTEGERS:
        made = PropertyType(kind=Kind.INT, low=_INTEGERS[word][0], high=_INTEGERS[word][1])
    elif word in _KINDS:
        made = PropertyType(kind=_KINDS[word])
    else:
        made = _of_vsphere(word)
    return _qualified(made, declared)


def _of_vsphere(text: str) -> PropertyType:
    """A type in vSphere's words, which exporters write where DSP0243 has none for it."""
    match = _VSPHERE.fullmatch(text)
    if match is None:
        return PropertyType(kind=Kind.STRING)
    kind, sign, rest = match.groups()
    if sign == ":":
        return PropertyType(kind=Kind(kind), network=rest)
    if sign == "[":
        return PropertyType(kind=Kind(kind), choices=_choices(rest, 0))
    low, _, high = rest.removesuffix(")").partition("..")
    return PropertyType(kind=Kind(kind), low=_bound(low), high=_bound(high))


def _choices(text: str, start: int) -> tuple[str, ...]:
    """The quoted texts of a list that begins there, one after the other until something else follows."""
    found = []
    while (match := _CHOICE.match(text, start)) is not None:
        found.append(_unescaped(match[1]))
        start = match.end()
    return tuple(found)


def _bound(text: str | None) -> float | None:
    """A bound, which stays an integer where it is one: those of 64 bits are no floating point numbers."""
    try:
        return int(text) if text and len(text) <= LONGEST_NUMBER else None
    except ValueError:
        pass
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _qualified(made: PropertyType, declared: Property) -> PropertyType:
    qualifiers = declared.qualifiers
    for side, _, number in _BOUND.findall(qualifiers):
        field = "low" if side.casefold() == "min" else "high"
        made = msgspec.structs.replace(made, **{field: _bound(number)})
    choices = _CHOICES.search(qualifiers)
    if choices is not None:
        made = msgspec.structs.replace(made, choices=_choices(qualifiers, choices.end()))
    if made.kind is Kind.STRING:
        address = _IP.search(qualifiers)
        if address is not None:
            return PropertyType(kind=Kind.IP, network=address[1] or "")
        if declared.password:
            return msgspec.structs.replace(made, kind=Kind.PASSWORD, choices=())
    return made


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def refusal(declared: Property, value: str) -> LocalizableMessage | None:
    """Why a value does not fit a property; ``None`` where it does.

    An empty value leaves a property open, but for a text that must have some characters. A password is not repeated.
    """
    made = type_of(declared)
    if not value and (made.kind not in (Kind.STRING, Kind.PASSWORD) or made.choices or not made.low):
        return None
    reason = _misfit(made, value)
    if reason is None:
        return None
    shown = "the value" if made.kind is Kind.PASSWORD else short(value)
    return message("resphere.ovf.property", "{0}: must be {1}, not {2}.", short(declared.key), short(reason), shown)


def _misfit(made: PropertyType, value: str) -> str | None:
    """What a value would have to be; ``None`` where it is that."""
    if made.choices:
        return None if value in made.choices else f"one of {', '.join(made.choices)}"
    match made.kind:
        case Kind.BOOLEAN:
            return None if value.casefold() in ("true", "false") else "true or false"
        case Kind.IP:
            return None if _is_address(value) else "an IP address"
        case Kind.INT:
            number = int(value) if re.fullmatch(r"[+-]?[0-9]{1,20}", value) else None
            return _out_of_range(made, number, "an integer")
        case Kind.REAL:
            real = (
                float(value) if re.fullmatch(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", value) else None
            )
            return _out_of_range(made, real, "a number")
        case Kind.STRING | Kind.PASSWORD:
            return _out_of_range(made, len(value), "a text of so many characters")
        case Kind.EXPRESSION:
            return None


def _is_address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def _out_of_range(made: PropertyType, number: float | None, what: str) -> str | None:
    low, high = made.low, made.high
    fits = number is not None and (low is None or number >= low) and (high is None or number <= high)
    if fits:
        return None
    if low is None and high is None:
        return what
    return f"{what} from {'any' if low is None else low} to {'any' if high is None else high}"
