"""Settings that say what an empty store is filled with, at later starts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from resphere.inventory.installation import INSTALLATION, ONLY, Installation
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.server.address import Address
from resphere.server.first_start import INVENTORY, NAMES
from resphere.server.prepare import Filled, Prepared, banner, fill, prepare
from resphere.server.settings import Settings, flag, from_strings
from resphere.store.engines import open_store

SIZES = {"seed": "2", "datacenters": "1", "clusters": "1", "hosts": "2", "vms": "3"}
OTHERS = {"seed": "4", "datacenters": "2", "clusters": "2", "hosts": "4", "vms": "4"}
FILE = "datacenters: [{name: one}]\n"


def start(folder: Path, given: Mapping[str, str]) -> Filled:
    """What a start with these flags makes of the store in ``folder``."""
    return asyncio.run(fill(from_strings({"data_dir": str(folder), **given}), "secret"))


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A data directory that was filled by sizes."""
    folder = tmp_path / "data"
    folder.mkdir()
    assert start(folder, SIZES).made is not None
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "inventory.yaml"
    file.write_text(FILE)
    return file


@pytest.fixture
def from_file(tmp_path: Path, file: Path) -> Path:
    """A data directory that was filled from a file."""
    folder = tmp_path / "data"
    folder.mkdir()
    assert start(folder, {INVENTORY: str(file)}).made is not None
    return folder


def test_they_are_those_of_the_inventory() -> None:
    assert {*NAMES} == {*SIZES, INVENTORY}


@pytest.mark.parametrize("given", [SIZES, {}, *({name: value} for name, value in SIZES.items())], ids=str)
def test_the_same_again_and_none_at_all_go_on(filled: Path, given: dict[str, str]) -> None:
    assert start(filled, given) == Filled()


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("others", [False, True])
def test_another_size_is_refused_with_what_is_there(filled: Path, name: str, others: bool) -> None:
    # One that is the default of the setting, too: what counts is that it was given.
    for value in {OTHERS[name], str(getattr(Settings(), name))} - {SIZES[name]}:
        with pytest.raises(ValueError, match=rf"^{flag(name)} {value}: {filled} was filled at its first start") as told:
            start(filled, {**(SIZES if others else {}), name: value})
        assert "by --seed 2 --datacenters 1 --clusters 1 --hosts 2 --vms 3, and keeps" in str(told.value)


def test_a_file_after_sizes_is_refused(filled: Path, file: Path) -> None:
    with pytest.raises(ValueError, match=rf"^--inventory {file}: .* by --seed 2 --datacenters 1 "):
        start(filled, {INVENTORY: str(file)})


def test_sizes_after_a_file_are_refused(from_file: Path, file: Path) -> None:
    with pytest.raises(ValueError, match=rf"^--vms 3: .* by --inventory {file} as that file was then, and keeps"):
        start(from_file, {"vms": "3"})


def test_a_file_counts_by_its_content(from_file: Path, file: Path) -> None:
    assert start(from_file, {INVENTORY: str(file)}) == start(from_file, {}) == Filled()
    copy = file.rename(file.with_name("renamed.yaml"))
    assert start(from_file, {INVENTORY: str(copy)}) == Filled()
    # Gone: the same command goes on, another does not.
    assert start(from_file, {INVENTORY: str(file)}) == Filled()
    with pytest.raises(FileNotFoundError, match=r"nowhere\.yaml"):
        start(from_file, {INVENTORY: str(file.with_name("nowhere.yaml"))})
    file.write_text(FILE.replace("one", "two"))
    with pytest.raises(ValueError, match=rf"^--inventory {file}: .* by --inventory {file} as that file was then"):
        start(from_file, {INVENTORY: str(file)})


@pytest.mark.parametrize("noted", [False, True])
def test_what_an_earlier_release_filled_is_kept_and_told(filled: Path, noted: bool) -> None:
    async def forget() -> None:
        store = await open_store(Settings(data_dir=filled).store_url)
        replica = Replica(store, (INSTALLATION,))
        await replica.load()
        installation = replica.get(Installation, ONLY)
        assert installation is not None

        def plan(edit: Edit) -> None:
            if noted:
                edit.put(msgspec.structs.replace(installation, first_start=None))
            else:
                edit.delete(Installation, ONLY)

        await replica.change(plan)
        await store.close()

    asyncio.run(forget())
    assert start(filled, {}) == Filled()
    seen = start(filled, {"vms": "500", "seed": "1"})
    assert seen == Filled(unheeded=("--seed", "--vms"))
    lines = banner(Settings(), Prepared(None, "", "", None, seen), Address("127.0.0.1", "127.0.0.1", 1))
    assert "  inventory as an earlier release filled it; --seed, --vms changed nothing" in lines


@pytest.mark.parametrize("name", SIZES)
def test_a_file_and_sizes_do_not_go_together(name: str, file: Path) -> None:
    with pytest.raises(ValueError, match=rf"^{flag(name)} makes no sense with --inventory"):
        from_strings({INVENTORY: str(file), name: SIZES[name]})


def test_a_provider_that_has_machines_of_its_own_is_given_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^--vms makes no sense with --provider processes"):
        prepare(from_strings({"data_dir": str(tmp_path / "data"), "provider": "processes", "vms": "3"}))
    with pytest.raises(ValueError, match=r"^--provider must be one of"):
        prepare(from_strings({"data_dir": str(tmp_path / "data"), "provider": "nobody"}))
    settings = {"provider": "processes", "hosts": "2"}
    assert start(tmp_path, settings).made is not None
    assert start(tmp_path, settings) == Filled()
