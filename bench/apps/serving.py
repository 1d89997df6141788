"""Serves an application exactly as resphere serves its own: the same Granian, settings, certificate and lifespan."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from resphere.server.address import Address
from resphere.server.prepare import Prepared, served_certificate
from resphere.server.serve import granian
from resphere.server.settings import Settings
from resphere.server.supervisor import Beat

Loader = Callable[[Path], Any]
"""Makes the ASGI application in a worker, of the measurement's data directory."""


def main(loader: Loader) -> None:
    """Serve what the command line says: ``--port``, ``--workers`` and ``--data``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    settings = Settings(port=options.port, workers=options.workers, data_dir=options.data / "data")
    prepared = Prepared(served_certificate(settings), "", "", None)
    address = Address(settings.host, settings.host, settings.port)
    granian(settings, prepared, address).serve(target_loader=partial(load, loader, options.data), wrap_loader=False)


def load(loader: Loader, data: Path, beat: Beat) -> Any:
    """What is called in each worker process."""
    beat()
    return loader(data)
