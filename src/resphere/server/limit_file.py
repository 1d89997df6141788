"""The file of limits, as people write it: see :class:`~resphere.limits.policy.Policy`."""

from __future__ import annotations

import fnmatch
from pathlib import Path

import msgspec

from resphere.contract.lookup import all_operations, operation_ids
from resphere.limits.classes import OperationClass
from resphere.limits.policy import Concurrency, Logins, Party, Policy, RateRule
from resphere.nearest import meant
from resphere.server.keys import require_keys
from resphere.yaml_text import YamlFault, read_file


class LimitsError(ValueError):
    """The file of limits cannot be used; the message says what is wrong and where."""


def read_limits(path: Path) -> Policy:
    """The limits of a YAML file.

    :raises LimitsError: unreadable, not YAML, or against the form; names the place.
    """
    try:
        given = read_file(path.read_bytes())
        require_keys(given, Policy)
        assert isinstance(given, dict)
        for section, of in (("concurrency", Concurrency), ("logins", Logins)):
            if section in given:
                require_keys(given[section], of, section)
        rates = given.get("rates")
        for place, rule in enumerate(rates if isinstance(rates, list) else ()):
            require_keys(rule, RateRule, f"rates[{place}]")
        policy = msgspec.convert(given, Policy)
        for place, each in enumerate(policy.rates):
            require_effect(each, f"rates[{place}]")
    except OSError as error:
        raise LimitsError(f"file of limits {path}: {error.strerror}") from error
    except (YamlFault, ValueError) as error:
        raise LimitsError(f"file of limits {path}: {error}") from error
    return policy


def require_effect(rule: RateRule, place: str) -> None:
    """Refuse a rule that counts no call.

    :raises ValueError: it does not.
    """
    if rule.operation == "*" and rule.class_ is None:
        return
    if rule.per is Party.SESSION and rule.class_ is OperationClass.LOGIN:
        raise ValueError(f"{place}: a login has no session yet; count logins by user or address")
    known = tuple(operation_ids())
    fitting = fnmatch.filter(known, rule.operation)
    if not fitting:
        raise ValueError(f"{place}: no operation fits {rule.operation}{meant(rule.operation, known)}")
    if not any(rule.counts(operation) for operation in all_operations()):
        raise ValueError(f"{place}: no operation that fits {rule.operation} is of the class {rule.class_}")
