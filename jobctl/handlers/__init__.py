"""The kinds of work: each turns a row and what the job stores into something that an executor can start."""
