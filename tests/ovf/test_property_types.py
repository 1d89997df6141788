"""Types of properties, told as vSphere tells them, and the values that fit."""

from __future__ import annotations

import pytest

from resphere.ovf.model import Property
from resphere.ovf.property_types import refusal, type_of


def declared(type: str, qualifiers: str = "", password: bool = False) -> Property:
    return Property(key="k", type=type, qualifiers=qualifiers, password=password, user_configurable=True)


@pytest.mark.parametrize(
    ("type", "qualifiers", "text"),
    [
        ("string", "", "string"),
        ("string", "MinLen(1) MaxLen(50)", "string(1..50)"),
        ("string", "MaxLen(50)", "string(..50)"),
        ("string", 'ValueMap{"a", "b c", "d\\"e"}', 'string["a", "b c", "d\\"e"]'),
        ("string", "Ip", "ip"),
        ("string", 'Ip("VM Network")', "ip:VM Network"),
        ("boolean", "", "boolean"),
        ("uint8", "", "int(0..255)"),
        ("sint16", "", "int(-32768..32767)"),
        ("sint32", "", "int"),
        ("uint64", "", "int(0..18446744073709551615)"),
        ("uint16", "MinValue(1) MaxValue(10)", "int(1..10)"),
        ("real32", "", "real"),
        ("real64", "MinValue(0.5) MaxValue(1.5)", "real(0.5..1.5)"),
        ("int(1..9)", "", "int(1..9)"),
        ('string["x"]', "", 'string["x"]'),
        ("password(8..)", "", "password(8..)"),
        ("ip:net", "", "ip:net"),
        ("expression", "", "expression"),
        ("vim:Thing", "", "string"),
    ],
)
def test_types_as_vsphere_tells_them(type: str, qualifiers: str, text: str) -> None:
    assert type_of(declared(type, qualifiers)).text == text


@pytest.mark.parametrize(
    ("type", "qualifiers", "value"),
    [
        ("string", "MaxLen(3)", "abc"),
        ("string", "MinLen(1)", "a"),
        ("string", 'ValueMap{"a","b"}', "b"),
        ("string", "Ip", "2001:db8::1"),
        ("boolean", "", "True"),
        ("uint8", "", "255"),
        ("sint32", "", "-7"),
        ("real32", "", "-1.5e3"),
        ("uint8", "", ""),
        ("boolean", "", ""),
        ("expression", "", "${ip:VM Network}"),
        ("uint64", "", str(2**64 - 1)),
    ],
)
def test_values_that_fit(type: str, qualifiers: str, value: str) -> None:
    assert refusal(declared(type, qualifiers), value) is None


@pytest.mark.parametrize(
    ("type", "qualifiers", "value"),
    [
        ("string", "MaxLen(3)", "abcd"),
        ("string", "MinLen(1)", ""),
        ("string", 'ValueMap{"a","b"}', "c"),
        ("string", "Ip", "host.example"),
        ("boolean", "", "yes"),
        ("uint8", "", "256"),
        ("uint8", "", "1.5"),
        ("uint8", "", "\u0661"),
        ("sint32", "", "1_000"),
        ("real32", "", "nan"),
        ("real64", "MaxValue(1.5)", "1.6"),
        ("uint64", "", str(2**64)),
    ],
)
def test_values_that_do_not_fit(type: str, qualifiers: str, value: str) -> None:
    refused = refusal(declared(type, qualifiers), value)
    assert refused is not None
    assert refused.default_message.startswith("k: must be ")


def test_a_password_is_not_told_again() -> None:
    refused = refusal(declared("string", "MinLen(8)", password=True), "secret")
    assert refused is not None
    assert "secret" not in refused.default_message
    assert "secret" not in refused.args
