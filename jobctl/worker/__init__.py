"""What runs in the interpreter of the job and calls its function. Standard library only."""
