"""Certificates: those TLS is served with, the authority that signs them, and whom others' are trusted for."""
