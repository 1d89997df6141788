"""Secrets in addresses: where they stand, and that logs do not show them."""

from __future__ import annotations

import pytest

from resphere.contract.extensions import OPERATIONS
from resphere.contract.lookup import all_operations
from resphere.contract.secrecy import masked, secret_parameters

SECRET = "cst-VCT-0123--tp-AB"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"/ticket/{SECRET}", "/ticket/*"),
        (f"//ticket//{SECRET}/", "//ticket//*/"),
        (f"/%74icket/{SECRET}", "/%74icket/*"),
        (f"/ticket/{SECRET}/more", "/ticket/*/more"),
        (f"/ticket/%41{SECRET}", "/ticket/*"),
        ("/api/vcenter/vm/ticket", "/api/vcenter/vm/ticket"),
        ("/", "/"),
        ("", ""),
        ("//", "//"),
    ],
)
def test_what_logs_show(path: str, shown: str) -> None:
    assert masked(path) == shown


def test_no_operation_of_vcenter_s_has_a_secret_in_its_address() -> None:
    own = set(OPERATIONS)
    for operation in all_operations():
        if operation.id in own:
            continue
        for route in (operation.api, operation.rest):
            names = secret_parameters(operation) if route else ()
            assert not any(f"{{{name}}}" in route.path for name in names if route), operation.id
