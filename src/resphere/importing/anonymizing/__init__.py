"""Inventories that tell nobody whose they are: equal originals become equal replacements of their shape."""
