"""Whether an inventory holds together: what must be true of any, whoever made it."""
