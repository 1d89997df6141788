"""Writes those pages of ``docs/`` that are made from the code: settings, extensions, coverage."""
