"""Certificates of an authority that speaks ACME (RFC 8555), such as Let's Encrypt or step-ca."""
