"""The work of the commands, without a terminal: accept, control and read jobs."""
