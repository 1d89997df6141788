"""``python -m tools.site``: make the documentation a site, in ``build/site``."""

from __future__ import annotations

import sys

from tools.site.build import OUTPUT, ROOT, BadSite, build


def main() -> int:
    """Build it; 1 where a link leads nowhere, or something else is wrong."""
    try:
        build()
    except BadSite as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{OUTPUT.relative_to(ROOT)}/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
