"""What every test module shares."""

from __future__ import annotations

from hypothesis import settings

# No deadline: a test never asserts a time. Derandomised, no database: the same run
# everywhere, with any number of workers.
settings.register_profile("resphere", deadline=None, derandomize=True, database=None)
settings.load_profile("resphere")
