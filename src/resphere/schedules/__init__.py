"""Schedules: when work is done that somebody has ordered, by one elected worker, each time once."""
