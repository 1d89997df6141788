"""Makes what is kept of a form: its description, and the data directory of a server of that form.

The server is run for it, given something of everything, and killed while it works.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.forms.dump import dumped
from tools.forms.fill import Filler

PASSWORD = "kept"  # noqa: S105 - of kept test data
SIZES = ("--datacenters", "1", "--clusters", "1", "--hosts", "2", "--vms", "4")
KEY = "secrets.key"
LASTING = "relocate_vm: 86400\nreboot_guest: 86400\n"
"""What is under way when the server is killed."""


@contextmanager
def running(data_dir: Path, source: Path, *flags: str) -> Iterator[str]:
    """A server of the release whose modules are in ``source``; gives its URL. It is killed in the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-B", "-W", "ignore", "-m", "resphere", "serve", "--no-tls", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--data-dir", str(data_dir), *SIZES, *flags],
        env={**os.environ, "PYTHONPATH": str(source), "RESPHERE_ADMIN_PASSWORD": PASSWORD},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        if not any("/api/vcenter/vm" in line for line in process.stdout):
            raise RuntimeError("the server did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def keep_data(folder: Path, source: Path, *, lasting: bool) -> list[str]:
    """Keep the data directory of a release; ``lasting``: with work that is under way. Returns what it refused."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        data_dir, durations = Path(made) / "data", Path(made) / "durations.yaml"
        durations.write_text(LASTING)
        flags = ("--durations", str(durations), "--webhook-to", "127.0.0.1") if lasting else ()
        with running(data_dir, source, *flags) as url:
            filler = Filler(url, PASSWORD)
            filler.fill()
            if lasting:
                filler.begin_work()
        (folder / "data.sql").write_text(dumped(data_dir / "resphere.db"))
        if (data_dir / KEY).exists():
            (folder / KEY).write_bytes((data_dir / KEY).read_bytes())
    return filler.refused
