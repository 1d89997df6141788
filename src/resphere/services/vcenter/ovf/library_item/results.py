"""How deployments and captures end that are no errors of HTTP: with lists of what was wrong and what is ignored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import msgspec

from resphere.contract.errors import VapiError
from resphere.contract.generated.vcenter_ovf import LibraryItem as Contract
from resphere.contract.generated.vcenter_ovf import OvfError, OvfMessage, OvfWarning, ParseIssue
from resphere.contract.mentions import told
from resphere.contract.model import Dynamic
from resphere.ovf.issues import BadInput, BadPackage
from resphere.services.call import Call

Category = OvfMessage.Category


def result_info(errors: Iterable[OvfError] = (), warnings: Iterable[OvfWarning] = ()) -> Contract.ResultInfo:
    """All of it; a success has empty lists of errors and information (vCenter 7.0, ``deploy``)."""
    return Contract.ResultInfo(errors=tuple(errors), warnings=tuple(warnings), information=())


def errors_of(call: Call, failure: BadPackage | BadInput | VapiError) -> tuple[OvfError, ...]:
    """Why it did not succeed, for the caller: the package is wrong, or a value, or the server refuses."""
    if isinstance(failure, BadPackage):
        return (OvfError(category=Category.VALIDATION, issues=issues_for(call, failure.issues)),)
    if isinstance(failure, BadInput):
        return tuple(
            [
                OvfError(
                    category=Category.INPUT,
                    name=each.name,
                    value=each.value,
                    message=told(each.message, call.knows),
                )
                for each in failure.issues
            ]
        )
    return (OvfError(category=Category.SERVER, error=cast(Dynamic, failure.value(call.knows))),)


def warnings_of(call: Call, issues: Iterable[ParseIssue]) -> tuple[OvfWarning, ...]:
    """What is ignored of a package."""
    found = issues_for(call, issues)
    return (OvfWarning(category=Category.VALIDATION, issues=found),) if found else ()


def issues_for(call: Call, issues: Iterable[ParseIssue]) -> tuple[ParseIssue, ...]:
    """Issues as the caller reads them."""
    return tuple([msgspec.structs.replace(each, message=told(each.message, call.knows)) for each in issues])
