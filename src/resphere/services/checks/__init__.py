"""Checks that services of several kinds share: names, moves, hosts, policies, guests at work."""
