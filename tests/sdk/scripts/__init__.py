"""What runs inside a release of the official bindings: each script in a process of its own, JSON in and JSON out.

They import nothing of ours: two releases of the bindings cannot share a process, and neither belongs into the tests'.
"""
