"""What the files of content libraries bring to a server: what is cleaned up now and then."""

from __future__ import annotations

from resphere.libraries.files import LibraryFiles
from resphere.libraries.pulling import Pulls
from resphere.replica.wiring import Sweep, Wiring

WIRING = Wiring(sweeps=(Sweep(LibraryFiles, LibraryFiles.clean_up), Sweep(Pulls, Pulls.tend)))
