"""What the files of content libraries bring to a server: what is cleaned up now and then."""

from __future__ import annotations

from resphere.libraries.cleaning import Cleaning
from resphere.libraries.pulling import Pulls
from resphere.replica.wiring import Sweep, Wiring

WIRING = Wiring(sweeps=(Sweep(Cleaning, Cleaning.clean_up), Sweep(Pulls, Pulls.tend)))
