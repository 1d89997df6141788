"""Every document of the store in memory: reads are served from it, changes go through it."""
