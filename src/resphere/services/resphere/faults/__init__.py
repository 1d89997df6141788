"""``resphere.faults``: faults on purpose, for people who test clients."""
