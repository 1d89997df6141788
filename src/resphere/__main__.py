"""``resphere`` and ``python -m resphere``."""

from __future__ import annotations

import gc
import sys

# What is loaded stays: looking through it for garbage meanwhile takes a sixth of the time.
gc.disable()
from resphere.cli.main import main  # noqa: E402

gc.freeze()
gc.enable()

if __name__ == "__main__":
    sys.exit(main())
