from __future__ import annotations

import pytest

from resphere.contract.generated import cis, vcenter, vcenter_vm
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation
from resphere.limits.addresses import counted_address
from resphere.limits.classes import RULES, OperationClass, class_of, fits
from resphere.limits.policy import DEFAULT, Party, RateRule

BY_ID = {operation.id: operation for operation in all_operations()}


@pytest.mark.parametrize(
    ("operation", "of"),
    [
        ("com.vmware.cis.session.create", OperationClass.LOGIN),
        ("com.vmware.vcenter.tokenservice.token_exchange.exchange", OperationClass.LOGIN),
        ("com.vmware.cis.session.get", OperationClass.READ),
        ("com.vmware.vcenter.VM.list", OperationClass.READ),
        ("com.vmware.cis.tagging.tag_association.list_attached_tags", OperationClass.READ),
        ("com.vmware.vcenter.vm.guest.processes.list", OperationClass.READ),
        ("com.vmware.vcenter.VM.create", OperationClass.WRITE),
        ("com.vmware.vcenter.VM.clone$task", OperationClass.WRITE),
        ("com.vmware.vcenter.vm.power.start", OperationClass.WRITE),
        ("com.vmware.content.library.item.download_session.delete", OperationClass.WRITE),
        ("com.vmware.cis.tagging.tag_association.attach_tag_to_multiple_objects", OperationClass.BULK),
        ("com.vmware.cis.tagging.tag_association.list_attached_tags_on_objects", OperationClass.BULK),
        ("com.vmware.vstats.data.query_data_points", OperationClass.BULK),
        ("resphere.vcenter.vm.guest.transfers.upload", OperationClass.BULK),
        ("resphere.openapi.get", OperationClass.BULK),
        ("resphere.limits.get", OperationClass.READ),
    ],
)
def test_classes(operation: str, of: OperationClass) -> None:
    assert class_of(BY_ID[operation]) is of


def method(operation: AnyOperation) -> str | None:
    route = operation.api or operation.rest
    return route.method if route else None


def test_what_changes_or_removes_something_is_no_read() -> None:
    reads = [operation for operation in BY_ID.values() if class_of(operation) is OperationClass.READ]
    assert {method(operation) for operation in reads} <= {"GET", "POST", None}
    assert len(reads) > 700


def test_every_rule_of_the_table_is_needed() -> None:
    """But for long polls, of which the contract has none yet."""
    for rule in RULES:
        fitting = [
            operation
            for operation in BY_ID.values()
            if class_of(operation) is rule.of and fits(operation, rule.operations)
        ]
        assert fitting or rule.of is OperationClass.LONG_POLL, rule


def test_a_rule_counts_by_class_and_pattern() -> None:
    rule = RateRule(
        per=Party.USER, class_=OperationClass.WRITE, operation="com.vmware.vcenter.vm.*", per_second=1, burst=1
    )
    assert rule.counts(vcenter_vm.Power.start)
    assert not rule.counts(vcenter_vm.Power.get)
    assert not rule.counts(vcenter.VM.create)
    assert not rule.counts(None)


def test_what_means_no_operation_is_a_read() -> None:
    assert RateRule(per=Party.ADDRESS, per_second=1, burst=1).counts(None)
    assert RateRule(per=Party.ADDRESS, class_=OperationClass.READ, per_second=1, burst=1).counts(None)
    assert not RateRule(per=Party.ADDRESS, class_=OperationClass.LOGIN, per_second=1, burst=1).counts(None)
    assert not RateRule(per=Party.ADDRESS, operation="com.vmware.*", per_second=1, burst=1).counts(None)


def test_defaults_count_logins_writes_and_everything() -> None:
    counted = {
        operation.id: [rule.title for rule in DEFAULT.rates if rule.counts(operation)]
        for operation in (cis.Session.create, vcenter.VM.list, vcenter.VM.create)
    }
    assert counted == {
        "com.vmware.cis.session.create": ["address-all", "address-login"],
        "com.vmware.vcenter.VM.list": ["address-all"],
        "com.vmware.vcenter.VM.create": ["address-all", "user-write"],
    }


@pytest.mark.parametrize(
    ("client", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_addresses(client: str, counted: str) -> None:
    assert counted_address(client) == counted
