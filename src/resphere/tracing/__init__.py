"""Which trace what goes on belongs to, in the terms of W3C's Trace Context."""
