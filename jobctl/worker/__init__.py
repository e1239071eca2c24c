"""The code that runs in the interpreter of the job and calls its function. It uses the standard library only."""
