"""Guests: Tools, networks and customizations."""
