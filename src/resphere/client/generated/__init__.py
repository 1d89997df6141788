"""What both clients offer, for type checkers and editors. ``make docs`` writes the stubs; nothing here is run."""
