"""Other applications on the same Granian, to compare with."""
