"""Derives the pieces of OpenAPI documents (``contract/openapi.jsonl``) from the contract and the handlers."""
