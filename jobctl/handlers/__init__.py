"""The kinds of work: each makes an attempt for an executor from a row and from the job's command."""
