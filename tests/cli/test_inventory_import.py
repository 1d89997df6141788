"""``resphere inventory import`` and ``export --form rvtools``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resphere.cli.main import main
from resphere.inventory.model import Cluster, Host, VirtualMachine
from resphere.server.exports.file import read_file
from tests.support.cli import resphere
from tests.support.workbooks import book, by_openpyxl, read


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    return by_openpyxl(tmp_path / "book.xlsx", book())


def test_a_file_and_a_report(workbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, report = tmp_path / "inventory.yaml", tmp_path / "report.json"
    assert main(["inventory", "import", str(workbook), str(file), "--report", str(report)]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "resphere: made: 1 datacenter, 2 cluster, 4 host" in told.err
    assert {item.id for item in read_file(file)} == {item.id for item in read(workbook)[0]}
    plain = json.loads(report.read_text())
    assert plain["made"]["virtual_machine"] == 3
    assert plain["faults"] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.xlsx", "inventory.yaml", "report.json"]


def test_standard_output_is_an_inventory(workbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inventory", "import", str(workbook)]) == 0
    (tmp_path / "it.yaml").write_text(capsys.readouterr().out, encoding="utf-8")
    assert any(isinstance(item, Cluster) for item in read_file(tmp_path / "it.yaml"))
    # And such a file is a source, too.
    assert main(["inventory", "import", str(tmp_path / "it.yaml"), "--anonymize", "--seed", "s"]) == 0
    assert "corp.test" not in "".join(capsys.readouterr())


def test_a_refusal_writes_nothing_but_its_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = book()
    content["vInfo"][0]["Host"] = "esx7.corp.test"
    content["vDisk"][0]["Capacity MiB"] = "much"
    path = by_openpyxl(tmp_path / "book.xlsx", content)
    file, report = tmp_path / "inventory.yaml", tmp_path / "report.json"
    file.write_text("as before", encoding="utf-8")
    assert main(["inventory", "import", str(path), str(file), "--report", str(report)]) == 1
    told = capsys.readouterr()
    assert told.err.startswith(f"resphere: {path}: ")
    assert "vInfo row 2, column Host: the host esx7.corp.test is not in vHost" in told.err
    assert "vDisk row 2, column Capacity MiB: must be a number of MiB" in told.err
    assert file.read_text() == "as before"
    assert json.loads(report.read_text())["fault_count"] == 2
    content["vDisk"][0]["Capacity MiB"] = 1
    assert main(["inventory", "import", str(by_openpyxl(path, content)), str(file), "--lax"]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["{book}", "out.yaml", "--into", "dir"],
            "either a file is written, or a data directory is filled (--into), not both",
        ),
        (["{book}", "--seed", "s"], "--seed: is for --anonymize"),
        (["{book}", "--into", "{folder}"], "is not empty; an import begins a new data directory"),
        (["no-such-file.xlsx"], "no-such-file.xlsx: there is no such file or folder"),
        (["{folder}/empty"], "has no CSV files"),
        (["{book}", "--form", "yaml"], "is not UTF-8"),
        (["{book}", "--vcenter", "other"], "no vCenter has the name or UUID 'other'; there are vc.corp.test"),
    ],
)
def test_calls_that_are_refused(
    arguments: list[str], words: str, workbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    given = [each.format(book=workbook, folder=tmp_path) for each in arguments]
    assert main(["inventory", "import", *given]) == 1
    assert words in capsys.readouterr().err


def test_into_a_data_directory_and_out_again(workbook: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = resphere("inventory", "import", str(workbook), "--into", str(data))
    assert done.returncode == 0, done.stderr
    assert f"start it: resphere serve --data-dir {data}" in done.stderr
    assert (data / "admin-password").is_file()
    again = tmp_path / "again.xlsx"
    done = resphere("inventory", "export", "--data-dir", str(data), "--form", "rvtools", str(again))
    assert done.returncode == 0, done.stderr
    assert "left out: the branches of snapshot trees" in done.stderr
    first, second = read(workbook)[0], read(again)[0]
    for kind in (VirtualMachine, Host, Cluster):
        ids = [{item.id for item in documents if isinstance(item, kind)} for documents in (first, second)]
        assert ids[0] == ids[1] != set()


def test_a_workbook_needs_a_file(tmp_path: Path) -> None:
    done = resphere("inventory", "export", "--data-dir", str(tmp_path), "--form", "rvtools")
    assert (done.returncode, done.stdout) == (1, "")
    assert "needs a file to write" in done.stderr
