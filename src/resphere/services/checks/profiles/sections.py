"""Parts of a profile that are made of sections, each kept by a function of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from resphere.contract.model import Struct
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.checks.profiles.faults import Faults

Keep: TypeAlias = Callable[[Call, Edit, Any, str], None]
"""Writes what is wanted of a section, whose name as a field is the last.

:raises VapiError: what is wrong with it.
"""
Sections: TypeAlias = Mapping[str, Keep]
"""By the field of the part that has it."""


def put_sections(sections: Sections, call: Call, edit: Edit, wanted: Struct, at: str, faults: Faults) -> None:
    """Write what is wanted; what is wrong with it becomes faults."""
    for section, keep in sections.items():
        value = getattr(wanted, section)
        if value is not None:
            with faults.of(at):
                keep(call, edit, value, f"{at}.{section}")
