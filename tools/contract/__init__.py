"""Generates ``src/resphere/contract/generated/`` from the official bindings and the path table."""
