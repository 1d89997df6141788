"""What offline commands share: the store of a data directory."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from resphere.server.settings import Settings, variable


def add_data_dir(to: argparse.ArgumentParser) -> None:
    """The flag that says where the data are."""
    default = os.environ.get(variable("data_dir"), str(Settings().data_dir))
    to.add_argument(
        "--data-dir", type=Path, default=Path(default), help=f"where the server keeps its data (default: {default})"
    )


def database(options: argparse.Namespace) -> Path:
    """The store's file.

    :raises ValueError: there is none.
    """
    path = Settings(data_dir=options.data_dir).database
    if not path.exists():
        raise ValueError(f"{options.data_dir} holds no data of a server; --data-dir says where they are")
    return path
