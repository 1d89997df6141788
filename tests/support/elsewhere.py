"""``python -m tests.support.elsewhere`` is ``resphere`` as on a system that tells nothing of connections."""

from __future__ import annotations

import runpy

from resphere.server.connections import sockets

sockets.AVAILABLE = False

if __name__ == "__main__":
    runpy.run_module("resphere", run_name="__main__")
