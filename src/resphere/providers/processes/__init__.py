"""Machines that are processes of this computer: the small example of a provider, and the second one of the tests."""
