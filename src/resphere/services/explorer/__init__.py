"""``resphere.explorer``: Swagger UI, served from the package ``offapi``, with a login of our own above it."""
