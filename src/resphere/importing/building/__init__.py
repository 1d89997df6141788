"""Rows -> documents of an inventory, sound as any."""
