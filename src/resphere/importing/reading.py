"""What a source is, and the documents in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import TypeAlias

from resphere.client import ClientError
from resphere.contract.errors import VapiError
from resphere.importing.building.build import KINDS, build
from resphere.importing.report import ImportFault, Report
from resphere.importing.sources.files import read_tables
from resphere.importing.sources.govc import read_govc
from resphere.importing.sources.live import Caller, read_live
from resphere.importing.sources.rvtools import read_rvtools
from resphere.replica.table import Stored
from resphere.server.exports.file import read_file


class Form(Enum):
    """What a source may be."""

    RVTOOLS = "rvtools"
    YAML = "yaml"
    GOVC = "govc"


Documents: TypeAlias = tuple[Stored, ...]


def form_of(path: Path) -> Form:
    """What a file or folder is, by its name and content.

    :raises ImportFault: it is not there, or none of them.
    """
    if not path.exists():
        raise ImportFault([f"{path}: there is no such file or folder"])
    if path.is_dir():
        return Form.GOVC if any(path.glob("*.xml")) else Form.RVTOOLS
    if path.suffix.lower() in (".yaml", ".yml"):
        return Form.YAML
    return Form.RVTOOLS


def read_path(path: Path, form: Form, report: Report, vcenter: str | None = None) -> Documents:
    """The documents of a file or folder, sound and whole.

    :raises ImportFault: it cannot be used; has all that was found.
    :raises InventoryFileError: the same, of an inventory file.
    """
    return _READERS[form](path, report, vcenter)


def read_server(caller: Caller, report: Report) -> Documents:
    """The documents of a vCenter that answers.

    :raises ImportFault: it does not, refuses, or tells what cannot be.
    """
    try:
        rows = read_live(caller, report)
    except (VapiError, ClientError) as error:
        raise ImportFault([f"{report.source}: {error}"]) from error
    return build(rows, report)


def _rvtools(path: Path, report: Report, vcenter: str | None) -> Documents:
    return build(read_rvtools(read_tables(path, report), report, vcenter), report)


def _yaml(path: Path, report: Report, vcenter: str | None) -> Documents:
    if vcenter is not None:
        raise ImportFault([f"{path}: is an inventory file, which has one vCenter only: --vcenter chooses nothing"])
    documents = read_file(path)
    counts = Counter(document.kind for document in documents)
    report.made({kind: counts[kind] for kind in (*KINDS, *sorted({*counts} - {*KINDS}))})
    return documents


def _govc(path: Path, report: Report, vcenter: str | None) -> Documents:
    if vcenter is not None:
        raise ImportFault([f"{path}: has the objects of one vCenter only: --vcenter chooses nothing"])
    return build(read_govc(path, report), report)


_READERS: Mapping[Form, Callable[[Path, Report, str | None], Documents]] = {
    Form.RVTOOLS: _rvtools,
    Form.YAML: _yaml,
    Form.GOVC: _govc,
}
