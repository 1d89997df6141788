"""An inventory file as a whole: written of documents, and read back to the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from resphere.inventory.customization import CustomizationItem, GuestCustomization
from resphere.inventory.model import ManagedObject
from resphere.providers.simulator.inventory_faults import InventoryFileError
from resphere.providers.simulator.inventory_file import inventory_parts, parse_draft
from resphere.providers.simulator.inventory_yaml import dump
from resphere.replica.table import Stored
from resphere.server.exports.sections import Documents, Reading
from resphere.server.exports.tables import LEFT_OUT, ON_DISKS, SECTIONS
from resphere.server.wiring import WIRING
from resphere.services.vcenter.guest.documents import without_secrets

_TITLE = "The inventory of a vCenter, for resphere serve --inventory FILE."
_BLANK = "Passwords in customization specifications are blank; scripts and answer files in them stand as they are."
_PLAIN = "PASSWORDS in customization specifications stand here as plain text: keep it to yourself."


def file_parts(documents: Iterable[Stored], *, passwords: bool = False) -> Iterator[str]:
    """The documents as YAML text, in parts: equal ones give equal text. Such as no file has must not be among them.

    ``passwords``: those of customization specifications too, which are blank otherwise.
    """
    documents = list(documents)
    yield from (f"# {line}\n" for line in (_TITLE, _PLAIN if passwords else _BLANK, "Not in it:"))
    yield from (f"# - {left.what}: {left.why}\n" for left in (*LEFT_OUT.values(), ON_DISKS))
    yield from inventory_parts(each for each in documents if isinstance(each, ManagedObject))
    kept = Documents(documents if passwords else map(_blank, documents))
    for section in SECTIONS:
        for index, entry in enumerate(section.write(kept)):
            yield (f"{section.name}:\n" if index == 0 else "") + dump([entry])


def _blank(document: Stored) -> Stored:
    if isinstance(document, CustomizationItem | GuestCustomization) and document.spec is not None:
        return msgspec.structs.replace(document, spec=without_secrets(document.spec))
    return document


def read_file(path: Path) -> tuple[Stored, ...]:
    """The documents of a file: managed objects by rising number, then the rest section by section.

    :raises InventoryFileError: it cannot be used; tells every fault that was found.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InventoryFileError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise InventoryFileError([f"{path}: is not UTF-8: {error.reason} at byte {error.start}"]) from None
    return parse_file(text, str(path))


def parse_file(text: str, source: str) -> tuple[Stored, ...]:
    """The documents of YAML text; messages name ``source``.

    :raises InventoryFileError: as :func:`read_file`.
    """
    draft, objects = parse_draft(text, source, {section.name: section.fields for section in SECTIONS})
    reading = Reading(draft, objects, {table.cls: table for table in WIRING.tables})
    further: list[Stored] = []
    for section in SECTIONS:
        further += reading.read(section)
        # What refers to an entry that is wrong would only repeat that.
        draft.faults.raise_any()
    return (*objects, *further)
