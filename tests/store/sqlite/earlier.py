"""Statements that make a database as earlier releases wrote it."""

from __future__ import annotations

WITHOUT_NOTES = ("DROP TABLE notes", "ALTER TABLE state DROP COLUMN noted")
"""As before schema 4."""
