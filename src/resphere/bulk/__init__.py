"""Bulk operations: many calls as one task, carried out by whichever worker is alive."""
