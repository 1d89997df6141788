"""From a workbook of twenty thousand machines to an inventory file, beside the library reading the same file alone."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from statistics import median

from bench.result import Outcome, at_most, below, told
from bench.rounds import Effort
from bench.servers import environment, fresh

VMS, HOSTS, CLUSTERS, DATACENTERS = 20_000, 400, 20, 4
MOST_SECONDS, MOST_TIMES = 20.0, 10.0
MOST_ROUNDS = 3
WRITE = """
import sys
from pathlib import Path
from resphere.importing.writing.workbook import sheets_of, write_workbook
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.sizes import Sizes
sizes = Sizes(vms={vms}, hosts={hosts}, clusters={clusters}, datacenters={datacenters})
write_workbook(Path(sys.argv[1]), sheets_of(generate(sizes, 1)))
"""
READ = """
import sys
from python_calamine import CalamineWorkbook
book = CalamineWorkbook.from_path(sys.argv[1])
for name in book.sheet_names:
    book.get_sheet_by_name(name).to_python(skip_empty_area=False)
"""


def measure_imports(effort: Effort) -> Outcome:
    """Processor time of whole processes, which others that run do not change much."""
    folder = fresh("imports")
    folder.mkdir(parents=True, exist_ok=True)
    book, file = folder / "book.xlsx", folder / "inventory.yaml"
    sizes = {"vms": VMS, "hosts": HOSTS, "clusters": CLUSTERS, "datacenters": DATACENTERS}
    cpu_seconds("-c", WRITE.format(**sizes), book)
    alone, imported, anonymized = [], [], []
    for _ in range(min(MOST_ROUNDS, effort.rounds)):
        alone.append(cpu_seconds("-c", READ, book))
        command = ("-m", "resphere", "inventory", "import", book, file)
        imported.append(cpu_seconds(*command))
        anonymized.append(cpu_seconds(*command, "--anonymize"))
    name = f"import of a workbook, {VMS:,} VMs with all sheets"
    return Outcome(
        (
            below(f"{name}, processor time", median(imported), MOST_SECONDS, " s"),
            at_most(f"{name}, beside the library reading it alone", median(imported) / median(alone), MOST_TIMES, "x"),
            told(f"{name}, anonymized", f"{median(anonymized):.2f} s"),
        ),
        notes=(f"python-calamine alone reads the {book.stat().st_size >> 20} MiB in {median(alone):.2f} s.",),
    )


def cpu_seconds(*arguments: str | Path) -> float:
    """What a Python process takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *arguments],
        check=True,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
