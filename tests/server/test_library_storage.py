"""Settings of where the files of content libraries lie."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from resphere.server import library_storage
from resphere.server.prepare import fill
from resphere.server.settings import Settings


def test_what_speaks_to_buckets_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str) -> Any:
        raise ModuleNotFoundError(name="botocore.config")

    monkeypatch.setattr(library_storage, "import_module", without)
    with pytest.raises(ValueError, match=r"--library-storage needs botocore: pip install 'resphere\[s3\]'"):
        asyncio.run(fill(Settings(data_dir=tmp_path, library_storage="s3://images"), "secret"))
