from __future__ import annotations

from pathlib import Path

import pytest

from resphere.limits.classes import OperationClass
from resphere.limits.policy import DEFAULT, Concurrency, Party, RateRule
from resphere.server.limit_file import LimitsError, read_limits

WHOLE = """
rates:
  - {per: user, class: write, per_second: 20, burst: 50}
  - {per: address, operation: com.vmware.vcenter.vm.*, per_second: 0.5, burst: 1, name: slow}
concurrency: {per_user: 10, total: 100}
logins: {free: 3, longest_seconds: 30}
"""


def read(folder: Path, text: str) -> object:
    file = folder / "limits.yaml"
    file.write_text(text)
    return read_limits(file)


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "limits.yaml").write_text(WHOLE)
    policy = read_limits(tmp_path / "limits.yaml")
    assert policy.rates == (
        RateRule(per=Party.USER, class_=OperationClass.WRITE, per_second=20, burst=50),
        RateRule(per=Party.ADDRESS, operation="com.vmware.vcenter.vm.*", per_second=0.5, burst=1, name="slow"),
    )
    assert [rule.title for rule in policy.rates] == ["user-write", "slow"]
    assert policy.concurrency == Concurrency(per_user=10, total=100)
    assert (policy.logins.free, policy.logins.longest_seconds) == (3, 30)


def test_what_a_file_leaves_out_is_as_by_default(tmp_path: Path) -> None:
    assert read(tmp_path, "concurrency: {total: 700}\n") == type(DEFAULT)(concurrency=Concurrency(total=700))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "the file must have keys with values"),
        ("rates: [", "this is not YAML"),
        ("rate: []", "there is no key rate; did you mean rates"),
        ("rates: {}", "Expected `array`, got `object` - at `$.rates`"),
        ("rates: [3]", "rates[0] must have keys with values"),
        ("rates: [{per: user, clas: read}]", "there is no key clas in rates[0]; did you mean class"),
        ("rates: [{per: user, class: read, burst: 5}]", "missing required field `per_second` - at `$.rates[0]`"),
        ("rates: [{per: nobody, per_second: 1, burst: 1}]", "Invalid enum value 'nobody' - at `$.rates[0].per`"),
        ("rates: [{per: user, class: red, per_second: 1, burst: 1}]", "Invalid enum value 'red'"),
        ("rates: [{per: user, per_second: 0, burst: 1}]", "per_second must be from one a day"),
        ("rates: [{per: user, per_second: many, burst: 1}]", "Expected `float`, got `str`"),
        (
            "rates: [{per: user, per_second: 1, burst: 0}]",
            "burst must be from 1 to 1,000,000,000, not 0 - at `$.rates[0]`",
        ),
        ("rates: [{per: user, per_second: 1, burst: 1.5}]", "Expected `int`, got `float`"),
        ("rates: [{per: user, per_second: 1, burst: 90000}]", "takes more than a day to come back"),
        ("rates: [{per: user, per_second: 1, burst: 1, name: A b}]", "name must be lower-case letters"),
        (
            "rates: [{per: user, per_second: 1, burst: 1}, {per: user, per_second: 2, burst: 2}]",
            "rates[1]: there is a rule user-all already, rates[0]; name one of them",
        ),
        (
            "rates: [{per: user, operation: com.vmware.vcenter.vms.list, per_second: 1, burst: 1}]",
            "rates[0]: no operation fits com.vmware.vcenter.vms.list",
        ),
        (
            "rates: [{per: user, operation: '*.list', class: login, per_second: 1, burst: 1}]",
            "rates[0]: no operation that fits *.list is of the class login",
        ),
        (
            "rates: [{per: session, class: login, per_second: 1, burst: 1}]",
            "rates[0]: a login has no session yet; count logins by user or address",
        ),
        ("concurrency: 5", "concurrency must have keys with values"),
        ("concurrency: {per_users: 5}", "there is no key per_users in concurrency; did you mean per_user"),
        ("concurrency: {per_user: 0}", "per_user must be from 1 to 1,000,000, not 0 - at `$.concurrency`"),
        ("concurrency: {per_user: 700}", "per_user must not be more than total, 640, not 700"),
        ("concurrency: {waiting: 10}", "waiting_per_user must not be more than waiting, 10"),
        ("logins: {free: 0}", "free must be from 1 to 1,000,000, not 0 - at `$.logins`"),
        ("logins: {first_seconds: 0}", "first_seconds must be from 0.001 to 86400, not 0"),
        ("logins: {first_seconds: 90}", "first_seconds must not be more than longest_seconds, 60"),
        ("logins: {forget_seconds: 30}", "forget_seconds must not be less than longest_seconds, 60"),
        ("logins: {at_once: 2}", "at_once_per_address must not be more than at_once, 2"),
        ("logins: {waiting: 2}", "waiting_per_address must not be more than waiting, 2"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(LimitsError) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(f"file of limits {tmp_path}/limits.yaml: ")
    assert words in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LimitsError, match="No such file"):
        read_limits(tmp_path / "none.yaml")
