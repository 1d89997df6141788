"""YAML text of an inventory -> plain values, and back.

Every scalar is read as text, whether quoted or not: what it means follows from the field's type, never from YAML's
guesses, which take `on` for true, `8.0` for a number and `12:30:45` for 45045 seconds.
"""

from __future__ import annotations

from resphere.providers.simulator.inventory_emit import emit
from resphere.providers.simulator.inventory_faults import InventoryFileError
from resphere.yaml_text import Document, YamlFault, read

__all__ = ["dump", "parse"]


def dump(value: object) -> str:
    """YAML text of lists, dictionaries (in their order), text, numbers and booleans."""
    return emit(value)


def parse(text: str, source: str) -> Document:
    """The one document in `text`. Raises InventoryFileError, naming `source`, where it is not YAML."""
    try:
        return read(text)
    except YamlFault as fault:
        line = f":{fault.line}" if fault.line is not None else ""
        raise InventoryFileError([f"{source}{line}: {fault}"]) from None
