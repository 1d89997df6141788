"""Generates ``src/resphere/client/generated/``: the types of the clients' operations, from the contract."""
