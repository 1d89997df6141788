"""What happened: every change as an event with its cause, written with the change itself and read in one sequence."""
