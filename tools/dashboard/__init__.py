"""Writes the dashboard for Grafana: ``python -m tools.dashboard``, which is part of ``make docs``."""
