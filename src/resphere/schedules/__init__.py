"""Schedules: when work is done that somebody has ordered, by one elected worker, at each time and event once."""
