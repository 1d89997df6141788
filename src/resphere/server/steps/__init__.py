"""The steps of a request, by their subjects; :mod:`resphere.server.pipeline` has the list of them."""
