"""The services about the daemon: its state, its start and stop, its log, and waiting for jobs."""
