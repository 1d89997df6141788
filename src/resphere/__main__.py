"""``python -m resphere``."""

from __future__ import annotations

import sys

from resphere.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
