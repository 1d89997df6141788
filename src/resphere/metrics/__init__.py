"""Counts of all workers of a server: where they are counted, and how they are told to Prometheus."""
