"""The end of a round of a job: its state, its result files, the output of its items."""
