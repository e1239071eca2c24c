"""The end of a round of a job: its state, its result files, what its items wrote."""
