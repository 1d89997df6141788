"""Tests of resphere.faults."""
