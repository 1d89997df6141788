"""Mutants: the code with one small fault each, which the tests must notice."""
