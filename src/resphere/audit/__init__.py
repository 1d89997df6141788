"""The append-only record of every call, and the logs of the server."""
