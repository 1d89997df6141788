"""What both clients offer, for type checkers and editors. ``make client`` writes the stubs; nothing here is run."""
