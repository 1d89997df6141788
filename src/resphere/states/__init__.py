"""The whole inventory kept as it is at a moment, and put back in one transaction."""
