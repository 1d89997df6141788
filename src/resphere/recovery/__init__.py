"""Backups and restorations that are asked for by the API: where they lie, when they are made, what became of them."""
