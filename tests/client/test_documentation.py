"""The Python that ``docs/client.md`` shows does what it is shown for, in the order of the page."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.server import PASSWORD, Server, clean_environment

PAGE = Path(__file__).parents[2] / "docs" / "client.md"


def test_the_page_runs(shared_server: Server, tmp_path: Path) -> None:
    code = "\n".join(re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))
    (tmp_path / "resphere-data" / "tls").mkdir(parents=True)
    (tmp_path / "resphere-data" / "admin-password").write_text(f"{PASSWORD}\n")
    shutil.copy(shared_server.ca, tmp_path / "resphere-data" / "tls")
    program = code.replace("https://127.0.0.1:8443", shared_server.url)
    assert program != code
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program + "client.close()\n"],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for words in ("No such machine: ", "SUCCEEDED 100 %", "administrator@vsphere.local", "'web-001'"):
        assert words in done.stdout
