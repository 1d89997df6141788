"""Faults on purpose: rules, which calls they strike, and how often they did."""
