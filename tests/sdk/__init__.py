"""The official SDK of two releases as a client of the server."""
