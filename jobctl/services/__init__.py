"""What the commands do, without a terminal: accept, control, read."""
